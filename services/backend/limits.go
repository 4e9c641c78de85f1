package backend

import (
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limits bound how often each API key is served. They hold keys that some app
// has, and must be told to forget those that none has any more.
type Limits struct {
	rate  rate.Limit
	burst int

	mu    sync.Mutex
	byKey map[Hash]*rate.Limiter
}

// NewLimits returns limits of so many requests a second and at once for each key.
func NewLimits(perSecond float64, burst int) *Limits {
	return &Limits{rate: rate.Limit(perSecond), burst: burst, byKey: map[Hash]*rate.Limiter{}}
}

// String says what they are.
func (l *Limits) String() string { return fmt.Sprintf("%g/s (bursts of %d)", l.rate, l.burst) }

// Take uses up one request of the key's, or says how long there will be none.
func (l *Limits) Take(key Hash, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.byKey[key]
	if limiter == nil {
		limiter = rate.NewLimiter(l.rate, l.burst)
		l.byKey[key] = limiter
	}
	reservation := limiter.ReserveN(now, 1)
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// Forget drops what is known of keys that are gone.
func (l *Limits) Forget(keys []Hash) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range keys {
		delete(l.byKey, key)
	}
}
