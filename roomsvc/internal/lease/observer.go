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
	longest  time.Duration // of those that were made here
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
		count := max(0, before.Sub(l.since))
		l.before, l.longest = l.before+count, max(l.longest, count)
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
// That end is as long as the timeout, or half of it if the lease stood still for so
// long before: an edge that was cut off has renewed it by then.
func (o *Observer) IsOut(edge contract.Token, now time.Time, d time.Duration) bool {
	l := o.leases[edge]
	if l == nil {
		return false
	}
	end := o.timeout
	if l.longest >= o.timeout {
		end /= 2
	}
	count := now.Sub(l.since)
	return count >= min(d, end) && l.before+count >= d
}

// Standstill is how long a lease has stood still at a revision, while NATS answered.
type Standstill struct {
	Edge     contract.Token
	Revision uint64
	For      time.Duration
}

// Standing tells of the leases that have stood still for at least d.
func (o *Observer) Standing(now time.Time, d time.Duration) []Standstill {
	var standing []Standstill
	for edge, l := range o.leases {
		if count := l.before + now.Sub(l.since); count >= d {
			standing = append(standing, Standstill{edge, l.revision, count})
		}
	}
	return standing
}

// Heard takes over what another observer has counted at the same revision, if that
// is more: what it counted doesn't end with it. The last part of every wait must
// still be seen here, see IsOut.
func (o *Observer) Heard(s Standstill, now time.Time) {
	if l := o.leases[s.Edge]; l != nil && l.revision == s.Revision {
		l.before = max(l.before, s.For-now.Sub(l.since))
	}
}

// Forget drops an edge that nobody names any more.
func (o *Observer) Forget(edge contract.Token) { delete(o.leases, edge) }
