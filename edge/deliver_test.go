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
			h.r.mu.Lock()
			h.r.place(bob.Peer, b, 2, 1)
			h.r.mu.Unlock()
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
	h.r.mu.Lock()
	h.r.place(bob.Peer, b, 2, 3)
	h.ada.backlog = &backlog{flowing: true, edges: map[contract.Token]bool{a: true}, senders: map[string]bool{}}
	h.r.mu.Unlock()
	h.comes(a, h.message(bob, 1, false))
	h.comes(b, h.message(bob, 2, false))
	h.checkGot()
	if got := len(h.ada.backlog.kept); got != 2 {
		t.Errorf("%d signals wait, want 2", got)
	}
}
