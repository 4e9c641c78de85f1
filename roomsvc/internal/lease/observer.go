package lease

import (
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// Observer watches the leases of all edges. The times it is given must come
// from one monotonic clock. It isn't safe for concurrent use.
type Observer struct {
	stall  time.Duration
	last   time.Time // of Tick; zero before the first
	leases map[contract.Token]*lease
}

type lease struct {
	revision uint64
	since    time.Time // counted from
}

// New returns an observer that takes itself for stalled when two ticks are more
// than stall apart.
func New(stall time.Duration) *Observer {
	return &Observer{stall: stall, leases: map[contract.Token]*lease{}}
}

// Saw notes that an edge's lease stands at a revision. Only a revision other
// than the one seen before is a sign of life.
func (o *Observer) Saw(edge contract.Token, revision uint64, now time.Time) {
	l := o.leases[edge]
	if l == nil {
		o.leases[edge] = &lease{revision, now}
	} else if l.revision != revision {
		l.revision, l.since = revision, now
	}
}

// Named notes that a document names the edge: an edge whose lease was never
// seen is counted from its first naming.
func (o *Observer) Named(edge contract.Token, now time.Time) {
	if o.leases[edge] == nil {
		o.leases[edge] = &lease{0, now}
	}
}

// Tick must be called regularly. answered says whether NATS has answered since
// the last tick.
func (o *Observer) Tick(now time.Time, answered bool) {
	stalled := o.last.IsZero() || now.Sub(o.last) > o.stall
	o.last = now
	if answered && !stalled {
		return
	}
	for _, l := range o.leases {
		l.since = now
	}
}

// Out returns the edges whose leases have stood still for at least d.
func (o *Observer) Out(now time.Time, d time.Duration) []contract.Token {
	var out []contract.Token
	for edge := range o.leases {
		if o.IsOut(edge, now, d) {
			out = append(out, edge)
		}
	}
	return out
}

// IsOut reports whether an edge's lease has stood still for at least d.
func (o *Observer) IsOut(edge contract.Token, now time.Time, d time.Duration) bool {
	l := o.leases[edge]
	return l != nil && now.Sub(l.since) >= d
}

// Forget drops an edge that nobody names any more.
func (o *Observer) Forget(edge contract.Token) { delete(o.leases, edge) }
