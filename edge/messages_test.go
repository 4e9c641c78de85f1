package edge

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// roomAt is a room whose roster stands at a revision, with one member on this
// edge that joined at epoch 1. Nobody reads its document.
func roomAt(t *testing.T, revision uint64) (*room, *membership) {
	t.Helper()
	peer, err := contract.ParseToken("pa")
	if err != nil {
		t.Fatal(err)
	}
	r := &room{name: "hall", locals: map[string]*membership{}, resyncing: true}
	r.caughtUp = sync.NewCond(&r.mu)
	r.stand(revision, peer)
	m := &membership{s: &clientSession{}, r: r, peer: peer, peerText: "pa", roomName: "hall", epoch: 1}
	r.locals["pa"] = m
	return r, m
}

// load1 is a document of that revision with one member.
func (r *room) stand(revision uint64, peer contract.Token) {
	r.roster.Load(&contract.RoomDocument{
		Revision: revision, Members: []contract.Member{{Peer: peer, Identity: "ada", Epoch: 1}},
	}, nil)
}

// said is the revision of the message.
const said = 6

// say is the event signal of a backend's message.
func say(t *testing.T, to string) *contract.Signal {
	t.Helper()
	e := contract.RoomEvent{Kind: contract.EventMessage, Revision: said, Data: json.RawMessage(`1`)}
	if to != "" {
		var err error
		if e.To, err = contract.ParseToken(to); err != nil {
			t.Fatal(err)
		}
	}
	body, err := json.Marshal(contract.RoomEvents{Base: said - 1, Events: []contract.RoomEvent{e}, Revision: said})
	if err != nil {
		t.Fatal(err)
	}
	return &contract.Signal{Kind: contract.KindEvent, Revision: said, Body: body}
}

// had reports whether the member has had it.
func (m *membership) had() bool { return !m.marks.Pass(nil, said) }

func TestRoom_backendMessage(t *testing.T) {
	t.Run("in step with the roster", func(t *testing.T) {
		r, m := roomAt(t, 5)
		r.take(origin{}, say(t, ""), new(delivery))
		if got := r.roster.Revision(); got != said || !m.had() {
			t.Errorf("the roster is at %d, want 6, and the member must have it", got)
		}
	})
	t.Run("behind the roster, which a document has brought further", func(t *testing.T) {
		r, m := roomAt(t, 9)
		r.take(origin{}, say(t, ""), new(delivery))
		if !m.had() {
			t.Error("the member hasn't had it")
		}
	})
	t.Run("ahead of the roster it waits for the document", func(t *testing.T) {
		r, m := roomAt(t, 3)
		r.take(origin{}, say(t, ""), new(delivery))
		if len(r.held) != 1 {
			t.Fatalf("%d signals are held, want 1", len(r.held))
		}
		r.stand(7, m.peer)
		r.mu.Lock()
		r.drainHeld()
		r.mu.Unlock()
		if len(r.held) != 0 || !m.had() {
			t.Errorf("%d signals are held, want none, and the member must have it", len(r.held))
		}
	})
	t.Run("for others", func(t *testing.T) {
		r, m := roomAt(t, 5)
		r.take(origin{}, say(t, "pb"), new(delivery))
		if m.had() {
			t.Error("the member has a message for another one")
		}
	})
	t.Run("from before it was a member", func(t *testing.T) {
		r, m := roomAt(t, 5)
		m.epoch = 6
		r.take(origin{}, say(t, ""), new(delivery))
		if m.had() {
			t.Error("the member has a message from before its join")
		}
	})
}
