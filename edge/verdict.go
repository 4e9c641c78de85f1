package edge

import (
	"cmp"
	"slices"

	"github.com/parley-rtc/parley/services/contract"
)

// view is what an arrival knew of one member's room before it read the logs: the
// reading covers what follows from that, and not what happened since.
type view struct {
	stayed bool                                         // the member was never elsewhere: one log has it all
	oldest contract.Token                               // the edge of the cursor
	base   uint64                                       // its log's head before it lost the member
	ends   map[contract.Token]map[contract.Token]uint64 // by settled edge, then by log
	spots  map[string]spot                              // of the other members
	edges  map[contract.Token]bool                      // that haven't settled and have members
	passed map[contract.Token]bool                      // that are no longer waited for, though they haven't settled
	silent []string                                     // the members on those
}

// spot is where a member is, or was when it left, and in which session: behind
// acked that sends again what earlier ones have sent.
type spot struct {
	place        contract.Token
	began, acked uint64
	gone         bool
}

// isEarlier reports whether a signal from an edge is of an earlier session. One
// that doesn't tell its session is of an edge that doesn't count them.
func (at spot) isEarlier(from contract.Token, s *contract.Signal) bool {
	if s.Session == 0 {
		return at.place != from
	}
	return s.Session < at.began
}

// isPast reports whether the sender sends a signal again in a later session than
// that which it is of.
func (at spot) isPast(from contract.Token, s *contract.Signal) bool {
	return s.Seq > at.acked && at.isEarlier(from, s)
}

// senders are the members that are on an edge which hasn't settled.
func (v *view) senders() map[string]bool {
	waiting := map[string]bool{}
	for peer, at := range v.spots {
		if !at.gone && v.edges[at.place] {
			waiting[peer] = true
		}
	}
	return waiting
}

// verdict is what to do with a signal that a member missed.
type verdict int

const (
	give verdict = iota // all that its sender sent before is known
	wait                // something before it may still come
	drop                // it comes again on another way
)

// finder tells where a peer is now, or was; it reports false for a stranger.
type finder func(peer []byte) (spot, bool)

// judge decides about a signal.
//
// Of a sender that has begun another session, on another edge or after a rewind,
// what it sent in earlier ones counts up to what its client had seen acknowledged:
// it sends all the rest again. That goes for one that has left meanwhile, too. What
// an edge sent to an earlier place of the member counts up to where the edge
// switched to the new one: a settled edge has told where that is. Of one that
// hasn't, what stood in the log of the cursor's edge before anybody could know of a
// move counts; if it is no longer waited for all does, and a gap is told. A
// broadcast goes to several logs: without such bounds one that overtook a direct
// signal could be taken for the sender's next.
func (v *view) judge(one *hold, now finder) verdict {
	if v.stayed || one.signal.Kind == contract.KindEvent {
		return give
	}
	from := one.origin.from
	then, known := v.spots[string(one.signal.From)]
	current, knows := now(one.signal.From)
	was, in := known && !then.gone, knows && !current.gone
	if one.log.IsZero() {
		switch {
		case knows && current.isPast(from, &one.signal):
			return drop
		case was && v.edges[then.place], !was && in && v.edges[from]:
			return wait
		default:
			return give
		}
	}
	moved := known && then.isEarlier(from, &one.signal)
	end, settled := v.ends[from]
	switch {
	case known && then.isPast(from, &one.signal):
		return drop
	case settled && one.origin.revision > end[one.log]:
		return drop
	case settled, moved, !was && !in, v.passed[from]:
		return give
	case one.log == v.oldest && one.origin.revision <= v.base:
		return give
	case v.edges[from]:
		return wait
	default:
		return drop // of an edge that knew the place from the beginning
	}
}

// part puts signals in each sender's order, without repeats, and tells those that
// the member gets now from those that must wait. Behind a sender's first signal
// that waits all wait.
func (v *view) part(signals []hold, now finder) (ready, waiting []hold) {
	slices.SortStableFunc(signals, func(a, b hold) int {
		return cmp.Or(cmp.Compare(string(a.signal.From), string(b.signal.From)), cmp.Compare(a.signal.Seq, b.signal.Seq))
	})
	for i := 0; i < len(signals); {
		blocked := false
		from := string(signals[i].signal.From)
		for ; i < len(signals) && string(signals[i].signal.From) == from; i++ {
			one := &signals[i]
			switch what := v.judge(one, now); {
			case what == drop:
			case blocked || what == wait:
				blocked = true
				waiting = append(waiting, *one)
			case len(ready) > 0 && same(&ready[len(ready)-1], one):
			default:
				ready = append(ready, *one)
			}
		}
	}
	return ready, waiting
}

func same(a, b *hold) bool {
	return a.signal.Seq == b.signal.Seq && string(a.signal.From) == string(b.signal.From)
}
