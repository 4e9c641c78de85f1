package room_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

var (
	testApp  = must("app")
	testRoom = must("hall")
)

// says is roomsvc's own request with a message.
func says(server string, n uint64, to string) contract.RoomChange {
	op := contract.RoomOp{Kind: contract.OpMessage, ID: "q", Data: json.RawMessage(`{"x":1}`), Trace: "tp"}
	if to != "" {
		op.Peer = must(to)
	}
	return contract.RoomChange{App: testApp, Room: testRoom, Edge: must(server), N: n, Ops: []contract.RoomOp{op}}
}

// crowd is a room with these members, all of one identity if twins says so.
func crowd(t *testing.T, rules room.Rules, identity string, peers ...string) room.State {
	t.Helper()
	ask := contract.RoomChange{App: testApp, Room: testRoom, Edge: must("edge-1"), N: 1}
	for _, peer := range peers {
		ask.Ops = append(ask.Ops, contract.RoomOp{Kind: contract.OpJoin, Peer: must(peer), Identity: identity})
	}
	s, out := room.New(testApp, testRoom).Apply([]contract.RoomChange{ask}, rules)
	if len(out.Events) != len(peers) {
		t.Fatalf("%d events, want %d joins", len(out.Events), len(peers))
	}
	return s
}

func allowing() room.Rules {
	return room.Rules{Capacity: 10, Duplicates: contract.DuplicateAllow, MaxBytes: contract.MaxDocumentBytes}
}

func TestApply_message(t *testing.T) {
	s := crowd(t, allowing(), "ada", "pa", "pb")
	next, out := s.Apply([]contract.RoomChange{says("roomsvc-a", 1, ""), says("roomsvc-a", 2, "pb")}, allowing())
	want(t, "changed", out.Changed, true)
	want(t, "events", out.Events, []contract.RoomEvent{
		{Kind: contract.EventMessage, Revision: 3, ID: "q", Data: json.RawMessage(`{"x":1}`), Trace: "tp"},
		{Kind: contract.EventMessage, Revision: 4, To: must("pb"), ID: "q", Data: json.RawMessage(`{"x":1}`), Trace: "tp"},
	})
	want(t, "revisions", []uint64{out.Answers[0].Revision, out.Answers[1].Revision}, []uint64{3, 4})
	want(t, "speaker", next.Speaker(), must("roomsvc-a"))
	want(t, "speaker before", s.Speaker(), contract.Token{})
	t.Run("again it does nothing", func(t *testing.T) {
		_, out := next.Apply([]contract.RoomChange{says("roomsvc-a", 1, ""), says("roomsvc-a", 2, "pb")}, allowing())
		want(t, "changed", out.Changed, false)
		want(t, "standings", []room.Standing{out.Answers[0].Standing, out.Answers[1].Standing}, []room.Standing{room.Stale, room.Repeated})
	})
	t.Run("what is refused changes nothing", func(t *testing.T) {
		for _, one := range []struct {
			state room.State
			to    string
			want  contract.Code
		}{{next, "px", contract.CodePeerGone}, {room.New(testApp, testRoom), "", contract.CodeRoomNotFound}} {
			_, out := one.state.Apply([]contract.RoomChange{says("roomsvc-b", 1, one.to)}, allowing())
			want(t, "code", out.Answers[0].Results[0].Code, one.want)
			want(t, "changed", out.Changed, false)
		}
	})
}

func TestApply_remembersTheLastSpeakersAlone(t *testing.T) {
	s := crowd(t, allowing(), "ada", "pa")
	const speakers = 3 * room.MaxServers
	for i := range speakers {
		s, _ = s.Apply([]contract.RoomChange{says(fmt.Sprintf("roomsvc-%d", i), 1, "")}, allowing())
	}
	writers := s.Document().Writers
	want(t, "writers", len(writers), room.MaxServers+1)
	for i := range speakers {
		_, kept := writers[fmt.Sprintf("roomsvc-%d", i)]
		want(t, fmt.Sprint("speaker ", i), kept, i >= speakers-room.MaxServers)
	}
	want(t, "speaker", s.Speaker(), must(fmt.Sprintf("roomsvc-%d", speakers-1)))
}

func TestApply_kickOfAnIdentity(t *testing.T) {
	s := crowd(t, allowing(), "ada", "pa", "pb")
	kick := contract.RoomChange{App: testApp, Room: testRoom, Ops: []contract.RoomOp{{Kind: contract.OpKick, Identity: "ada"}}}
	next, out := s.Apply([]contract.RoomChange{kick}, allowing())
	want(t, "left", out.Answers[0].Left, 2)
	want(t, "members", len(next.Members()), 0)
	_, out = next.Apply([]contract.RoomChange{kick}, allowing())
	want(t, "changed the second time", out.Changed, false)
}
