package lease_test

import (
	"testing"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/lease"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	tick    = time.Second
	stall   = 3 * time.Second
	timeout = 12 * time.Second
)

// clock drives an observer by one tick a second.
type clock struct {
	*lease.Observer
	now time.Time
}

func newClock() *clock {
	c := &clock{Observer: lease.New(stall, timeout), now: time.Unix(1_000_000, 0)}
	c.Tick(c.now, true)
	return c
}

func (c *clock) run(d time.Duration, answered bool) {
	for end := c.now.Add(d); c.now.Before(end); {
		c.now = c.now.Add(tick)
		c.Tick(c.now, answered)
	}
}

func (c *clock) wantOut(t *testing.T, edge contract.Token, want bool) {
	t.Helper()
	if got := c.IsOut(edge, c.now, timeout); got != want {
		t.Errorf("out: got %v, want %v", got, want)
	}
	if got := len(c.Out(c.now, timeout)) == 1; got != want {
		t.Errorf("among those that are out: got %v, want %v", got, want)
	}
}

func TestObserver(t *testing.T) {
	edge, err := contract.ParseToken("edge-1")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("an unchanged lease is out at the timeout, not before", func(t *testing.T) {
		c := newClock()
		c.Saw(edge, 1, c.now)
		c.run(timeout-tick, true)
		c.wantOut(t, edge, false)
		c.run(tick, true)
		c.wantOut(t, edge, true)
	})
	t.Run("a renewal starts it again", func(t *testing.T) {
		c := newClock()
		c.Saw(edge, 1, c.now)
		c.run(timeout-tick, true)
		c.Saw(edge, 2, c.now)
		c.run(timeout-tick, true)
		c.wantOut(t, edge, false)
	})
	t.Run("seeing the same revision again doesn't", func(t *testing.T) {
		c := newClock()
		c.Saw(edge, 1, c.now)
		c.run(timeout-tick, true)
		c.Saw(edge, 1, c.now)
		c.run(tick, true)
		c.wantOut(t, edge, true)
	})
	t.Run("an edge that is out comes back", func(t *testing.T) {
		c := newClock()
		c.Saw(edge, 1, c.now)
		c.run(timeout, true)
		c.Saw(edge, 2, c.now)
		c.wantOut(t, edge, false)
	})
	t.Run("an outage starts it again, even a short one", func(t *testing.T) {
		c := newClock()
		c.Saw(edge, 1, c.now)
		c.run(timeout-tick, true)
		c.run(tick, false)
		c.wantOut(t, edge, false)
		c.run(timeout-tick, true)
		c.wantOut(t, edge, false)
		c.run(tick, true)
		c.wantOut(t, edge, true)
	})
	t.Run("a long wait goes on after an outage, and ends with a count without one", func(t *testing.T) {
		c := newClock()
		c.Saw(edge, 1, c.now)
		const wait = 6 * timeout
		want := func(out bool) {
			t.Helper()
			if got := c.IsOut(edge, c.now, wait); got != out {
				t.Errorf("out after the long wait: got %v, want %v", got, out)
			}
		}
		for range 5 {
			c.run(timeout-tick, true)
			c.run(tick, false)
		}
		c.run(timeout, true)
		want(false) // the outages aren't counted, nor the second after the last answer
		c.run(wait-timeout-5*(timeout-tick), true)
		want(true)
		c.run(tick, false)
		want(false)
		c.run(timeout/2-tick, true)
		want(false)
		c.run(tick, true)
		want(true) // it had stood still for the timeout without a break before
		c.Saw(edge, 2, c.now)
		c.run(timeout, true)
		want(false)
	})
	t.Run("nobody goes out during an outage", func(t *testing.T) {
		c := newClock()
		c.Saw(edge, 1, c.now)
		c.run(10*timeout, false)
		c.wantOut(t, edge, false)
	})
	t.Run("an observer that stood still starts again", func(t *testing.T) {
		c := newClock()
		c.Saw(edge, 1, c.now)
		c.run(tick, true)
		c.now = c.now.Add(timeout)
		c.Tick(c.now, true)
		c.wantOut(t, edge, false)
		c.run(timeout, true)
		c.wantOut(t, edge, true)
	})
	t.Run("an edge that is only named counts from its first naming", func(t *testing.T) {
		c := newClock()
		c.Named(edge, c.now)
		c.run(timeout-tick, true)
		c.Named(edge, c.now)
		c.wantOut(t, edge, false)
		c.run(tick, true)
		c.wantOut(t, edge, true)
		c.Saw(edge, 1, c.now)
		c.wantOut(t, edge, false)
	})
	t.Run("what another one counted counts, but for the end of the wait", func(t *testing.T) {
		const wait = 6 * timeout
		c, other := newClock(), newClock()
		c.Saw(edge, 1, c.now)
		c.run(wait-2*timeout, true)
		told := c.Standing(c.now, timeout)
		if len(told) != 1 || told[0] != (lease.Standstill{Edge: edge, Revision: 1, For: wait - 2*timeout}) {
			t.Fatalf("standing: got %v", told)
		}
		if early := other.Standing(other.now, timeout); len(early) != 0 {
			t.Errorf("standing where nothing was seen: got %v", early)
		}
		out := func() bool { return other.IsOut(edge, other.now, wait) }
		other.Heard(told[0], other.now) // of an edge that it doesn't know
		other.Saw(edge, 1, other.now)
		other.run(tick, true)
		other.Heard(lease.Standstill{Edge: edge, Revision: 2, For: wait}, other.now)
		other.run(timeout, true)
		if out() {
			t.Error("out by what was counted of another revision")
		}
		other.Saw(edge, 2, other.now)
		other.Heard(lease.Standstill{Edge: edge, Revision: 2, For: 2 * wait}, other.now)
		other.run(timeout-tick, true)
		if out() {
			t.Error("out before it has seen anything itself")
		}
		other.Heard(told[0], other.now)                                                 // late
		other.Heard(lease.Standstill{Edge: edge, Revision: 2, For: timeout}, other.now) // less
		other.run(tick, true)
		if !out() {
			t.Error("not out although both together have counted long enough")
		}
		other.Saw(edge, 3, other.now)
		other.run(timeout, true)
		if out() {
			t.Error("out although the lease was renewed")
		}
	})
	t.Run("a forgotten edge isn't out", func(t *testing.T) {
		c := newClock()
		c.Saw(edge, 1, c.now)
		c.run(timeout, true)
		c.Forget(edge)
		c.wantOut(t, edge, false)
	})
}
