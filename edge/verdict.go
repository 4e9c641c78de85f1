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
}

// spot is where a member was.
type spot struct {
	place contract.Token
	acked uint64
}

// senders are the members that are on an edge which hasn't settled.
func (v *view) senders() map[string]bool {
	waiting := map[string]bool{}
	for peer, at := range v.spots {
		if v.edges[at.place] {
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

// finder tells where a peer is now; it reports false for one that is no member.
type finder func(peer []byte) (spot, bool)

// judge decides about a signal.
//
// Of a sender that has moved on, what its earlier edges sent counts up to what its
// client had seen acknowledged: it sends all the rest again. What an edge sent to
// an earlier place of the member counts up to where the edge switched to the new
// one: a settled edge has told where that is. Of one that hasn't, what stood in the
// log of the cursor's edge before anybody could know of a move counts. A broadcast
// goes to several logs: without such bounds one that overtook a direct signal
// could be taken for the sender's next.
func (v *view) judge(one *hold, now finder) verdict {
	if v.stayed || one.signal.Kind == contract.KindEvent {
		return give
	}
	from, seq := one.origin.from, one.signal.Seq
	then, known := v.spots[string(one.signal.From)]
	current, in := now(one.signal.From)
	if one.log.IsZero() {
		switch {
		case in && current.place != from && seq > current.acked:
			return drop
		case known && v.edges[then.place], !known && in && v.edges[from]:
			return wait
		default:
			return give
		}
	}
	moved := known && then.place != from
	end, settled := v.ends[from]
	switch {
	case moved && seq > then.acked:
		return drop
	case settled && one.origin.revision > end[one.log]:
		return drop
	case settled, moved, !known && !in:
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
