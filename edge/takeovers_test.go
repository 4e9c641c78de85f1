package edge

import (
	"errors"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// TestSession_follow_givesWayToALaterTakeover has two takeovers of ada on this
// edge, of which the earlier one is the slower.
func TestSession_follow_givesWayToALaterTakeover(t *testing.T) {
	h := newHall(t)
	e := h.r.e
	take := func(incarnation, attempt uint64) (*membership, error) {
		s := newSession(e)
		s.attempt = attempt
		record := contract.MemberRecord{
			Peer: h.ada.peer, Edge: e.id, Incarnation: incarnation, Attempt: attempt, Trail: []contract.Token{process(t, "b"), e.id},
		}
		return s.follow(&claim{
			name: "room", peerText: h.ada.peerText, app: h.r.app, room: h.r.id, peer: h.ada.peer, record: record, revision: incarnation,
		}, 1)
	}
	third, err := take(3, 3)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := take(2, 2); !errors.Is(err, errStaleHello) {
		t.Errorf("the slower takeover: %v, want %v", err, errStaleHello)
	}
	if h.r.locals[h.ada.peerText] != third || third.over {
		t.Error("the newer takeover was given up")
	}
	third.giveUp()
}
