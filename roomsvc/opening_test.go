package roomsvc

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/contract"
)

// reads counts how often anybody reads a document from now on.
func (s *stand) reads() (count func() int32) {
	s.t.Helper()
	var n atomic.Int32
	sub, err := s.nc.Subscribe("$JS.API.STREAM.MSG.GET."+contract.StreamOf(contract.BucketRooms), func(*nats.Msg) { n.Add(1) })
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = sub.Unsubscribe() })
	return func() int32 {
		s.t.Helper()
		if err := s.nc.Flush(); err != nil { // what came before an answer is counted
			s.t.Fatal(err)
		}
		return n.Load()
	}
}

func TestCommit_readsNothingThatItKnows(t *testing.T) {
	s := newStand(t)
	first := s.run(testConfig())
	one, two := s.door("edge-1"), s.door("edge-2")
	reads := s.reads()
	t.Run("a room that is new, and then its own commits", func(t *testing.T) {
		one.change(hall, join("ada", "Ada"))
		two.change(hall, join("bob", "Bob"))
		one.change(hall, leave("ada"))
		want(t, "reads", reads(), int32(0))
	})
	t.Run("what it finds at its start", func(t *testing.T) {
		first.stop()
		first = s.run(testConfig())
		two.change(hall, join("cy", "Cy"))
		want(t, "reads", reads(), int32(0))
	})
	t.Run("a room that somebody has written since is read", func(t *testing.T) {
		other := room.Ref{App: app, Room: token("other")}
		one.change(other, join("dan", "Dan"))
		docs, err := store.Open(t.Context(), s.js)
		if err != nil {
			t.Fatal(err)
		}
		state, stored, err := docs.Load(t.Context(), other)
		if err != nil {
			t.Fatal(err)
		}
		next, _ := state.Apply([]contract.RoomChange{{
			App: app, Room: other.Room, Edge: token("edge-1"), N: 99, Ops: []contract.RoomOp{join("eve", "Eve")},
		}}, DefaultConfig().rules())
		value, err := next.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := docs.Save(t.Context(), other, value, stored); err != nil {
			t.Fatal(err)
		}
		two.change(other, join("fay", "Fay"))
		want(t, "members", members(s.document(other)), "dan eve fay")
	})
}

func TestAnnounce_bringsTheMembersToANewEdge(t *testing.T) {
	s := newStand(t)
	s.run(testConfig())
	one, two, three := s.door("edge-1"), s.door("edge-2"), s.door("edge-3")
	brought := func(d *door) []int {
		var all []int
		for _, body := range d.heard(hall) {
			all = append(all, len(body.Members))
		}
		return all
	}
	one.change(hall, join("ada", "Ada"))
	two.change(hall, join("bob", "Bob"))
	two.change(hall, join("cy", "Cy"))
	want(t, "the first edge", brought(one), []int{1, 0, 0})
	want(t, "the second", brought(two), []int{2, 0})
	last := two.heard(hall)[0]
	want(t, "who", fmt.Sprint(last.Members[0].Identity, last.Members[1].Identity, last.Revision), "AdaBob2")
	t.Run("that comes back", func(t *testing.T) {
		one.change(hall, leave("ada"))
		one.change(hall, join("ada-2", "Ada"))
		want(t, "the first edge", brought(one), []int{1, 0, 0, 0, 3})
	})
	t.Run("not if they are many", func(t *testing.T) {
		for i := range maxOpening {
			two.change(hall, join(fmt.Sprint("p", i), fmt.Sprint("p", i)))
		}
		three.change(hall, join("zoe", "Zoe"))
		want(t, "the third edge", brought(three), []int{0})
	})
}
