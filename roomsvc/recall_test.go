package roomsvc

import (
	"encoding/json"
	"testing"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

// TestCommitter_recallsAMessageThatSomebodyWroteOver: a write of unknown outcome
// was stored, another roomsvc wrote over it, and no document tells of a message.
func TestCommitter_recallsAMessageThatSomebodyWroteOver(t *testing.T) {
	c := newCommitter(testConfig(), nil, nil, newPolicies(testConfig().rules()), nil, nil)
	empty := room.New(hall.App, hall.Room)
	joined := func(edge, peer string, n uint64) contract.RoomChange {
		return contract.RoomChange{App: hall.App, Room: hall.Room, Edge: token(edge), N: n, Ops: []contract.RoomOp{join(peer, peer)}}
	}
	before, _ := empty.Apply([]contract.RoomChange{joined("edge-1", "ada", 1)}, c.policies.rules(app))
	group := []*ask{{change: joined("edge-1", "bob", 2)}}
	for n := range uint64(2) {
		group = append(group, &ask{says: true, change: contract.RoomChange{
			App: hall.App, Room: hall.Room, Edge: token("roomsvc-a"), N: n + 1,
			Ops: []contract.RoomOp{{Kind: contract.OpMessage, Data: json.RawMessage("1")}},
		}})
	}
	first, err := c.try(hall, before, group, nil)
	if err != nil {
		t.Fatal(err)
	}
	over, _ := first.next.Apply([]contract.RoomChange{joined("edge-2", "cy", 1)}, c.policies.rules(app))
	again, err := c.try(hall, over, group, first)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "changed", again.out.Changed, false)
	want(t, "revisions", []uint64{again.out.Answers[1].Revision, again.out.Answers[2].Revision}, []uint64{3, 4})
	bodies, err := bodiesOf(again)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range bodies {
		got = append(got, string(b.JSON))
	}
	want(t, "sent again", got, []string{
		`{"base":2,"events":[{"kind":"message","revision":3,"data":1}],"revision":3}`,
		`{"base":3,"events":[{"kind":"message","revision":4,"data":1}],"revision":4}`,
	})
	t.Run("what wasn't stored is sent anew", func(t *testing.T) {
		other, _ := before.Apply([]contract.RoomChange{joined("edge-2", "cy", 1)}, c.policies.rules(app))
		anew, err := c.try(hall, other, group, first)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "recalled", len(anew.recalled), 0)
		want(t, "revision", anew.out.Answers[2].Revision, uint64(5))
	})
	t.Run("a later try remembers what was recalled", func(t *testing.T) {
		later, err := c.try(hall, over, group, again)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "recalled", len(later.recalled), 2)
	})
}
