package edge

import (
	"fmt"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// asked asks for the ends of cy's move to an edge, and waits for the answer.
func (h *hall) asked(to contract.Token, cy contract.Member, incarnation uint64, trail ...contract.Token) []contract.LinkEnd {
	h.t.Helper()
	answers := make(chan contract.Moved, 1)
	move := contract.Move{App: h.r.app, Room: h.r.id, Peer: cy.Peer, Incarnation: incarnation, Trail: trail}
	h.r.e.follow(to, []contract.Move{move}, func(answer contract.Moved) { answers <- answer })
	select {
	case answer := <-answers:
		return answer.Ends[0]
	case <-h.t.Context().Done():
		return nil
	}
}

func checkEnds(t *testing.T, when string, got []contract.LinkEnd, want ...contract.LinkEnd) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: the links end at %v, want %v", when, got, want)
	}
}

// TestEdge_follow_endsAtTheSwitch has cy go from b to c, which this edge hears of
// before it is asked: what goes to b in between is for others.
func TestEdge_follow_endsAtTheSwitch(t *testing.T) {
	b, c, d := process(t, "b"), process(t, "c"), process(t, "d")
	cy := newMember(t, "cy", 2, b)
	h := newHall(t, cy)
	h.open.Store(true)
	h.send(b, 1, 1)
	h.wait.Wait()
	h.places(cy, c, 2, 0)
	h.send(b, 2, 2)
	h.wait.Wait()
	checkEnds(t, "at c", h.asked(c, cy, 2, b), contract.LinkEnd{To: b, Revision: 1})
	h.send(c, 3, 3)
	h.wait.Wait()
	checkEnds(t, "at d, in between at an edge that this one didn't hear of", h.asked(d, cy, 4, b, process(t, "x"), c),
		contract.LinkEnd{To: b, Revision: 1}, contract.LinkEnd{To: c, Revision: 3})
	checkEnds(t, "asked again", h.asked(d, cy, 5, b, c), contract.LinkEnd{To: b, Revision: 1}, contract.LinkEnd{To: c, Revision: 3})
}

// TestEdge_follow_waitsForWhatWasSent asks while the link to cy's old edge is
// closed.
func TestEdge_follow_waitsForWhatWasSent(t *testing.T) {
	b, c := process(t, "b"), process(t, "c")
	cy := newMember(t, "cy", 2, b)
	h := newHall(t, cy)
	h.send(b, 1, 1)
	answers := make(chan contract.Moved, 1)
	move := contract.Move{App: h.r.app, Room: h.r.id, Peer: cy.Peer, Incarnation: 2, Trail: []contract.Token{b}}
	h.r.e.follow(c, []contract.Move{move}, func(answer contract.Moved) { answers <- answer })
	h.send(b, 2, 2)
	select {
	case <-answers:
		t.Error("the answer came while cy's signal was on its way")
	default:
	}
	h.open.Store(true)
	checkEnds(t, "at c", (<-answers).Ends[0], contract.LinkEnd{To: b, Revision: 1})
	h.wait.Wait()
}

// TestEdge_follow_ofAMemberWhoseEarlierPlacesAreNews: what members sent there who
// were here before this edge read the room counts, and nothing else.
func TestEdge_follow_ofAMemberWhoseEarlierPlacesAreNews(t *testing.T) {
	b, c, d := process(t, "b"), process(t, "c"), process(t, "d")
	cy, dan := newMember(t, "cy", 2, b), newMember(t, "dan", 3, d)
	h := newHall(t)
	h.open.Store(true)
	h.send(b, 1, 1)
	h.wait.Wait()
	checkEnds(t, "of one whom the room doesn't know", h.asked(c, cy, 2, b), contract.LinkEnd{To: b, Revision: 1})
	h.r.mu.Lock()
	doc := &contract.RoomDocument{Revision: 3, Members: []contract.Member{h.r.roster.Get(h.ada.peer).Member, cy, dan}}
	h.r.takeDocument(doc, map[contract.Token]contract.MemberRecord{
		cy.Peer: {Peer: cy.Peer, Incarnation: 2, Edge: c, Trail: []contract.Token{b, c}, State: contract.StateHere},
	})
	h.r.mu.Unlock()
	h.send(b, 2, 2)
	h.wait.Wait()
	checkEnds(t, "at c", h.asked(c, cy, 2, b), contract.LinkEnd{To: b, Revision: 1})
	checkEnds(t, "of one who moved from where this edge sent nothing", h.asked(c, dan, 2, d))
}
