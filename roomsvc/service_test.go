package roomsvc

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/embednats"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/link"
	"github.com/parley-rtc/parley/services/natstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// stand is NATS with a connection of the test's own.
type stand struct {
	t      testing.TB
	server *embednats.Server
	nc     *nats.Conn
	js     jetstream.JetStream
}

func newStand(t testing.TB) *stand {
	t.Helper()
	server := natstest.Start(t)
	nc := natstest.Connect(t, server)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return &stand{t, server, nc, js}
}

// testConfig has small reservations, and leases that last: few of the tests'
// edges renew one.
func testConfig() Config {
	cfg := DefaultConfig()
	cfg.Shards = 3
	cfg.SignalsMaxBytes, cfg.SignalsBytesPerSecond = 64<<20, 256<<10
	cfg.SweepInterval = 20 * time.Millisecond
	cfg.Listen = ""
	return cfg
}

// running is a roomsvc of its own connection.
type running struct {
	t      testing.TB
	health *lifecycle.Health
	cancel context.CancelFunc
	done   chan error
}

// run starts a roomsvc and waits until it is ready. It ends with the test.
func (s *stand) run(cfg Config) *running {
	s.t.Helper()
	r := s.launch(cfg, natstest.Connect(s.t, s.server))
	eventually(s.t, "roomsvc is ready", func() (bool, any) { return r.health.Ready() })
	return r
}

func (s *stand) launch(cfg Config, nc *nats.Conn) *running {
	s.t.Helper()
	r := &running{t: s.t, health: lifecycle.NewHealth(), done: make(chan error, 1)}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(lifecycle.WithHealth(context.Background(), r.health))
	r.health.Set(checkRequests, lifecycle.ErrStarting)
	go func() { r.done <- Run(ctx, cfg, nc) }()
	s.t.Cleanup(r.stop)
	return r
}

// stop ends it and waits. It may be called twice.
func (r *running) stop() {
	r.t.Helper()
	r.cancel()
	if err := <-r.done; err != nil {
		r.t.Errorf("roomsvc ended with %v", err)
	}
	r.done <- nil
}

// eventually waits for a condition that something else brings about.
func eventually(t testing.TB, what string, is func() (bool, any)) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		ok, last := is()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s, but %v", what, last)
		}
		<-time.After(2 * time.Millisecond)
	}
}

func token(text string) contract.Token {
	parsed, err := contract.ParseToken(text)
	if err != nil {
		panic(err)
	}
	return parsed
}

var (
	app  = token("app")
	hall = room.Ref{App: app, Room: token("hall")}
)

