//go:build linux

package crowd

import (
	"fmt"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/chaos/ledger"
)

// TestBreaker_theLedgerFindsAll breaks deliveries in a room of five and one of two,
// where nobody is left to be taken for the receiver.
func TestBreaker_theLedgerFindsAll(t *testing.T) {
	for _, size := range []int{2, 5} {
		t.Run(fmt.Sprintf("a room of %d", size), func(t *testing.T) {
			b := newBreaker(10)
			room := newRoom("a room", size)
			peers := make([]contract.Token, size)
			for slot := range peers {
				peers[slot] = contract.NewPeerID()
				room.enter(peers[slot], ledger.Slot(slot), 0)
			}
			for i := range 5000 {
				from, to := i%size, (i+1)%size
				n := room.Ledger.OfferTo(ledger.Slot(from), peers[to], 0)
				room.Ledger.Settle(ledger.Slot(from), n, ledger.Acked, 0)
				b.pass(room, ledger.Delivery{To: peers[to], From: peers[from], Slot: ledger.Slot(from), N: n}, true)
			}
			broken := b.release()
			counts, _ := room.Ledger.Finish()
			got := Broken{counts.Lost, counts.Duplicated, counts.Reordered, counts.Misaddressed}
			if got != broken {
				t.Errorf("the ledger found %+v, and %+v were broken", got, broken)
			}
			if size > 2 && (broken.Dropped < 100 || broken.Duplicated < 100 || broken.Swapped < 100 || broken.Misdirected < 100) {
				t.Errorf("only %+v were broken", broken)
			}
		})
	}
}

func TestRoom_ghostsAndFlaps(t *testing.T) {
	room := newRoom("a room", 2)
	here, left := contract.NewPeerID(), contract.NewPeerID()
	room.enter(here, 0, 0)
	room.enter(left, 2, 0)
	observer := room.History.Observe("somebody", 0)
	room.exit(left, ledger.Left, "vanished", 10)
	room.Read(0, []contract.Token{here, left}, 15, 16, 5)
	if ghosts := room.Ghosts(); len(ghosts) != 0 {
		t.Errorf("within its time it is no ghost: %+v", ghosts)
	}
	room.Read(0, []contract.Token{here, left}, 16, 17, 5)
	if ghosts := room.Ghosts(); len(ghosts) != 1 || ghosts[0].Peer != left.String() || ghosts[0].Stayed != 6 {
		t.Errorf("got the ghosts %+v", ghosts)
	}
	observer.Saw(1, false, left.String(), 12)
	if flaps := room.Flaps(); len(flaps) != 0 {
		t.Errorf("who vanished is no flap: %v", flaps)
	}
	observer.Saw(2, false, here.String(), 13)
	if flaps := room.Flaps(); len(flaps) != 1 || flaps[0] != here.String() {
		t.Errorf("got the flaps %v", flaps)
	}
}

func TestReadContent(t *testing.T) {
	for text, want := range map[string]content{"3.45": {Slot: 3, N: 45}} {
		if got, ok := readNegotiation(text); !ok || got != want {
			t.Errorf("%q: got %+v", text, got)
		}
	}
	for _, text := range []string{"", "3", "3.", ".4", "3.x", "3.99999999999"} {
		if got, ok := readNegotiation(text); ok {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}
