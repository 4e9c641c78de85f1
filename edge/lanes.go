package edge

import (
	"cmp"
	"context"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// lane holds a room's signals towards an edge to which a member has moved,
// until everything that went to the member's old edge before is settled. So a
// receiver that moves still gets every sender's signals in order. Each move
// opens a lane of its own behind those that are open, so that a member may go
// back and forth and no two lanes wait for each other.
type lane struct {
	waits    int   // old links that aren't settled, lanes that aren't released
	failed   error // nobody knows what became of what was sent before
	signals  []laneSignal
	released []func(error) // called, with room.mu held, when the signals are on the link
}

type laneSignal struct {
	signal contract.Signal
	waiter link.Waiter
}

// maxLane bounds the signals that one lane holds.
const maxLane = 10_000

// send puts a signal on its way to an edge; r.mu is held. False means that a
// queue is full: the frame must be refused.
func (r *room) send(to contract.Token, s *contract.Signal, w link.Waiter) bool {
	held := r.lanes[to]
	if held == nil {
		return r.e.links.Send(to, s, w)
	}
	if len(held.signals) >= maxLane {
		undelivered.WithLabelValues(undeliveredLaneFull).Inc()
		return false
	}
	held.signals = append(held.signals, laneSignal{cloneSignal(s), w})
	return true
}

// canSend reports whether send would find a place now; r.mu is held.
func (r *room) canSend(to contract.Token, bytes int) bool {
	if held := r.lanes[to]; held != nil {
		return len(held.signals) < maxLane
	}
	return r.e.links.CanTake(to, bytes)
}

// moved opens a lane to a member's new edge; r.mu is held. If the old edge has
// a lane itself, the new one also waits for what that one still holds.
func (r *room) moved(from, to contract.Token) {
	if from.IsZero() || from == to {
		return
	}
	next := r.openLane(to)
	r.afterSent(from, func(err error) {
		r.e.goWork(func(context.Context) {
			defer r.e.acks.flush() // of signals that the link refuses
			r.mu.Lock()
			defer r.mu.Unlock()
			r.waited(to, next, err)
		})
	})
}

// openLane has what is sent to an edge from now on wait once, and behind what
// waits already; r.mu is held.
func (r *room) openLane(to contract.Token) *lane {
	next := &lane{waits: 1}
	if before := r.lanes[to]; before != nil {
		next.waits++
		before.released = append(before.released, func(err error) { r.waited(to, next, err) })
	}
	if r.lanes == nil {
		r.lanes = map[contract.Token]*lane{}
	}
	r.lanes[to] = next
	return next
}

// afterSent calls fn when everything that the room has sent to an edge is
// settled, what its lane holds included; r.mu is held. fn must not block and may
// be called at once. It gets an error if the outcome is unknown.
func (r *room) afterSent(to contract.Token, fn func(error)) {
	held := r.lanes[to]
	if held == nil {
		r.e.links.AfterSettled(to, fn)
		return
	}
	held.released = append(held.released, func(err error) {
		r.e.links.AfterSettled(to, func(later error) { fn(cmp.Or(err, later)) })
	})
}

// mark is afterSent for who wants to know how far the link got by that:
// Links.Last tells it while fn runs. What the room sends later waits until fn is
// in the link's queue; r.mu is held.
func (r *room) mark(to contract.Token, fn func(error)) {
	held := r.lanes[to]
	if held == nil {
		r.e.links.AfterSettled(to, fn)
		return
	}
	held.released = append(held.released, func(error) { r.e.links.AfterSettled(to, fn) })
	next := r.openLane(to)
	held.released = append(held.released, func(err error) { r.waited(to, next, err) })
}

// waited notes that one thing is over that a lane waits for, and releases the
// lane with the last; r.mu is held. If the outcome of something is unknown, what
// the lane holds is given up like it: it would overtake what is sent again.
func (r *room) waited(to contract.Token, l *lane, err error) {
	l.failed = cmp.Or(l.failed, err)
	if l.waits--; l.waits > 0 {
		return
	}
	if r.lanes[to] == l {
		delete(r.lanes, to)
	}
	for i := range l.signals {
		one := &l.signals[i]
		err := l.failed
		if err == nil && !r.e.links.Send(to, &one.signal, one.waiter) {
			err = link.ErrFull
		}
		if err != nil && one.waiter != nil {
			one.waiter.Settled(one.signal.Seq, link.Outcome{Err: err})
		}
	}
	for _, fn := range l.released {
		fn(l.failed)
	}
}
