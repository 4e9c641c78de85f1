package room_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

func TestBodies(t *testing.T) {
	h := newHouse(t)
	h.apply(h.request("edge-1", h.join("p0", "zoe")))
	var ops []contract.RoomOp
	for i := range 100 {
		op := h.join(fmt.Sprintf("p%d", i+1), fmt.Sprint("<", i))
		op.Presence = json.RawMessage(`{"note":"` + strings.Repeat("x", i*7%200) + `"}`)
		ops = append(ops, op)
	}
	out := h.apply(h.request("edge-1", ops...))
	for _, limit := range []int{1, 1000, 4096, 1 << 20} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			bodies, err := room.Bodies(out.Base, out.Events, limit)
			if err != nil {
				t.Fatal(err)
			}
			var events []contract.RoomEvent
			at := out.Base
			for _, b := range bodies {
				var read contract.RoomEvents
				if err := json.Unmarshal(b.JSON, &read); err != nil {
					t.Fatalf("body %s: %v", b.JSON, err)
				}
				if len(b.JSON) > limit && len(read.Events) > 1 {
					t.Errorf("%d bytes with %d events, the limit is %d", len(b.JSON), len(read.Events), limit)
				}
				want(t, "base", read.Base, at)
				want(t, "revision of the signal", b.Revision, read.Revision)
				want(t, "revision of the last event", read.Events[len(read.Events)-1].Revision, read.Revision)
				at = read.Revision
				events = append(events, read.Events...)
			}
			got, _ := json.Marshal(events)
			exp, _ := json.Marshal(out.Events)
			want(t, "events", string(got), string(exp))
			want(t, "end", at, h.state.Revision())
		})
	}
	t.Run("none", func(t *testing.T) {
		bodies, err := room.Bodies(7, nil, 100)
		if err != nil || len(bodies) != 0 {
			t.Errorf("got %v, %v, want nothing", bodies, err)
		}
	})
}

func TestBody_Opening(t *testing.T) {
	h := newHouse(t)
	out := h.apply(h.request("edge-1", h.join("p0", "<zoe>"), h.join("p1", "ada")))
	bodies, err := room.Bodies(out.Base, out.Events, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	before := string(bodies[0].JSON)
	opening, err := bodies[0].Opening(h.state.Members())
	if err != nil {
		t.Fatal(err)
	}
	var got, exp contract.RoomEvents
	for text, into := range map[string]*contract.RoomEvents{string(opening.JSON): &got, before: &exp} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("body %s: %v", text, err)
		}
	}
	exp.Members = h.state.Members()
	want(t, "what it says", got, exp)
	want(t, "revision of the signal", opening.Revision, uint64(2))
	want(t, "the body without them", string(bodies[0].JSON), before)
}

func TestNotice(t *testing.T) {
	var read contract.RoomEvents
	if err := json.Unmarshal(room.Notice(42).JSON, &read); err != nil {
		t.Fatal(err)
	}
	want(t, "notice", read, contract.RoomEvents{Base: 42, Revision: 42})
}
