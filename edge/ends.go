package edge

import (
	"sync"

	"github.com/parley-rtc/parley/services/contract"
)

// ends are where this edge's links into the earlier places of one member end:
// behind the last that it sent there while it took that for the member's place.
// They are noted when it switches to the next place, not when it is asked: what
// goes to others on the old one in between doesn't count for the member.
type ends struct {
	mu      sync.Mutex // of its own, since links call
	at      map[contract.Token]uint64
	open    int // that aren't known yet
	waiting []func()
}

// note notes where a link ends now, which is known when everything before is
// settled; mark is Links.AfterSettled, or room.mark.
func (of *ends) note(e *Edge, edge contract.Token, mark func(contract.Token, func(error))) {
	of.mu.Lock()
	of.open++
	of.mu.Unlock()
	mark(edge, func(error) { of.found(edge, e.links.Last(edge)) }) // what is unknown will be sent again, elsewhere
}

func (of *ends) found(edge contract.Token, last uint64) {
	of.mu.Lock()
	if of.at == nil {
		of.at = map[contract.Token]uint64{}
	}
	of.at[edge] = last
	var waiting []func()
	if of.open--; of.open == 0 {
		waiting, of.waiting = of.waiting, nil
	}
	of.mu.Unlock()
	for _, fn := range waiting {
		fn()
	}
}

// whenKnown calls fn, which must not block, when all that was noted is known.
func (of *ends) whenKnown(fn func()) {
	of.mu.Lock()
	known := of.open == 0
	if !known {
		of.waiting = append(of.waiting, fn)
	}
	of.mu.Unlock()
	if known {
		fn()
	}
}

// into are the ends of the links into some edges, without those that carried
// nothing.
func (of *ends) into(edges []contract.Token) (told []contract.LinkEnd) {
	of.mu.Lock()
	defer of.mu.Unlock()
	for _, edge := range edges {
		if last := of.at[edge]; last > 0 {
			told = append(told, contract.LinkEnd{To: edge, Revision: last})
		}
	}
	return told
}

// endsOf are a member's, which the room keeps as long as the member; r.mu is held.
func (r *room) endsOf(peer contract.Token) *ends {
	of := r.ends[peer]
	if of == nil {
		if r.ends == nil {
			r.ends = map[contract.Token]*ends{}
		}
		of = &ends{}
		r.ends[peer] = of
	}
	return of
}

// noteEnds notes where the links into a new member's trail end: what earlier
// members here have sent there, none of whom is left; r.mu is held.
func (r *room) noteEnds(peer, place contract.Token, trail []contract.Token) {
	for _, edge := range trail {
		if edge != place {
			r.endsOf(peer).note(r.e, edge, r.mark)
		}
	}
}
