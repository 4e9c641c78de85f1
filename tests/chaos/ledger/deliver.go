package ledger

import (
	"fmt"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// Delivery is a signal as a receiver's application took it.
type Delivery struct {
	To   contract.Token // the receiver's peer
	From contract.Token // the sender's, as the event says
	Slot Slot           // the sender's, as the signal itself says
	N    Number
	At   time.Duration
}

// Deliver judges a delivery.
func (r *Room) Deliver(d Delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts.Deliveries++
	from, to := r.member(d.From), r.member(d.To)
	if from.slot == unknownSlot {
		from.slot = d.Slot
	}
	v := Violation{Sender: d.Slot, Number: d.N, From: d.From.String(), Receiver: to.slot, To: d.To.String(), Delivered: d.At}
	if d.N == 0 || int(d.N) > len(r.signals[d.Slot]) {
		v.Detail = "nobody sent it"
		r.note(Misaddressed, v)
		return
	}
	s := &r.signals[d.Slot][d.N-1]
	v.Sent, v.Settled, v.Outcome = s.sent, s.settled, s.outcome
	if v.Detail = misaddressed(s, from, to, d); v.Detail != "" {
		r.note(Misaddressed, v)
		return
	}
	p := to.pair(d.Slot)
	if !p.take(d.N) && (s.owedTo(to) || !p.takeExtra(d.N)) {
		r.note(Duplicated, v)
		return
	}
	if !p.inOrder(d.From, d.N) {
		r.note(Reordered, v)
	}
}

// Sent is when a signal was offered; false: nobody offered it.
func (r *Room) Sent(slot Slot, n Number) (at time.Duration, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n == 0 || int(n) > len(r.signals[slot]) {
		return 0, false
	}
	return r.signals[slot][n-1].sent, true
}

// misaddressed says why this signal must not have come to this member, "" if it may.
func misaddressed(s *signal, from, to *member, d Delivery) string {
	switch {
	case from.slot != d.Slot:
		return fmt.Sprintf("it came in the name of slot %d", from.slot)
	case s.outcome == Unsent:
		return "its sender was told that it wasn't sent"
	case s.owedTo(to):
		return ""
	case s.to != nil:
		return "it was for " + s.to.peer.String()
	case to.slot == d.Slot:
		return "it is the receiver's own"
	case s.outcome == Acked && to.heard && to.joined > s.settled:
		return "its receiver joined after it was acknowledged"
	}
	return ""
}