func want(t testing.TB, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// door is an edge as roomsvc sees one: it asks, and reads its log.
type door struct {
	*stand
	id contract.Token
	n  uint64
}

func (s *stand) door(id string) *door { return &door{stand: s, id: token(id)} }

func join(peer, identity string) contract.RoomOp {
	return contract.RoomOp{Kind: contract.OpJoin, Peer: token(peer), Identity: identity}
}

func leave(peer string) contract.RoomOp {
	return contract.RoomOp{Kind: contract.OpLeave, Peer: token(peer), Reason: contract.ReasonLeft}
}

// next makes the door's next request.
func (d *door) next(ref room.Ref, ops ...contract.RoomOp) []byte {
	d.t.Helper()
	d.n++
	data, err := json.Marshal(contract.RoomChange{App: ref.App, Room: ref.Room, Edge: d.id, N: d.n, Ops: ops})
	if err != nil {
		d.t.Fatal(err)
	}
	return data
}

// ask sends a request until it is answered, as an edge does.
func (d *door) ask(request []byte) contract.RoomChanged {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	for {
		m, err := bus.Request(ctx, d.nc, contract.SubjectRoomChange, nil, request)
		if err != nil {
			d.t.Errorf("request: %v", err)
			return contract.RoomChanged{}
		}
		var reply contract.RoomChanged
		if err := json.Unmarshal(m.Data, &reply); err != nil {
			d.t.Errorf("reply %s: %v", m.Data, err)
			return reply
		}
		if reply.Error == nil || reply.Error.Code != contract.CodeUnavailable {
			return reply
		}
	}
}

// change asks for operations and expects them to be done.
func (d *door) change(ref room.Ref, ops ...contract.RoomOp) contract.RoomChanged {
	d.t.Helper()
	reply := d.ask(d.next(ref, ops...))
	if reply.Error != nil {
		d.t.Errorf("change: %v", reply.Error.Err())
	}
	for i, r := range reply.Results {
		if r.Code != "" {
			d.t.Errorf("operation %d: %s: %s", i, r.Code, r.Message)
		}
	}
	return reply
}

// document reads a room.
func (s *stand) document(ref room.Ref) contract.RoomDocument {
	s.t.Helper()
	kv, err := bus.OpenBucket(context.Background(), s.js, contract.BucketRooms) // NATS may be on its way back
	if err != nil {
		s.t.Fatal(err)
	}
	value, _, err := bus.Get(context.Background(), kv, ref.Key())
	if err != nil {
		s.t.Fatal(err)
	}
	var doc contract.RoomDocument
	if err := json.Unmarshal(value, &doc); err != nil {
		s.t.Fatal(err)
	}
	return doc
}

func members(doc contract.RoomDocument) string {
	var all []string
	for _, m := range doc.Members {
		all = append(all, m.Peer.String())
	}
	return strings.Join(all, " ")
}

// heard is what stands in the log for an edge, about one room.
func (d *door) heard(ref room.Ref) []contract.RoomEvents {
	d.t.Helper()
	ctx := context.Background()
	log, err := link.OpenLog(ctx, d.js)
	if err != nil {
		d.t.Fatal(err)
	}
	stream := log.Stream(d.id)
	subject := contract.SignalsFor(log.Shard(d.id), d.id)
	var all []contract.RoomEvents
	for from := uint64(1); ; {
		m, err := stream.GetMsg(ctx, from, jetstream.WithGetMsgSubject(subject))
		if err != nil {
			return all // the end of the log
		}
		all = append(all, events(d.t, ref, m.Data)...)
		from = m.Sequence + 1
	}
}

func events(t testing.TB, ref room.Ref, entry []byte) []contract.RoomEvents {
	t.Helper()
	r, err := contract.ReadEntry(entry)
	if err != nil {
		t.Fatal(err)
	}
	var all []contract.RoomEvents
	for {
		more, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return all
		}
		var signal contract.Signal
		if err := r.Signal(&signal); err != nil {
			t.Fatal(err)
		}
		if string(signal.App)+"."+string(signal.Room) != ref.Key() || signal.Kind != contract.KindEvent || signal.Seq != 0 {
			continue
		}
		var body contract.RoomEvents
		if err := json.Unmarshal(signal.Body, &body); err != nil {
			t.Fatal(err)
		}
		if body.Revision != signal.Revision {
			t.Errorf("signal of revision %d has a body of %d", signal.Revision, body.Revision)
		}
		all = append(all, body)
	}
}

// follow applies what was heard as an edge does, and returns the revision it
// comes to and the events that it saw, each of which must come once.
func follow(t testing.TB, heard []contract.RoomEvents, from uint64) (at uint64, seen []contract.RoomEvent) {
	t.Helper()
	at = from
	for _, body := range heard {
		if body.Revision <= at || len(body.Events) == 0 {
			continue
		}
		if body.Base > at {
			t.Fatalf("events from %d to %d at %d: there is a hole", body.Base, body.Revision, at)
		}
		for _, e := range body.Events {
			if e.Revision <= at {
				continue
			}
			if e.Revision != at+1 {
				t.Fatalf("event %d follows %d", e.Revision, at)
			}
			at = e.Revision
			seen = append(seen, e)
		}
	}
	return at, seen
}

func TestRun_aRoomFromJoinToClose(t *testing.T) {
	s := newStand(t)
	s.run(testConfig())
	one, two := s.door("edge-1"), s.door("edge-2")
	ada := join("ada", "Ada")
	ada.Presence = json.RawMessage(`{"mood":"fine"}`)
	want(t, "revision", one.change(hall, ada).Revision, uint64(1))
	two.change(hall, join("bob", "Bob"))
	one.change(hall, contract.RoomOp{Kind: contract.OpLock})
	refusal := two.ask(two.next(hall, join("cy", "Cy")))
	want(t, "join of a locked room", refusal.Results[0].Code, contract.CodeRoomLocked)
	two.change(hall, contract.RoomOp{Kind: contract.OpUnlock})
	one.change(hall, contract.RoomOp{Kind: contract.OpKick, Peer: token("bob")})
	two.change(hall, join("cy", "Cy"))
	last := one.change(hall, contract.RoomOp{Kind: contract.OpClose})
	want(t, "last revision", last.Revision, uint64(8))
	want(t, "members", members(s.document(hall)), "")

	at, seen := follow(t, one.heard(hall), 0)
	want(t, "edge-1 is at", at, uint64(8))
	var story []string
	for _, e := range seen {
		story = append(story, fmt.Sprint(e.Kind, e.Peer, e.Reason))
	}
	want(t, "edge-1 heard", story, []string{
		"joined", "joined", "locked", "unlocked", "leftbobkicked", "joined", "leftadaclosed", "leftcyclosed",
	})
	want(t, "presence of ada", string(seen[0].Presence), `{"mood":"fine"}`)
	at, _ = follow(t, two.heard(hall), 1)
	want(t, "edge-2 is at", at, uint64(8))
}

