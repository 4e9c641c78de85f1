package roomsvc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/natstest"
)

func TestCommit_aLostReply(t *testing.T) {
	s := newStand(t)
	s.run(testConfig())
	one, two := s.door("edge-1"), s.door("edge-2")
	two.change(hall, join("bob", "Bob"))
	lost := one.next(hall, join("ada", "Ada"), join("cy", "Cy"))
	if err := s.nc.PublishRequest(contract.SubjectRoomChange, s.nc.NewInbox(), lost); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is applied", func() (bool, any) {
		doc := s.document(hall)
		return doc.Revision == 3, doc
	})
	two.change(hall, leave("bob"))
	reply := one.ask(lost)
	want(t, "revision", reply.Revision, uint64(4))
	want(t, "results", reply.Results, []contract.OpResult{{}, {}})
	want(t, "members", members(s.document(hall)), "ada cy")
	t.Run("the edges are told once more that there is something", func(t *testing.T) {
		heard := one.heard(hall)
		want(t, "the last", heard[len(heard)-1], contract.RoomEvents{Base: 4, Revision: 4})
	})
	t.Run("a request before the last one gets no results", func(t *testing.T) {
		one.change(hall, leave("cy"))
		want(t, "reply", one.ask(lost), contract.RoomChanged{Revision: 5})
	})
}

func TestCommit_refusalsAreRepeated(t *testing.T) {
	s := newStand(t)
	cfg := testConfig()
	cfg.Capacity = 1
	s.run(cfg)
	d := s.door("edge-1")
	request := d.next(hall, join("ada", "Ada"), join("bob", "Bob"))
	first := d.ask(request)
	want(t, "codes", []contract.Code{first.Results[0].Code, first.Results[1].Code}, []contract.Code{"", contract.CodeRoomFull})
	want(t, "the second time", d.ask(request), first)
}

// crowd is several edges whose members join and leave one room at once.
type crowd struct {
	*stand
	doors []*door
	wg    sync.WaitGroup
}

// start lets every edge have peers join one by one, every third of which
// leaves again.
func (s *stand) crowd(edges, each int) *crowd {
	c := &crowd{stand: s}
	for e := range edges {
		d := s.door(fmt.Sprintf("edge-%d", e))
		c.doors = append(c.doors, d)
		c.wg.Go(func() {
			for i := range each {
				peer := fmt.Sprintf("p-%d-%d", e, i)
				d.change(hall, join(peer, peer))
				if i%3 == 0 {
					d.change(hall, leave(peer))
				}
			}
		})
	}
	return c
}

// check waits for the crowd and looks whether everything happened once.
func (c *crowd) check(each int) {
	c.t.Helper()
	c.wg.Wait()
	left := (each + 2) / 3
	doc := c.document(hall)
	want(c.t, "members", len(doc.Members), len(c.doors)*(each-left))
	want(c.t, "revision", doc.Revision, uint64(len(c.doors)*(each+left)))
	last := uint64(0)
	for _, m := range doc.Members {
		if m.Epoch <= last {
			c.t.Errorf("epoch %d follows %d", m.Epoch, last)
		}
		last = m.Epoch
	}
	events := map[uint64]string{}
	for _, d := range c.doors {
		c.checkLog(d, doc.Revision, events)
	}
}

// checkLog follows what an edge heard. The links of two roomsvcs aren't in
// order with each other, so an edge may have to read the document; but it must
// come to the end, and no two edges may hear different things of one revision.
func (c *crowd) checkLog(d *door, end uint64, events map[uint64]string) {
	c.t.Helper()
	at := uint64(0)
	for _, body := range d.heard(hall) {
		at = max(at, body.Revision)
		for i, e := range body.Events {
			what := fmt.Sprint(e.Kind, e.Peer, e.Reason)
			if e.Member != nil {
				what += fmt.Sprint(e.Member.Peer, e.Member.Epoch)
			}
			if known := events[e.Revision]; known != "" && known != what {
				c.t.Errorf("revision %d was told as %s and as %s", e.Revision, known, what)
			}
			events[e.Revision] = what
			if e.Revision != body.Base+uint64(i)+1 {
				c.t.Errorf("event %d of a body from %d is of revision %d", i, body.Base, e.Revision)
			}
		}
	}
	want(c.t, "the last revision in the log of "+d.id.String(), at, end)
}

// meddle writes the room's document as it is, again and again, so that many a
// compare-and-set meets another revision.
func (s *stand) meddle(ctx context.Context) {
	kv, err := s.js.KeyValue(ctx, contract.BucketRooms)
	if err != nil {
		return
	}
	pace := time.NewTicker(3 * time.Millisecond)
	defer pace.Stop()
	for ctx.Err() == nil {
		<-pace.C
		_, _ = bus.Update(ctx, kv, hall.Key(), func(current []byte, _ uint64) ([]byte, error) {
			if current == nil {
				return nil, bus.ErrUnchanged
			}
			return current, nil
		})
	}
}

func TestCommit_twoRoomsvcsAndConflicts(t *testing.T) {
	s := newStand(t)
	s.run(testConfig())
	s.run(testConfig())
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.meddle(ctx) })
	s.crowd(6, 15).check(15)
	stop()
	wg.Wait()
}

