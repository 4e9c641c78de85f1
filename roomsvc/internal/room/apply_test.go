package room_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

func token(t testing.TB, text string) contract.Token {
	t.Helper()
	parsed, err := contract.ParseToken(text)
	if err != nil {
		t.Fatalf("token %q: %v", text, err)
	}
	return parsed
}

// house is a room under test with the requests' counters.
type house struct {
	t     testing.TB
	state room.State
	rules room.Rules
	n     map[string]uint64
}

func newHouse(t testing.TB) *house {
	t.Helper()
	return &house{
		t: t, state: room.New(token(t, "app"), token(t, "hall")), n: map[string]uint64{},
		rules: room.Rules{Capacity: 1000, Duplicates: contract.DuplicateReplace, MaxBytes: contract.MaxDocumentBytes},
	}
}

// request makes the next request of an edge.
func (h *house) request(edge string, ops ...contract.RoomOp) contract.RoomChange {
	h.n[edge]++
	return contract.RoomChange{
		App: token(h.t, "app"), Room: token(h.t, "hall"), Edge: token(h.t, edge), N: h.n[edge], Ops: ops,
	}
}

func (h *house) apply(batch ...contract.RoomChange) room.Outcome {
	var out room.Outcome
	h.state, out = h.state.Apply(batch, h.rules)
	return out
}

func (h *house) join(peer, identity string) contract.RoomOp {
	return contract.RoomOp{Kind: contract.OpJoin, Peer: token(h.t, peer), Identity: identity}
}

func (h *house) leave(peer string) contract.RoomOp {
	return contract.RoomOp{Kind: contract.OpLeave, Peer: token(h.t, peer), Reason: contract.ReasonLeft}
}

// story is the events in short: "1 joined ada", "2 left ada kicked".
func story(events []contract.RoomEvent) []string {
	var lines []string
	for _, e := range events {
		line := fmt.Sprintf("%d %s", e.Revision, e.Kind)
		if e.Member != nil {
			line += " " + e.Member.Peer.String()
		}
		if e.Kind == contract.EventLeft {
			line += " " + e.Peer.String() + " " + string(e.Reason)
		}
		lines = append(lines, line)
	}
	return lines
}

func peers(s room.State) string {
	var all []string
	for _, m := range s.Members() {
		all = append(all, m.Peer.String())
	}
	return strings.Join(all, " ")
}

func codes(results []contract.OpResult) []contract.Code {
	var all []contract.Code
	for _, r := range results {
		all = append(all, r.Code)
	}
	return all
}

