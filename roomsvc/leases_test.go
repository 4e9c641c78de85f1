package roomsvc

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/natstest"
)

// leaseConfig has leases that are out after 400 ms, and members that leave 1 s
// later.
func leaseConfig() Config {
	cfg := testConfig()
	cfg.LeaseTimeout = 400 * time.Millisecond
	cfg.ResumeWindow = time.Second
	return cfg
}

// renew renews the door's lease until stop is called.
func (d *door) renew() (stop func()) {
	d.t.Helper()
	kv, err := d.js.KeyValue(context.Background(), contract.BucketEdges)
	if err != nil {
		d.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		pace := time.NewTicker(50 * time.Millisecond)
		defer pace.Stop()
		for lease := (contract.EdgeLease{Edge: d.id}); ctx.Err() == nil; lease.Renewal++ {
			if value, err := json.Marshal(lease); err == nil {
				_, _ = kv.Put(ctx, d.id.String(), value) // fails while NATS is away
			}
			<-pace.C
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	d.t.Cleanup(stop)
	return stop
}

// record writes a member's record with the given trail.
func (d *door) record(peer string, state contract.MemberState, trail ...string) {
	d.t.Helper()
	kv, err := d.js.KeyValue(context.Background(), contract.BucketMembers)
	if err != nil {
		d.t.Fatal(err)
	}
	r := contract.MemberRecord{Peer: token(peer), State: state, Incarnation: uint64(len(trail)), Version: 1}
	for _, edge := range trail {
		r.Trail = append(r.Trail, token(edge))
		r.Edge = token(edge)
	}
	value, err := json.Marshal(r)
	if err != nil {
		d.t.Fatal(err)
	}
	if _, err := kv.Put(context.Background(), contract.MemberKey(hall.App, hall.Room, r.Peer), value); err != nil {
		d.t.Fatal(err)
	}
}

func (s *stand) stateOf(peer string) string {
	s.t.Helper()
	kv, err := s.js.KeyValue(context.Background(), contract.BucketMembers)
	if err != nil {
		s.t.Fatal(err)
	}
	entry, err := kv.Get(context.Background(), contract.MemberKey(hall.App, hall.Room, token(peer)))
	if err != nil {
		return "none"
	}
	var r contract.MemberRecord
	if err := json.Unmarshal(entry.Value(), &r); err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSuffix(string(r.State)+" "+string(r.Reason), " ")
}

func (s *stand) membersBecome(wanted string) {
	s.t.Helper()
	eventually(s.t, "the members are "+wanted, func() (bool, any) {
		got := members(s.document(hall))
		return got == wanted, got
	})
}

func TestLease_out(t *testing.T) {
	s := newStand(t)
	s.run(leaseConfig())
	s.run(leaseConfig()) // both sweep
	lives, dies, moved := s.door("edge-lives"), s.door("edge-dies"), s.door("edge-new")
	lives.renew()
	moved.renew()
	stop := dies.renew()
	lives.record("ada", contract.StateHere, "edge-lives")
	lives.change(hall, join("ada", "Ada"))
	dies.record("bob", contract.StateHere, "edge-dies")
	dies.record("cy", contract.StateHere, "edge-dies")
	dies.change(hall, join("bob", "Bob"), join("cy", "Cy"), join("di", "Di"), join("eve", "Eve"))
	dies.record("eve", contract.StateGone, "edge-dies")
	moved.record("cy", contract.StateHere, "edge-dies", "edge-new")
	want(t, "members while the edge lives", members(s.document(hall)), "ada bob cy di eve")
	stop()
	s.membersBecome("ada cy")
	want(t, "bob's record", s.stateOf("bob"), "gone expired")
	want(t, "cy's record", s.stateOf("cy"), "here")
	want(t, "ada's record", s.stateOf("ada"), "here")
	doc := s.document(hall)
	want(t, "revision: each left once", doc.Revision, uint64(8))
	for _, d := range doc.Departures {
		want(t, "reason of "+d.Peer.String(), d.Reason, contract.ReasonExpired)
	}
	for _, d := range []*door{lives, moved} {
		eventually(t, d.id.String()+" hears of it", func() (bool, any) {
			heard := d.heard(hall)
			return len(heard) > 0 && heard[len(heard)-1].Revision == 8, heard
		})
	}
}

// TestLease_whatOthersHaveCounted has a roomsvc hear that a lease stood still for all
// of a wait of an hour: it looks for the time of the lease itself.
func TestLease_whatOthersHaveCounted(t *testing.T) {
	s := newStand(t)
	cfg := leaseConfig()
	cfg.ResumeWindow = time.Hour
	cfg.SignalsBytesPerSecond = 1
	s.run(cfg)
	d := s.door("edge-1")
	stop := d.renew()
	d.change(hall, join("ada", "Ada"))
	told, err := s.nc.SubscribeSync(contract.SubjectStandstill)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	m, err := told.NextMsg(10 * time.Second)
	if err != nil {
		t.Fatalf("nobody tells that a lease stands still: %v", err)
	}
	var one contract.Standstill
	if err := json.Unmarshal(m.Data, &one); err != nil {
		t.Fatal(err)
	}
	if len(one.Leases) != 1 || one.Leases[0].Edge != d.id || one.Leases[0].Milliseconds < cfg.LeaseTimeout.Milliseconds() {
		t.Fatalf("told: %s", m.Data)
	}
	one.Leases[0].Milliseconds = time.Hour.Milliseconds()
	text, err := json.Marshal(one)
	if err == nil {
		err = s.nc.Publish(contract.SubjectStandstill, text)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.membersBecome("")
}

func TestLease_never(t *testing.T) {
	s := newStand(t)
	s.run(leaseConfig())
	d := s.door("edge-1")
	d.change(hall, join("ada", "Ada"))
	s.membersBecome("")
}

func TestLease_backInTheResumeWindow(t *testing.T) {
	s := newStand(t)
	cfg := leaseConfig()
	cfg.ResumeWindow = 2 * time.Second
	s.run(cfg)
	d, other := s.door("edge-1"), s.door("edge-2")
	stop := d.renew()
	d.change(hall, join("ada", "Ada"))
	stop()
	other.change(hall, join("bob", "Bob")) // never renews: its end tells the time
	<-time.After(cfg.LeaseTimeout + cfg.ResumeWindow/2)
	d.renew()
	s.membersBecome("ada")
	third := s.door("edge-3")
	third.change(hall, join("cy", "Cy")) // once more the whole time
	s.membersBecome("ada")
}

func TestLease_anOutageIsNotCounted(t *testing.T) {
	s := newStand(t)
	cfg := leaseConfig()
	cfg.LeaseTimeout = 3 * time.Second // until then the edge has renewed its lease, after the outage, on any machine
	s.run(cfg)
	d := s.door("edge-1")
	d.renew()
	d.change(hall, join("ada", "Ada"))
	s.server.Shutdown()
	<-time.After(cfg.LeaseTimeout + cfg.ResumeWindow + 200*time.Millisecond)
	s.server = natstest.Restart(t, s.server)
	other := s.door("edge-2")
	other.change(hall, join("bob", "Bob")) // never renews: its end tells the time
	s.membersBecome("ada")
}

func TestLease_aGhost(t *testing.T) {
	s := newStand(t)
	s.run(leaseConfig())
	d := s.door("edge-1")
	d.renew()
	d.change(hall, join("ada", "Ada"), join("bob", "Bob"))
	d.record("ada", contract.StateGone, "edge-1")
	s.membersBecome("bob")
	want(t, "bob's record", s.stateOf("bob"), "none")
}

func TestRecords_eventsFollowAMember(t *testing.T) {
	s := newStand(t)
	s.run(testConfig())
	old, next, other := s.door("edge-1"), s.door("edge-2"), s.door("edge-3")
	old.change(hall, join("ada", "Ada"))
	told, err := s.nc.SubscribeSync(contract.EventsFor(next.id))
	if err != nil {
		t.Fatal(err)
	}
	next.record("ada", contract.StateHere, "edge-1", "edge-2")
	m, err := told.NextMsg(10 * time.Second)
	if err != nil {
		t.Fatalf("the new edge isn't told the revision: %v", err)
	}
	want(t, "what it is told", string(m.Data), `{"rooms":[{"app":"app","room":"hall","revision":1}]}`)
	other.change(hall, join("bob", "Bob"))
	want(t, "events at the new edge", len(next.heard(hall)), 1)
	want(t, "events at the old edge", len(old.heard(hall)), 1) // ada's join
}

func TestDocuments_anEdgeIsToldOfItsLastMember(t *testing.T) {
	s := newStand(t)
	cfg := testConfig()
	cfg.TellInterval = 100 * time.Millisecond
	s.run(cfg)
	s.run(cfg) // whichever doesn't commit tells
	d, other := s.door("edge-1"), s.door("edge-2")
	told, err := s.nc.SubscribeSync(contract.EventsFor(d.id))
	if err != nil {
		t.Fatal(err)
	}
	next := func(text string) *nats.Msg {
		for {
			m, err := told.NextMsg(10 * time.Second)
			if err != nil {
				t.Fatalf("%s isn't told: %v", text, err)
			}
			if strings.Contains(string(m.Data), text) {
				return m
			}
		}
	}
	d.change(hall, join("ada", "Ada"))
	first := next(`"revision":1`)
	second := first
	for second.Subject == first.Subject { // until both know of the member
		second = next(`"revision":1`)
	}
	other.change(hall, join("bob", "Bob"), contract.RoomOp{Kind: contract.OpKick, Peer: token("ada")})
	next(`"revision":3`)
}