func TestCommit_aRoomsvcStops(t *testing.T) {
	s := newStand(t)
	first := s.run(testConfig())
	second := s.run(testConfig())
	c := s.crowd(4, 150)
	for _, r := range []*running{first, second} {
		before := s.revision()
		eventually(t, "the crowd moves on", func() (bool, any) {
			now := s.revision()
			return now > before+10, now
		})
		r.stop()
		if r == first {
			s.run(testConfig())
		}
	}
	c.check(150)
}

func TestCommit_natsRestarts(t *testing.T) {
	s := newStand(t)
	s.run(testConfig())
	s.run(testConfig())
	c := s.crowd(4, 100)
	for range 2 {
		before := s.revision()
		eventually(t, "the crowd moves on", func() (bool, any) {
			now := s.revision()
			return now > before+10, now
		})
		s.server = natstest.Restart(t, s.server)
	}
	c.check(100)
}

// revision is that of the hall, 0 while it has no document or nobody answers.
func (s *stand) revision() uint64 {
	kv, err := s.js.KeyValue(context.Background(), contract.BucketRooms)
	if err != nil {
		return 0
	}
	var doc contract.RoomDocument
	value, _, err := bus.Get(context.Background(), kv, hall.Key())
	if err != nil || json.Unmarshal(value, &doc) != nil {
		return 0
	}
	return doc.Revision
}

func TestCommit_aDocumentThatCantBeRead(t *testing.T) {
	s := newStand(t)
	s.run(testConfig())
	kv, err := s.js.KeyValue(t.Context(), contract.BucketRooms)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), hall.Key(), []byte(`{"v":99}`)); err != nil {
		t.Fatal(err)
	}
	d := s.door("edge-1")
	reply := d.ask(d.next(hall, join("ada", "Ada")))
	if reply.Error == nil || reply.Error.Code != contract.CodeInternal {
		t.Errorf("got %+v, want %s", reply, contract.CodeInternal)
	}
	other := room.Ref{App: app, Room: token("other")}
	want(t, "another room", d.change(other, join("ada", "Ada")).Revision, uint64(1))
}

func TestCommit_aFullLog(t *testing.T) {
	s := newStand(t)
	cfg := testConfig()
	cfg.Shards = 1
	cfg.SignalsMaxBytes, cfg.SignalsBytesPerSecond = 1<<20, 8<<10
	s.run(cfg)
	d := s.door("edge-1")
	filler, err := jetstream.New(s.nc)
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := filler.Publish(t.Context(), "$KV.signals-0.x.y", make([]byte, 100<<10)); err != nil {
			break
		}
	}
	for {
		if _, err := filler.Publish(t.Context(), "$KV.signals-0.x.y", []byte("x")); err != nil {
			break
		}
	}
	told, err := s.nc.SubscribeSync(contract.EventsFor(d.id))
	if err != nil {
		t.Fatal(err)
	}
	request := d.next(hall, join("ada", "Ada"))
	if err := s.nc.PublishRequest(contract.SubjectRoomChange, s.nc.NewInbox(), request); err != nil {
		t.Fatal(err)
	}
	m, err := told.NextMsg(10 * time.Second)
	if err != nil {
		t.Fatalf("the edge isn't told that it misses an event: %v", err)
	}
	want(t, "what it is told", string(m.Data), `{"rooms":[{"app":"app","room":"hall","revision":1}]}`)
	want(t, "revision", s.revision(), uint64(1))
	stream, err := s.js.Stream(t.Context(), "KV_signals-0")
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, "answered when there is room", d.ask(request), contract.RoomChanged{Revision: 1, Results: []contract.OpResult{{}}})
	want(t, "what it heard", d.heard(hall), []contract.RoomEvents{{Base: 1, Revision: 1}})
}

// idle is a committer whose rooms have no goroutine: what is submitted waits.
func idle(cfg Config) *committer {
	c := newCommitter(cfg, nil, index.New(), newPolicies(cfg.rules()), nil, nil)
	c.rooms[hall] = nil
	return c
}

func submit(c *committer, n uint64, ops int) (reply **contract.RoomChanged) {
	reply = new(*contract.RoomChanged)
	c.submit(&ask{
		change: contract.RoomChange{App: hall.App, Room: hall.Room, N: n, Ops: make([]contract.RoomOp, ops)},
		bytes:  1 << 10,
		done:   func(r *contract.RoomChanged, _ string) { *reply = r },
	})
	return reply
}

func TestCommitter_bounds(t *testing.T) {
	for name, change := range map[string]func(c *Config){
		"of a room": func(c *Config) { c.MaxPendingRoom = 3 },
		"of all":    func(c *Config) { c.MaxPending = 3 },
		"of bytes":  func(c *Config) { c.MaxPendingBytes = 3 << 10 },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			change(&cfg)
			c := idle(cfg)
			for range 3 {
				if reply := *submit(c, 1, 1); reply != nil {
					t.Fatalf("within the bound: got %+v", reply)
				}
			}
			reply := *submit(c, 1, 1)
			if reply == nil || reply.Error.Code != contract.CodeUnavailable || reply.Error.RetryAfter == 0 {
				t.Fatalf("over the bound: got %+v", reply)
			}
			for _, a := range c.take(hall, standing{}) {
				a.answer(&contract.RoomChanged{}, outcomeDone)
			}
			if reply := *submit(c, 1, 1); reply != nil {
				t.Errorf("after the answers: got %+v", reply)
			}
		})
	}
}

