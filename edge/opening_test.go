package edge

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/edge/internal/roster"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/natstest"
)

// newOpeningYard is a yard with a member, ada, whose join waits for its commit.
// The edge has a members bucket, and no way to read a document.
func newOpeningYard(t *testing.T) (*yard, *membership) {
	t.Helper()
	y, m := newJoiningYard(t)
	if err := m.recorder.create(t.Context(), secretHash{}, 1); err != nil {
		t.Fatal(err)
	}
	return y, m
}

// newJoiningYard is the same before ada's record is written.
func newJoiningYard(t *testing.T) (*yard, *membership) {
	t.Helper()
	y := newYard(t)
	y.open.Store(true)
	js, err := jetstream.New(natstest.Connect(t, natstest.Start(t)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: contract.BucketMembers}); err != nil {
		t.Fatal(err)
	}
	e := y.r.e
	if e.members, err = bus.OpenBucket(t.Context(), js, contract.BucketMembers); err != nil {
		t.Fatal(err)
	}
	e.reader = newReader(e)
	s := newSession(e)
	m := newMembership(s, y.r, &contract.Join{Room: "room", Presence: json.RawMessage(`"new"`)}, 1, &contract.Claims{Subject: "ada"})
	s.rooms["room"], y.r.locals[m.peerText] = m, m
	return y, m
}

// commit is the event signal of the join of the last of some members.
func (y *yard) commit(members ...contract.Member) {
	y.t.Helper()
	last := members[len(members)-1]
	body, err := json.Marshal(contract.RoomEvents{
		Base: last.Epoch - 1, Revision: last.Epoch, Members: members,
		Events: []contract.RoomEvent{{Kind: contract.EventJoined, Revision: last.Epoch, Member: &last}},
	})
	if err != nil {
		y.t.Fatal(err)
	}
	var out delivery
	y.r.take(origin{}, &contract.Signal{Kind: contract.KindEvent, Revision: last.Epoch, Body: body}, &out)
	out.flush()
}

// seen is a copy of what the roster has of a peer.
func (y *yard) seen(peer contract.Token) roster.Member {
	y.r.mu.Lock()
	defer y.r.mu.Unlock()
	m := y.r.roster.Get(peer)
	if m == nil {
		y.t.Fatalf("%s isn't in the roster", peer)
	}
	return *m
}

func TestRoom_open(t *testing.T) {
	t.Run("the edge's own member begins with the event", func(t *testing.T) {
		y, m := newOpeningYard(t)
		y.commit(contract.Member{Peer: m.peer, Identity: "ada", Epoch: 1, Edge: y.r.e.id})
		select {
		case <-m.answered:
		default:
			t.Fatal("the member waits for something")
		}
		if got := y.seen(m.peer); string(got.Presence) != `"new"` || got.Version != 1 || got.Place != y.r.e.id {
			t.Errorf("got %+v, want the presence of the join, here", got)
		}
	})
	t.Run("of another edge's member the record is read", func(t *testing.T) {
		y, m := newOpeningYard(t)
		bob, there, now := contract.NewPeerID(), process(t, "there"), process(t, "now")
		record, err := json.Marshal(contract.MemberRecord{
			Peer: bob, Epoch: 1, Edge: now, State: contract.StateAway, Presence: json.RawMessage(`"old"`), Version: 4, Incarnation: 2,
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := y.r.e.members.Put(t.Context(), contract.MemberKey(y.r.app, y.r.id, bob), record); err != nil {
			t.Fatal(err)
		}
		y.commit(contract.Member{Peer: bob, Identity: "bob", Epoch: 1, Edge: there}, contract.Member{Peer: m.peer, Identity: "ada", Epoch: 2, Edge: y.r.e.id})
		<-m.answered
		if got := y.seen(bob); string(got.Presence) != `"old"` || got.Version != 4 || got.State != contract.StateAway || got.Place != now {
			t.Errorf("got %+v, want what the record says", got)
		}
	})
}

func TestRecorder_tellsAgainWhatCameBeforeTheJoin(t *testing.T) {
	y, m := newOpeningYard(t)
	written := make(chan error, 1)
	m.recorder.want(func(w *wanted) {
		w.state = contract.StateAway
		w.done = append(w.done, func(err error) { written <- err })
	})
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	y.commit(contract.Member{Peer: m.peer, Identity: "ada", Epoch: 1, Edge: y.r.e.id})
	y.r.e.wg.Wait()
	if got := y.updates(y.r.e.id); len(got) != 1 || got[0].State != contract.StateAway || got[0].Version != 3 {
		t.Errorf("told %+v, want once, away in version 3", got)
	}
}

// updates are what an edge was told of members, when all of it is in its log.
func (y *yard) updates(to contract.Token) (all []contract.PeerUpdate) {
	y.t.Helper()
	settled := make(chan struct{})
	y.r.e.links.AfterSettled(to, func(error) { close(settled) })
	<-settled
	stream := y.log.Stream(to)
	for from := uint64(1); ; {
		msg, err := stream.GetMsg(y.t.Context(), from, jetstream.WithGetMsgSubject(contract.SignalsFor(0, to)))
		if err != nil {
			return all // the end of the log
		}
		from = msg.Sequence + 1
		items, err := contract.ReadEntry(msg.Data)
		for more := true; err == nil && more; {
			var s contract.Signal
			if more, err = items.Next(); more && err == nil {
				var update contract.PeerUpdate
				err = errors.Join(items.Signal(&s), json.Unmarshal(s.Body, &update))
				all = append(all, update)
			}
		}
		if err != nil {
			y.t.Fatal(err)
		}
	}
}

func TestRoom_tellsANewEdge(t *testing.T) {
	y, ada := newOpeningYard(t)
	there := process(t, "there")
	members := []contract.Member{{Peer: ada.peer, Identity: "ada", Epoch: 1, Edge: y.r.e.id}}
	join := func(edge contract.Token) {
		epoch := uint64(len(members) + 1)
		members = append(members, contract.Member{Peer: contract.NewPeerID(), Identity: "x", Epoch: epoch, Edge: edge})
		y.commit(members...)
	}
	y.commit(members...)
	join(process(t, "other"))
	told := make(chan error, 1)
	ada.recorder.want(func(w *wanted) {
		w.presence = json.RawMessage(`"busy"`)
		w.done = append(w.done, func(err error) { told <- err })
	})
	if err := <-told; err != nil {
		t.Fatal(err)
	}
	join(there)
	join(there)
	join(y.r.e.id)
	if got := y.updates(there); len(got) != 1 || string(got[0].Presence) != `"busy"` || got[0].Version != 2 {
		t.Errorf("the new edge was told %+v, want what ada shows, once", got)
	}
	if got := y.updates(y.r.e.id); len(got) != 1 {
		t.Errorf("this edge was told %+v, want only what it told all", got)
	}
}
