package authsvc

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/parley-rtc/parley/authsvc/internal/directory"
)

// limits bounds how fast each API key gets tokens. It holds keys that some app
// has, and must be told to forget those that none has any more.
type limits struct {
	rate  rate.Limit
	burst int

	mu    sync.Mutex
	byKey map[directory.Hash]*rate.Limiter
}

func newLimits(perSecond float64, burst int) *limits {
	return &limits{rate: rate.Limit(perSecond), burst: burst, byKey: map[directory.Hash]*rate.Limiter{}}
}

// take uses up one token of the key's, or says how long there will be none.
func (l *limits) take(apiKey directory.Hash, now time.Time) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter := l.byKey[apiKey]
	if limiter == nil {
		limiter = rate.NewLimiter(l.rate, l.burst)
		l.byKey[apiKey] = limiter
	}
	reservation := limiter.ReserveN(now, 1)
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// forget drops what is known of keys that are gone.
func (l *limits) forget(apiKeys []directory.Hash) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, apiKey := range apiKeys {
		delete(l.byKey, apiKey)
	}
}