func TestCommitter_take(t *testing.T) {
	c := idle(testConfig())
	for i, ops := range []int{600, 400, 1, room.MaxOps, 5, 5} {
		submit(c, uint64(i), ops)
	}
	for _, exp := range [][]uint64{{0, 1}, {2}, {3}, {4, 5}} {
		var got []uint64
		for _, a := range c.take(hall, standing{}) {
			got = append(got, a.change.N)
		}
		want(t, "group", got, exp)
	}
	if group := c.take(hall, standing{}); group != nil {
		t.Errorf("got %v, want none", group)
	}
	if _, running := c.rooms[hall]; running {
		t.Error("the room still counts as running")
	}
}

func TestCommitter_aPanicIsAnswered(t *testing.T) {
	cfg := testConfig()
	c := newCommitter(cfg, nil, index.New(), newPolicies(cfg.rules()), nil, nil) // no store: a commit panics
	err := c.apply(t.Context(), hall, []contract.RoomOp{leave("ada")})
	if err == nil || err.Error() != "internal: roomsvc failed: see its log" {
		t.Errorf("got %v", err)
	}
	c.wg.Wait()
}

func TestStandings(t *testing.T) {
	var s standings
	for i := range keptRooms + 10 {
		ref := room.Ref{App: app, Room: token(fmt.Sprint("room-", i))}
		state, _ := room.New(ref.App, ref.Room).Apply([]contract.RoomChange{{
			App: ref.App, Room: ref.Room, Edge: token("edge-1"), N: 1, Ops: []contract.RoomOp{join("ada", "Ada")},
		}}, DefaultConfig().rules())
		s.keep(ref, standing{known: true, fresh: true, state: state, stored: uint64(i + 1)})
	}
	want(t, "rooms", len(s.rooms), keptRooms)
	want(t, "members", s.members, keptRooms)
	for ref := range s.rooms {
		at := s.take(ref)
		want(t, "what is kept", at.known && !at.fresh && at.stored > 0, true)
		want(t, "a second time", s.take(ref), standing{})
		break
	}
	want(t, "members after it", s.members, keptRooms-1)
	s.keep(hall, standing{})
	want(t, "rooms with one that isn't known", len(s.rooms), keptRooms-1)
}

func TestCommitter_giveUp(t *testing.T) {
	timeout := fmt.Errorf("load room: %w", context.DeadlineExceeded)
	for name, c := range map[string]struct {
		last *try
		err  error
		code contract.Code // "": no answer
	}{
		"nothing was written":             {nil, timeout, contract.CodeUnavailable},
		"something may have been written": {&try{}, timeout, ""},
		"it can't be written":             {nil, errors.New("broken"), contract.CodeInternal},
		"nor after one that may have":     {&try{}, errors.New("broken"), ""},
		"there is no document any more":   {&try{}, fmt.Errorf("load room: %w", store.ErrUnreadable), contract.CodeInternal},
	} {
		t.Run(name, func(t *testing.T) {
			co := idle(testConfig())
			answered, reply := false, (*contract.RoomChanged)(nil)
			group := []*ask{{done: func(r *contract.RoomChanged, _ string) { answered, reply = true, r }}}
			want(t, "standing", co.giveUp(hall, group, c.last, c.err), standing{})
			want(t, "the ask has ended", answered, true)
			if c.code == "" {
				want(t, "reply", reply, (*contract.RoomChanged)(nil))
			} else if reply == nil || reply.Error == nil || reply.Error.Code != c.code {
				t.Errorf("reply: got %+v, want %s", reply, c.code)
			}
		})
	}
}

func TestTry_is(t *testing.T) {
	rules := DefaultConfig().rules()
	before := room.New(hall.App, hall.Room)
	asked := func(edge string, n uint64) []contract.RoomChange {
		return []contract.RoomChange{{App: hall.App, Room: hall.Room, Edge: token(edge), N: n, Ops: []contract.RoomOp{join("ada", "Ada")}}}
	}
	next, out := before.Apply(asked("edge-1", 1), rules)
	value, err := next.Encode()
	if err != nil {
		t.Fatal(err)
	}
	tried := &try{before: before, next: next, value: value, out: out}
	read, err := room.Decode(hall.App, hall.Room, value)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := before.Apply(asked("edge-2", 1), rules)
	later, _ := next.Apply(asked("edge-1", 2), rules)
	want(t, "what it wrote", tried.is(read), true)
	want(t, "what was there before", tried.is(before), false)
	want(t, "another write of the same revision", tried.is(other), false)
	want(t, "a later write without an event", tried.is(later), false)
}
