package store_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/contract"
)

func token(t *testing.T, text string) contract.Token {
	t.Helper()
	parsed, err := contract.ParseToken(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func open(t *testing.T) (jetstream.JetStream, *store.Store) {
	t.Helper()
	js := connect(t)
	ensure(t, js, layout)
	s, err := store.Open(t.Context(), js)
	if err != nil {
		t.Fatal(err)
	}
	return js, s
}

func TestStore_Save(t *testing.T) {
	_, s := open(t)
	ref := room.Ref{App: token(t, "app"), Room: contract.ID("a room with spaces, * and >").Token()}
	state, stored, err := s.Load(t.Context(), ref)
	if err != nil || stored != 0 || state.Revision() != 0 {
		t.Fatalf("load a room that isn't: got %v at %d, %v", state, stored, err)
	}
	join := contract.RoomChange{App: ref.App, Room: ref.Room, Edge: token(t, "edge-1"), N: 1, Ops: []contract.RoomOp{
		{Kind: contract.OpJoin, Peer: token(t, "p1"), Identity: "ada"},
	}}
	next, _ := state.Apply([]contract.RoomChange{join}, room.Rules{Capacity: 1, MaxBytes: contract.MaxDocumentBytes})
	value, err := next.Encode()
	if err != nil {
		t.Fatal(err)
	}
	first, err := s.Save(t.Context(), ref, value, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("over another revision it is a conflict", func(t *testing.T) {
		for _, over := range []uint64{0, first + 1} {
			if _, err := s.Save(t.Context(), ref, value, over); !errors.Is(err, store.ErrConflict) {
				t.Errorf("over %d: got %v, want %v", over, err, store.ErrConflict)
			}
		}
	})
	t.Run("what was saved is loaded", func(t *testing.T) {
		back, stored, err := s.Load(t.Context(), ref)
		if err != nil || stored != first || back.Revision() != 1 || len(back.Members()) != 1 {
			t.Errorf("got %+v at %d, %v", back, stored, err)
		}
	})
	t.Run("a refresh writes the same", func(t *testing.T) {
		if err := s.Refresh(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
		back, stored, err := s.Load(t.Context(), ref)
		got, _ := back.Encode()
		if err != nil || stored <= first || string(got) != string(value) {
			t.Errorf("got %s at %d, %v", got, stored, err)
		}
	})
	t.Run("a refresh of nothing does nothing", func(t *testing.T) {
		nowhere := room.Ref{App: ref.App, Room: token(t, "nowhere")}
		if err := s.Refresh(t.Context(), nowhere); err != nil {
			t.Fatal(err)
		}
		if _, stored, err := s.Load(t.Context(), nowhere); stored != 0 || err != nil {
			t.Errorf("got revision %d, %v", stored, err)
		}
	})
}

func TestStore_Bury(t *testing.T) {
	js, s := open(t)
	kv, err := js.KeyValue(t.Context(), contract.BucketMembers)
	if err != nil {
		t.Fatal(err)
	}
	ref, e1, e2 := room.Ref{App: token(t, "app"), Room: token(t, "hall")}, token(t, "e1"), token(t, "e2")
	put := func(t *testing.T, r contract.MemberRecord) {
		t.Helper()
		value, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Put(t.Context(), contract.MemberKey(ref.App, ref.Room, r.Peer), value); err != nil {
			t.Fatal(err)
		}
	}
	bury := func(t *testing.T, peer string) store.Burial {
		t.Helper()
		b, err := s.Bury(t.Context(), ref, &contract.Member{Peer: token(t, peer), Epoch: 3, Edge: e1}, e1)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	t.Run("a member of that edge", func(t *testing.T) {
		put(t, contract.MemberRecord{Peer: token(t, "p1"), Epoch: 3, Edge: e1, Trail: []contract.Token{e1}, State: contract.StateAway, Version: 5})
		b := bury(t, "p1")
		if !b.Found || !b.Buried || b.Record.State != contract.StateGone || b.Record.Reason != contract.ReasonExpired || b.Record.Version != 6 {
			t.Errorf("got %+v", b)
		}
		stored, found, err := s.Record(t.Context(), ref, token(t, "p1"))
		if err != nil || !found || stored.State != contract.StateGone || stored.Epoch != 3 || len(stored.Trail) != 1 {
			t.Errorf("stored: got %+v, %v, %v", stored, found, err)
		}
	})
	t.Run("one that has moved", func(t *testing.T) {
		put(t, contract.MemberRecord{Peer: token(t, "p2"), Edge: e2, Trail: []contract.Token{e1, e2}, State: contract.StateHere})
		if b := bury(t, "p2"); !b.Found || b.Buried || b.Record.State != contract.StateHere || b.Record.Edge != e2 {
			t.Errorf("got %+v", b)
		}
	})
	t.Run("one that is gone already keeps its reason", func(t *testing.T) {
		put(t, contract.MemberRecord{Peer: token(t, "p3"), Edge: e1, State: contract.StateGone, Reason: contract.ReasonKicked})
		if b := bury(t, "p3"); b.Buried || b.Record.Reason != contract.ReasonKicked {
			t.Errorf("got %+v", b)
		}
	})
	t.Run("one without a record", func(t *testing.T) {
		if b := bury(t, "p4"); b.Found || b.Buried {
			t.Errorf("got %+v", b)
		}
		if _, found, err := s.Record(t.Context(), ref, token(t, "p4")); found || err != nil {
			t.Errorf("read: got %v, %v", found, err)
		}
	})
	t.Run("a record of another epoch is left alone", func(t *testing.T) {
		put(t, contract.MemberRecord{Peer: token(t, "p5"), Epoch: 2, Edge: e1, State: contract.StateHere})
		if b := bury(t, "p5"); b.Found || b.Buried {
			t.Errorf("got %+v", b)
		}
	})
}

func TestStore_Lease(t *testing.T) {
	js, s := open(t)
	if err := s.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	edge := token(t, "edge-1")
	if revision, err := s.Lease(t.Context(), edge); revision != 0 || err != nil {
		t.Errorf("without a lease: got %d, %v", revision, err)
	}
	kv, err := js.KeyValue(t.Context(), contract.BucketEdges)
	if err != nil {
		t.Fatal(err)
	}
	want, err := kv.Put(t.Context(), "edge-1", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Lease(t.Context(), edge); got != want || err != nil {
		t.Errorf("got %d, %v, want %d", got, err, want)
	}
}
