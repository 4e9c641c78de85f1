package ledger

import "time"

// Fault is a kind of violation.
type Fault string

// The faults.
const (
	Lost         Fault = "lost"
	Duplicated   Fault = "duplicated"
	Reordered    Fault = "reordered"
	Misaddressed Fault = "misaddressed"
)

// maxViolations bounds those that a room describes; all are counted.
const maxViolations = 200

// Violation describes one.
type Violation struct {
	Fault          Fault
	Room           string
	Sender         Slot
	Number         Number
	From           string // the sender's peer, if known
	Receiver       Slot
	To             string // the receiver's peer
	Outcome        Outcome
	Sent, Settled  time.Duration // since the run's begin
	Delivered      time.Duration
	ReceiverReturn bool // the receiver came back without its session
	Detail         string
}

// Counts are the sums of a room, or of several.
type Counts struct {
	Signals, Acknowledged, Unknown, Refused, Unsent, Pending int
	Deliveries                                               int
	Lost, Duplicated, Reordered, Misaddressed                int
}

// Add adds another room's.
func (c *Counts) Add(o Counts) {
	c.Signals += o.Signals
	c.Acknowledged += o.Acknowledged
	c.Unknown += o.Unknown
	c.Refused += o.Refused
	c.Unsent += o.Unsent
	c.Pending += o.Pending
	c.Deliveries += o.Deliveries
	c.Lost += o.Lost
	c.Duplicated += o.Duplicated
	c.Reordered += o.Reordered
	c.Misaddressed += o.Misaddressed
}

// note counts a violation; r.mu is held.
func (r *Room) note(f Fault, v Violation) {
	switch f {
	case Lost:
		r.counts.Lost++
	case Duplicated:
		r.counts.Duplicated++
	case Reordered:
		r.counts.Reordered++
	case Misaddressed:
		r.counts.Misaddressed++
	}
	if len(r.violations) < maxViolations {
		v.Fault, v.Room = f, r.name
		r.violations = append(r.violations, v)
	}
}

// Open counts what is acknowledged and owed and wasn't delivered, and what is not
// settled, of signals sent before a moment.
func (r *Room) Open(before time.Duration) (undelivered, unsettled int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, signals := range r.signals {
		for i := len(signals) - 1; i >= 0; i-- {
			if signals[i].outcome == Pending && signals[i].sent < before {
				unsettled++
			}
		}
	}
	r.owed(func(_ *member, _ Slot, _ Number, s *signal) {
		if s.sent < before {
			undelivered++
		}
	})
	return undelivered, unsettled
}

// owed calls f for each acknowledged signal that a member still has to get.
func (r *Room) owed(f func(to *member, from Slot, n Number, s *signal)) {
	for _, to := range r.members {
		if to.end == Left || !to.heard {
			continue
		}
		for slot, p := range to.from {
			for n := range p.open {
				if s := &r.signals[slot][n-1]; s.outcome == Acked {
					f(to, slot, n, s)
				}
			}
		}
	}
}

// Finish counts everything and tells what is lost. Nothing may be noted
// afterwards.
func (r *Room) Finish() (Counts, []Violation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, signals := range r.signals {
		for i := range signals {
			r.counts.Signals++
			switch signals[i].outcome {
			case Pending:
				r.counts.Pending++
			case Acked:
				r.counts.Acknowledged++
			case Unknown:
				r.counts.Unknown++
			case Refused:
				r.counts.Refused++
			case Unsent:
				r.counts.Unsent++
			}
		}
	}
	r.owed(func(to *member, from Slot, n Number, s *signal) {
		r.note(Lost, Violation{
			Sender: from, Number: n, Receiver: to.slot, To: to.peer.String(), Outcome: s.outcome,
			Sent: s.sent, Settled: s.settled, ReceiverReturn: to.end == SessionLost,
		})
	})
	return r.counts, r.violations
}