func TestRun_aThousandMembers(t *testing.T) {
	s := newStand(t)
	s.run(testConfig())
	const edges, each, batch = 5, 200, 25
	doors := make([]*door, edges)
	var wg sync.WaitGroup
	for e := range doors {
		d := s.door(fmt.Sprintf("edge-%d", e))
		doors[e] = d
		wg.Go(func() {
			for from := 0; from < each; from += batch {
				var ops []contract.RoomOp
				for i := from; i < from+batch; i++ {
					ops = append(ops, join(fmt.Sprintf("p-%d-%d", e, i), fmt.Sprintf("user %d of edge %d", i, e)))
				}
				d.change(hall, ops...)
			}
		})
	}
	wg.Wait()
	doc := s.document(hall)
	want(t, "members", len(doc.Members), edges*each)
	want(t, "revision", doc.Revision, uint64(edges*each))
	for i, m := range doc.Members {
		if m.Epoch != uint64(i+1) {
			t.Fatalf("epoch of member %d: got %d, want %d", i, m.Epoch, i+1)
		}
	}
	for _, d := range doors {
		heard := d.heard(hall)
		first := heard[0].Base // of the commit that brought the edge's first members
		at, seen := follow(t, heard, first)
		want(t, "the edge is at", at, doc.Revision)
		count := 0
		for _, body := range heard {
			count += len(body.Events)
		}
		want(t, "events in its log", count, len(seen))
	}
	t.Run("the next one finds it full", func(t *testing.T) {
		reply := doors[0].ask(doors[0].next(hall, join("one-more", "One More")))
		want(t, "code", reply.Results[0].Code, contract.CodeRoomFull)
	})
	t.Run("all leave at once", func(t *testing.T) {
		reply := doors[1].change(hall, contract.RoomOp{Kind: contract.OpClose})
		want(t, "revision", reply.Revision, uint64(2*edges*each))
		for _, d := range doors {
			heard := d.heard(hall)
			at, _ := follow(t, heard, heard[0].Base)
			want(t, "the edge is at", at, reply.Revision)
		}
	})
}

func TestRun_policiesOfAnApp(t *testing.T) {
	s := newStand(t)
	s.run(testConfig())
	kv, err := s.js.KeyValue(t.Context(), contract.BucketApps)
	if err != nil {
		t.Fatal(err)
	}
	put := func(r contract.AppRecord) {
		t.Helper()
		value, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Put(t.Context(), app.String(), value); err != nil {
			t.Fatal(err)
		}
	}
	d := s.door("edge-1")
	d.change(hall, join("ada-1", "Ada"))
	put(contract.AppRecord{App: app, Duplicates: contract.DuplicateReject})
	i := 0
	eventually(t, "duplicates are rejected", func() (bool, any) {
		i++
		reply := d.ask(d.next(hall, join(fmt.Sprintf("ada-a%d", i), "Ada")))
		return reply.Results[0].Code == contract.CodeIdentityTaken, reply
	})
	put(contract.AppRecord{App: app, Duplicates: contract.DuplicateAllow, Capacity: 3})
	eventually(t, "the third one is allowed, the fourth isn't", func() (bool, any) {
		i++
		reply := d.ask(d.next(hall, join(fmt.Sprintf("ada-b%d", i), "Ada")))
		return reply.Results[0].Code == contract.CodeRoomFull, reply
	})
	want(t, "members", len(s.document(hall).Members), 3)
	other := room.Ref{App: token("other"), Room: hall.Room}
	d.change(other, join("o1", "Ada"), join("o2", "Bob"), join("o3", "Cy"), join("o4", "Di"))
	want(t, "members of another app's room", len(s.document(other).Members), 4)
	d.change(other, join("o5", "Ada"))
	want(t, "with its duplicate replaced", len(s.document(other).Members), 4)
}

