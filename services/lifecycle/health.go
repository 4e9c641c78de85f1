package lifecycle

import (
	"context"
	"errors"
	"sync"
)

// ErrStarting is what a check is registered with: not ready yet.
var ErrStarting = errors.New("starting")

// checkOK is the text of a good check.
const checkOK = "ok"

// Health collects what a process needs in order to be ready. It may be used by
// many goroutines.
type Health struct {
	mu     sync.Mutex
	checks map[string]error
}

// NewHealth returns a Health without checks, which is ready.
func NewHealth() *Health { return &Health{checks: map[string]error{}} }

// Set says how a check stands: nil is good, an error says why not, in a text
// that may be shown to whoever reaches the admin listener. A part registers its
// checks with ErrStarting before it begins.
func (h *Health) Set(check string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.checks[check] = err
	if check != natsCheck && check != processCheck && errors.Is(h.checks[processCheck], ErrStarting) {
		delete(h.checks, processCheck) // the service's own checks speak for it from now on
	}
}

// Ready reports whether all checks are good, and each one's text: "ok" or the
// error's.
func (h *Health) Ready() (ready bool, checks map[string]string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	ready, checks = true, make(map[string]string, len(h.checks))
	for name, err := range h.checks {
		checks[name] = checkOK
		if err != nil {
			ready, checks[name] = false, err.Error()
		}
	}
	return ready, checks
}

type healthKey struct{}

// WithHealth returns ctx with h.
func WithHealth(ctx context.Context, h *Health) context.Context {
	return context.WithValue(ctx, healthKey{}, h)
}

// HealthFrom returns ctx's Health; without one, a new one that nobody reads.
func HealthFrom(ctx context.Context) *Health {
	if h, ok := ctx.Value(healthKey{}).(*Health); ok {
		return h
	}
	return NewHealth()
}
