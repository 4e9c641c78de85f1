package lease

import (
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// Observer watches the leases of all edges. The times it is given must come
// from one monotonic clock. It isn't safe for concurrent use.
type Observer struct {
	stall   time.Duration
	timeout time.Duration
	last    time.Time // of Tick; zero before the first
	leases  map[contract.Token]*lease
}

type lease struct {
	revision uint64
	since    time.Time     // the present count began
	before   time.Duration // of the counts before it, at this revision
}

// New returns an observer that takes itself for stalled when two ticks are more
// than stall apart. An edge that lives renews its lease within timeout.
func New(stall, timeout time.Duration) *Observer {
	return &Observer{stall: stall, timeout: timeout, leases: map[contract.Token]*lease{}}
}

// Saw notes that an edge's lease stands at a revision. Only a revision other
// than the one seen before is a sign of life.
func (o *Observer) Saw(edge contract.Token, revision uint64, now time.Time) {
	l := o.leases[edge]
	if l == nil {
		o.leases[edge] = &lease{revision: revision, since: now}
	} else if l.revision != revision {
		*l = lease{revision: revision, since: now}
	}
}

// Named notes that a document names the edge: an edge whose lease was never
// seen is counted from its first naming.
func (o *Observer) Named(edge contract.Token, now time.Time) {
	if o.leases[edge] == nil {
		o.leases[edge] = &lease{since: now}
	}
}

// Tick must be called regularly. answered says whether NATS has answered since
// the last tick.
func (o *Observer) Tick(now time.Time, answered bool) {
	before := o.last
	stalled := before.IsZero() || now.Sub(before) > o.stall
	o.last = now
	if answered && !stalled {
		return
	}
	for _, l := range o.leases {
		l.before += max(0, before.Sub(l.since))
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

// IsOut reports whether an edge's lease has stood still for at least d. Of a longer
// wait than an edge's timeout only the end must be without a break: members whose
// edge is dead have had their time although NATS didn't answer in the middle of it.
func (o *Observer) IsOut(edge contract.Token, now time.Time, d time.Duration) bool {
	l := o.leases[edge]
	if l == nil {
		return false
	}
	count := now.Sub(l.since)
	return count >= min(d, o.timeout) && l.before+count >= d
}

// Forget drops an edge that nobody names any more.
func (o *Observer) Forget(edge contract.Token) { delete(o.leases, edge) }