func TestRun_theDocumentsSize(t *testing.T) {
	s := newStand(t)
	cfg := testConfig()
	cfg.Capacity = 100_000
	s.run(cfg)
	d := s.door("edge-1")
	in, full := 0, 0
	for from := 0; full == 0 && from < 10_000; from += 500 {
		var ops []contract.RoomOp
		for i := from; i < from+500; i++ {
			ops = append(ops, join(fmt.Sprintf("p%d", i), fmt.Sprintf("%0*d", contract.MaxIDBytes, i)))
		}
		for _, r := range d.ask(d.next(hall, ops...)).Results {
			switch r.Code {
			case "":
				in++
			case contract.CodeRoomFull:
				full++
			default:
				t.Fatalf("got %v", r)
			}
		}
	}
	if full == 0 || in < 1000 {
		t.Errorf("%d are in and %d refused, want over 1000 and some", in, full)
	}
	want(t, "members", len(s.document(hall).Members), in)
	kv, err := s.js.KeyValue(t.Context(), contract.BucketRooms)
	if err != nil {
		t.Fatal(err)
	}
	value, _, err := bus.Get(t.Context(), kv, hall.Key())
	if err != nil || len(value) > contract.MaxDocumentBytes || len(value) < contract.MaxDocumentBytes/2 {
		t.Errorf("the document has %d bytes of %d, %v", len(value), contract.MaxDocumentBytes, err)
	}
}

func TestRun_tellsRevisions(t *testing.T) {
	s := newStand(t)
	cfg := testConfig()
	cfg.TellInterval = 100 * time.Millisecond
	s.run(cfg)
	d := s.door("edge-1")
	sub, err := s.nc.SubscribeSync(contract.EventsFor(d.id))
	if err != nil {
		t.Fatal(err)
	}
	d.change(hall, join("ada", "Ada"), join("bob", "Bob"))
	for {
		m, err := sub.NextMsg(10 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		var told contract.Revisions
		if err := json.Unmarshal(m.Data, &told); err != nil {
			t.Fatal(err)
		}
		if len(told.Rooms) == 1 && told.Rooms[0] == (contract.RoomRevision{App: hall.App, Room: hall.Room, Revision: 2}) {
			return
		}
	}
}

func TestRun_refreshesDocuments(t *testing.T) {
	s := newStand(t)
	cfg := testConfig()
	cfg.RefreshInterval = time.Second
	s.run(cfg)
	d := s.door("edge-1")
	full, empty := hall, room.Ref{App: app, Room: token("empty")}
	d.change(full, join("ada", "Ada"))
	d.change(empty, join("bob", "Bob"))
	d.change(empty, leave("bob"))
	kv, err := s.js.KeyValue(t.Context(), contract.BucketRooms)
	if err != nil {
		t.Fatal(err)
	}
	stored := func(ref room.Ref) (string, uint64) {
		value, revision, err := bus.Get(t.Context(), kv, ref.Key())
		if err != nil {
			t.Fatal(err)
		}
		return string(value), revision
	}
	value, first := stored(full)
	_, tombstone := stored(empty)
	eventually(t, "it is written again twice", func() (bool, any) {
		_, now := stored(full)
		return now >= first+2, now
	})
	again, _ := stored(full)
	want(t, "the document", again, value)
	_, still := stored(empty)
	want(t, "the tombstone's revision", still, tombstone)
}

func TestRun_restart(t *testing.T) {
	s := newStand(t)
	cfg := testConfig()
	cfg.TellInterval = 100 * time.Millisecond
	first := s.run(cfg)
	d := s.door("edge-1")
	d.change(hall, join("ada", "Ada"))
	request := d.next(hall, join("bob", "Bob"))
	d.ask(request)
	first.stop()
	s.run(cfg)
	t.Run("it knows which edge is in which room", func(t *testing.T) {
		sub, err := s.nc.SubscribeSync(contract.EventsFor(d.id))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sub.NextMsg(10 * time.Second); err != nil {
			t.Error(err)
		}
	})
	t.Run("a request that the other process applied is known", func(t *testing.T) {
		want(t, "revision", d.ask(request).Revision, uint64(2))
		want(t, "members", members(s.document(hall)), "ada bob")
	})
	t.Run("it goes on", func(t *testing.T) {
		want(t, "revision", d.change(hall, leave("ada")).Revision, uint64(3))
	})
}

func TestRun_endsBeforeJetStreamIsThere(t *testing.T) {
	s := newStand(t)
	nc := natstest.Connect(t, s.server)
	s.server.Shutdown()
	r := s.launch(testConfig(), nc)
	eventually(t, "it says what it waits for", func() (bool, any) {
		_, checks := r.health.Ready()
		return strings.Contains(checks[checkBuckets], "make stream KV_signals-0"), checks
	})
	r.stop()
}

func TestRun_refusesABadConfiguration(t *testing.T) {
	cfg := testConfig()
	cfg.SignalsMaxBytes = 1
	s := newStand(t)
	err := Run(t.Context(), cfg, s.nc)
	if err == nil || !strings.Contains(err.Error(), "signals_max_bytes") {
		t.Errorf("got %v, want an error about signals_max_bytes", err)
	}
}
