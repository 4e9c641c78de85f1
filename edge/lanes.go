package edge

import (
	"context"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// lane holds a room's signals towards an edge to which a member has moved,
// until everything that went to the member's old edge before is settled. So a
// receiver that moves still gets every sender's signals in order.
type lane struct {
	waits    int // old links that aren't settled yet
	signals  []laneSignal
	released []func() // called, with room.mu held, when the signals are on the link
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
		undelivered.WithLabelValues("lane_full").Inc()
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
	if from.IsZero() {
		return
	}
	if r.lanes == nil {
		r.lanes = map[contract.Token]*lane{}
	}
	next := r.lanes[to]
	if next == nil {
		next = &lane{}
		r.lanes[to] = next
	}
	next.waits++
	wait := func() {
		r.e.links.AfterSettled(from, func() {
			r.e.goWork(func(context.Context) { r.settledOld(to, next) })
		})
	}
	if old := r.lanes[from]; old != nil && old != next {
		old.released = append(old.released, wait)
		return
	}
	wait()
}

// settledOld notes that one old link is settled, and releases the lane with the last.
func (r *room) settledOld(to contract.Token, l *lane) {
	defer r.e.acks.flush() // of signals that the link refuses
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.waits--; l.waits > 0 {
		return
	}
	delete(r.lanes, to)
	for i := range l.signals {
		one := &l.signals[i]
		if !r.e.links.Send(to, &one.signal, one.waiter) && one.waiter != nil {
			one.waiter.Settled(one.signal.Seq, link.Outcome{Err: link.ErrFull})
		}
	}
	for _, fn := range l.released {
		fn()
	}
}