func want(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestRoom_Join(t *testing.T) {
	t.Run("the epoch is the revision of the join", func(t *testing.T) {
		h := newHouse(t)
		out := h.apply(h.request("edge-1", h.join("p1", "ada"), h.join("p2", "bob")))
		want(t, "events", story(out.Events), []string{"1 joined p1", "2 joined p2"})
		want(t, "epoch of p2", h.state.Members()[1].Epoch, uint64(2))
		want(t, "edge of p2", h.state.Members()[1].Edge.String(), "edge-1")
		want(t, "revision", h.state.Revision(), uint64(2))
	})
	t.Run("a peer that is in joins again without an event", func(t *testing.T) {
		h := newHouse(t)
		h.apply(h.request("edge-1", h.join("p1", "ada")))
		out := h.apply(h.request("edge-1", h.join("p1", "ada")))
		want(t, "events", len(out.Events), 0)
		want(t, "codes", codes(out.Answers[0].Results), []contract.Code{""})
	})
	t.Run("a peer that left isn't let in again", func(t *testing.T) {
		h := newHouse(t)
		h.apply(h.request("edge-1", h.join("p1", "ada"), h.leave("p1")))
		out := h.apply(h.request("edge-1", h.join("p1", "ada")))
		want(t, "events", len(out.Events), 0)
		want(t, "members", peers(h.state), "")
	})
	t.Run("a locked room refuses", func(t *testing.T) {
		h := newHouse(t)
		h.apply(h.request("edge-1", h.join("p1", "ada"), contract.RoomOp{Kind: contract.OpLock}))
		out := h.apply(h.request("edge-2", h.join("p2", "bob")))
		want(t, "codes", codes(out.Answers[0].Results), []contract.Code{contract.CodeRoomLocked})
		h.apply(h.request("edge-1", contract.RoomOp{Kind: contract.OpUnlock}))
		out = h.apply(h.request("edge-2", h.join("p3", "bob")))
		want(t, "codes after unlock", codes(out.Answers[0].Results), []contract.Code{""})
	})
}

func TestRoom_Join_full(t *testing.T) {
	h := newHouse(t)
	h.rules.Capacity = 2
	out := h.apply(h.request("edge-1", h.join("p1", "ada"), h.join("p2", "bob"), h.join("p3", "cy")))
	want(t, "codes", codes(out.Answers[0].Results), []contract.Code{"", "", contract.CodeRoomFull})
	t.Run("replacing oneself needs no place", func(t *testing.T) {
		out := h.apply(h.request("edge-2", h.join("p4", "ada")))
		want(t, "events", story(out.Events), []string{"3 left p1 replaced", "4 joined p4"})
	})
	t.Run("who leaves makes a place", func(t *testing.T) {
		out := h.apply(h.request("edge-2", h.leave("p4"), h.join("p5", "cy")))
		want(t, "codes", codes(out.Answers[0].Results), []contract.Code{"", ""})
	})
}

func TestRoom_Join_duplicates(t *testing.T) {
	for _, c := range []struct {
		policy contract.DuplicatePolicy
		code   contract.Code
		events []string
		in     string
	}{
		{contract.DuplicateReplace, "", []string{"3 left p1 replaced", "4 joined p3"}, "p2 p3"},
		{contract.DuplicateReject, contract.CodeIdentityTaken, nil, "p1 p2"},
		{contract.DuplicateAllow, "", []string{"3 joined p3"}, "p1 p2 p3"},
	} {
		t.Run(string(c.policy), func(t *testing.T) {
			h := newHouse(t)
			h.rules.Duplicates = c.policy
			h.apply(h.request("edge-1", h.join("p1", "ada"), h.join("p2", "bob")))
			out := h.apply(h.request("edge-2", h.join("p3", "ada")))
			want(t, "codes", codes(out.Answers[0].Results), []contract.Code{c.code})
			want(t, "events", story(out.Events), c.events)
			want(t, "members", peers(h.state), c.in)
		})
	}
	t.Run("a stricter policy ends all earlier ones", func(t *testing.T) {
		h := newHouse(t)
		h.rules.Duplicates = contract.DuplicateAllow
		h.apply(h.request("edge-1", h.join("p1", "ada"), h.join("p2", "ada")))
		h.rules.Duplicates = contract.DuplicateReplace
		out := h.apply(h.request("edge-2", h.join("p3", "ada")))
		want(t, "events", story(out.Events), []string{"3 left p1 replaced", "4 left p2 replaced", "5 joined p3"})
		want(t, "epoch", h.state.Members()[0].Epoch, uint64(5))
	})
}

func TestRoom_Leave(t *testing.T) {
	h := newHouse(t)
	h.apply(h.request("edge-1", h.join("p1", "ada"), h.join("p2", "bob"), h.join("p3", "cy")))
	t.Run("with a reason", func(t *testing.T) {
		op := h.leave("p1")
		op.Reason = contract.ReasonExpired
		want(t, "events", story(h.apply(h.request("edge-1", op)).Events), []string{"4 left p1 expired"})
	})
	t.Run("twice is once", func(t *testing.T) {
		want(t, "events", len(h.apply(h.request("edge-1", h.leave("p1"))).Events), 0)
	})
	t.Run("kicked", func(t *testing.T) {
		out := h.apply(h.request("edge-2", contract.RoomOp{Kind: contract.OpKick, Peer: token(t, "p2")}))
		want(t, "events", story(out.Events), []string{"5 left p2 kicked"})
	})
	t.Run("the document remembers how", func(t *testing.T) {
		want(t, "departures", h.state.Document().Departures, []contract.Departure{
			{Peer: token(t, "p1"), Revision: 4, Reason: contract.ReasonExpired},
			{Peer: token(t, "p2"), Revision: 5, Reason: contract.ReasonKicked},
		})
	})
}

func TestRoom_Leave_remembersTheLastOnes(t *testing.T) {
	h := newHouse(t)
	for i := range contract.MaxDepartures + 6 {
		peer := fmt.Sprintf("p%d", i)
		h.apply(h.request("edge-1", h.join(peer, "ada"), h.leave(peer)))
	}
	departures := h.state.Document().Departures
	want(t, "departures", len(departures), contract.MaxDepartures)
	want(t, "the oldest", departures[0].Peer.String(), "p6")
	want(t, "the newest", departures[contract.MaxDepartures-1].Revision, h.state.Revision())
}

func TestRoom_Lock(t *testing.T) {
	h := newHouse(t)
	lock, unlock := contract.RoomOp{Kind: contract.OpLock}, contract.RoomOp{Kind: contract.OpUnlock}
	out := h.apply(h.request("edge-1", h.join("p1", "ada"), lock, lock, unlock, unlock, lock))
	want(t, "events", story(out.Events), []string{"1 joined p1", "2 locked", "3 unlocked", "4 locked"})
	t.Run("ends with the last member", func(t *testing.T) {
		out := h.apply(h.request("edge-1", h.leave("p1")))
		want(t, "events", story(out.Events), []string{"5 left p1 left", "6 unlocked"})
		want(t, "locked", h.state.Document().Locked, false)
	})
}

func TestRoom_Close(t *testing.T) {
	h := newHouse(t)
	h.apply(h.request("edge-1", h.join("p1", "ada"), h.join("p2", "bob"), h.leave("p1"), h.join("p3", "cy")))
	out := h.apply(h.request("edge-2", contract.RoomOp{Kind: contract.OpClose}))
	want(t, "events", story(out.Events), []string{"5 left p2 closed", "6 left p3 closed"})
	want(t, "members", len(h.state.Members()), 0)
	want(t, "a second close", len(h.apply(h.request("edge-2", contract.RoomOp{Kind: contract.OpClose})).Events), 0)
}

func TestRoom_Repeat(t *testing.T) {
	h := newHouse(t)
	h.rules.Capacity = 1
	first := h.request("edge-1", h.join("p1", "ada"), h.join("p2", "bob"))
	was := h.apply(first).Answers[0]
	t.Run("the last request is answered as it was", func(t *testing.T) {
		h.rules.Capacity = 10
		out := h.apply(first)
		want(t, "answer", out.Answers[0], room.Answer{Standing: room.Repeated, Results: was.Results, Revision: was.Revision})
		want(t, "events", len(out.Events), 0)
		want(t, "changed", out.Changed, false)
	})
	t.Run("an earlier one is stale", func(t *testing.T) {
		h.apply(h.request("edge-1", h.leave("p1")))
		want(t, "answer", h.apply(first).Answers[0], room.Answer{Standing: room.Stale})
		want(t, "members", peers(h.state), "")
	})
	t.Run("two copies in one batch are one", func(t *testing.T) {
		request := h.request("edge-1", h.join("p5", "eve"))
		out := h.apply(request, request)
		want(t, "events", len(out.Events), 1)
		want(t, "the second", out.Answers[1].Standing, room.Repeated)
	})
	t.Run("a request that did nothing is remembered, too", func(t *testing.T) {
		out := h.apply(h.request("edge-1", h.leave("nobody")))
		want(t, "changed", out.Changed, true)
		want(t, "n", h.state.Document().Writers["edge-1"].N, h.n["edge-1"])
	})
	t.Run("roomsvc's own are not recognised", func(t *testing.T) {
		own := contract.RoomChange{App: token(t, "app"), Room: token(t, "hall"), Ops: []contract.RoomOp{h.leave("p5")}}
		want(t, "the first", len(h.apply(own).Events), 1)
		out := h.apply(own)
		want(t, "the second", out.Changed, false)
		want(t, "standing", out.Answers[0].Standing, room.Applied)
	})
}

func TestRoom_Writers(t *testing.T) {
	h := newHouse(t)
	h.apply(h.request("edge-stays", h.join("stays", "ada")))
	for i := range room.MaxIdleWriters + 10 {
		edge, peer := fmt.Sprintf("edge-%d", i), fmt.Sprintf("p%d", i)
		h.apply(h.request(edge, h.join(peer, peer)))
		h.apply(h.request(edge, h.leave(peer)))
	}
	writers := h.state.Document().Writers
	want(t, "writers", len(writers), room.MaxIdleWriters+1)
	want(t, "the edge with a member", writers["edge-stays"].N, uint64(1))
	if _, kept := writers["edge-9"]; kept {
		t.Error("the oldest idle edge is kept")
	}
	if _, kept := writers["edge-10"]; !kept {
		t.Error("an edge among the newest idle ones is forgotten")
	}
}

func TestRoom_Writers_forgottenRefusals(t *testing.T) {
	h := newHouse(t)
	h.rules.Capacity = 1
	h.apply(h.request("edge-0", h.join("p0", "ada")))
	var requests []contract.RoomChange
	for e := range 3 {
		edge := fmt.Sprintf("edge-%d", e+1)
		ops := []contract.RoomOp{}
		for i := range room.MaxOps {
			ops = append(ops, h.join(fmt.Sprintf("%s-%014d", edge, i), "x"))
		}
		requests = append(requests, h.request(edge, ops...))
		h.apply(requests[e])
	}
	last := h.apply(requests[2]).Answers[0].Results
	want(t, "the newest refusal", last[999].Code, contract.CodeRoomFull)
	first := h.apply(requests[0]).Answers[0].Results
	want(t, "the oldest refusal", first[0].Code, contract.CodeUnavailable)
	want(t, "its text is there", first[0].Message != "", true)
}

func TestRoom_Bytes(t *testing.T) {
	h := newHouse(t)
	h.rules.MaxBytes = room.Reserve + 4<<10
	h.rules.Capacity = 1 << 20
	full := 0
	for i := range 60 {
		out := h.apply(h.request("edge-1", h.join(fmt.Sprintf("p%018d", i), strings.Repeat(`"`, 10))))
		h.rules.Duplicates = contract.DuplicateAllow
		if code := out.Answers[0].Results[0].Code; code == contract.CodeRoomFull {
			full++
		}
	}
	in := len(h.state.Members())
	want(t, "in and refused", in+full, 60)
	if in < 20 || full < 10 {
		t.Fatalf("%d are in, %d refused: the test doesn't reach the edge", in, full)
	}
	h.apply(h.request("edge-1", h.leave(h.state.Members()[0].Peer.String())))
	out := h.apply(h.request("edge-1", h.join("p-next", strings.Repeat(`"`, 10))))
	want(t, "after a leave", out.Answers[0].Results[0].Code, contract.Code(""))
}

func TestState_Decode(t *testing.T) {
	h := newHouse(t)
	op := h.join("p1", "a<b>&\u00e9\"\\")
	op.Capabilities.Rollback = true
	h.apply(h.request("edge-1", op, h.join("p2", "bob"), h.leave("p2"), contract.RoomOp{Kind: contract.OpLock}))
	value, err := h.state.Encode()
	if err != nil {
		t.Fatal(err)
	}
	app, hall := token(t, "app"), token(t, "hall")
	back, err := room.Decode(app, hall, value)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := back.Encode()
	want(t, "encoded again", string(got), string(value))
	for name, bad := range map[string]string{
		"not JSON":       `{`,
		"a newer format": strings.Replace(string(value), `"v":1`, `"v":2`, 1),
		"another room":   strings.Replace(string(value), `"room":"hall"`, `"room":"hole"`, 1),
		"no token":       strings.Replace(string(value), `"peer":"p1"`, `"peer":"p.1"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := room.Decode(app, hall, []byte(bad)); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestState_Apply_leavesTheStateAlone(t *testing.T) {
	h := newHouse(t)
	h.apply(h.request("edge-1", h.join("p1", "ada"), h.join("p2", "bob")), h.request("edge-2", h.join("p3", "cy")))
	before, _ := h.state.Encode()
	old := h.state
	h.apply(h.request("edge-2", h.leave("p1"), h.join("p4", "bob"), contract.RoomOp{Kind: contract.OpClose}))
	after, _ := old.Encode()
	want(t, "the old state", string(after), string(before))
	want(t, "its members", slices.Equal(old.Members(), h.state.Members()), false)
}
