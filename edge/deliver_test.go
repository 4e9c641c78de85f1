package edge

import (
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// TestRoom_deliver_whatComesAgain has bob go to another edge when his client has
// seen 1 acknowledged: it sends the rest again from there.
func TestRoom_deliver_whatComesAgain(t *testing.T) {
	for name, toAll := range map[string]bool{"direct": false, "broadcast": true} {
		t.Run(name, func(t *testing.T) {
			a, b := process(t, "a"), process(t, "b")
			bob := newMember(t, "bob", 2, a)
			h := newHall(t, bob)
			h.places(bob, b, 2, 1)
			h.comes(a, h.message(bob, 3, toAll))
			h.checkGot()
			h.comes(a, h.message(bob, 1, toAll))
			h.checkGot(1)
			h.comes(b, h.message(bob, 2, toAll))
			h.comes(b, h.message(bob, 3, toAll))
			h.checkGot(2, 3)
		})
	}
}

// TestRoom_deliver_nothingPastWhatIsKept has bob's 1 wait since it comes from an
// edge that hasn't answered: his 2, from another one, must wait behind it.
func TestRoom_deliver_nothingPastWhatIsKept(t *testing.T) {
	a, b := process(t, "a"), process(t, "b")
	bob := newMember(t, "bob", 2, a)
	h := newHall(t, bob)
	h.places(bob, b, 2, 3)
	h.r.mu.Lock()
	h.ada.backlog = &backlog{flowing: true, edges: map[contract.Token]bool{a: true}, senders: map[string]bool{}}
	h.r.mu.Unlock()
	h.comes(a, h.message(bob, 1, false))
	h.comes(b, h.message(bob, 2, false))
	h.checkGot()
	if got := len(h.ada.backlog.kept); got != 2 {
		t.Errorf("%d signals wait, want 2", got)
	}
}

// TestRoom_deliver_whatComesAgainInAnotherSession has bob go away and come back, or
// be rewound: his edge is the one that he was on.
func TestRoom_deliver_whatComesAgainInAnotherSession(t *testing.T) {
	a, b := process(t, "a"), process(t, "b")
	for name, begins := range map[string]func(h *hall, bob contract.Member){
		"he was elsewhere": func(h *hall, bob contract.Member) {
			h.places(bob, b, 2, 1)
			h.places(bob, a, 3, 1)
		},
		"he was rewound": func(h *hall, bob contract.Member) { h.places(bob, a, 3, 1) },
		"his edge has told that he was rewound": func(h *hall, bob contract.Member) {
			h.r.mu.Lock()
			defer h.r.mu.Unlock()
			h.r.roster.Hear(&contract.Session{Peer: bob.Peer, Began: 2, Acked: 1})
		},
		"he has left meanwhile": func(h *hall, bob contract.Member) {
			h.places(bob, a, 3, 1)
			h.r.mu.Lock()
			defer h.r.mu.Unlock()
			h.r.takeDocument(&contract.RoomDocument{
				Revision: 3, Members: []contract.Member{h.r.roster.Get(h.ada.peer).Member},
			}, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			bob := newMember(t, "bob", 2, a)
			h := newHall(t, bob)
			h.ada.known = 3 // she needn't hear of who leaves
			begins(h, bob)
			for _, one := range []struct{ session, seq uint64 }{{1, 3}, {1, 1}, {3, 2}, {3, 3}, {1, 2}} {
				s := h.message(bob, one.seq, false)
				s.Session = one.session
				h.comes(a, s)
			}
			h.checkGot(1, 2, 3)
		})
	}
}
