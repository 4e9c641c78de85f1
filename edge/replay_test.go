package edge

import "testing"

// TestSession_replay_pastWhatCantBeRead has an entry in the log that nobody can
// read: what came before and after it is replayed all the same.
func TestSession_replay_pastWhatCantBeRead(t *testing.T) {
	a := process(t, "a")
	bob := newMember(t, "bob", 2, a)
	h := newHall(t, bob)
	e := h.r.e
	h.ada.s.rooms["room"] = h.ada
	h.logged(a, e.id, h.message(bob, 1, false))
	if _, err := h.js.Publish(t.Context(), h.log.Subject(a, e.id), []byte("not an entry")); err != nil {
		t.Fatal(err)
	}
	e.reader.position.Store(h.logged(a, e.id, h.message(bob, 2, false)))
	h.ada.s.replay(t.Context(), h.ada.s.conn, h.hello(e.id))
	h.awaitGot(1, 2)
}
