package edge

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// TestResume_judgesLikeWhatCameLive has ada come back to the edge that has her
// session. What bob's earlier edge had sent of his 2 was dropped when it came,
// since he sends it again from where he is: so it must be now.
func TestResume_judgesLikeWhatCameLive(t *testing.T) {
	a, b := process(t, "a"), process(t, "b")
	bob := newMember(t, "bob", 2, a)
	h := newHall(t, bob)
	e := h.r.e
	h.ada.s.rooms["room"], h.ada.came.Trail = h.ada, []contract.Token{b, e.id}
	h.ada.trail = h.ada.came.Trail[:1]
	h.places(bob, b, 2, 0)
	h.logged(a, e.id, h.message(bob, 2, false))
	h.logged(b, e.id, h.message(bob, 1, false))
	e.reader.position.Store(h.logged(b, e.id, h.message(bob, 2, false)))
	h.places(bob, a, 3, 2)
	hello := h.hello(e.id)
	if !h.ada.s.mustArrive(hello) {
		t.Error("the log would be replayed as it is")
	}
	h.ada.s.catchUp(h.ada.s.conn, hello)
	h.awaitGot(1, 2)
}

// TestResume_isntHiddenByWhatWasLost has ada's socket take bob's 2 with it. He has
// moved since, so that one doesn't count any more; he sends it again.
func TestResume_isntHiddenByWhatWasLost(t *testing.T) {
	a, b := process(t, "a"), process(t, "b")
	bob := newMember(t, "bob", 2, a)
	h := newHall(t, bob)
	e := h.r.e
	h.ada.s.rooms["room"], h.ada.trail = h.ada, []contract.Token{process(t, "before")}
	for seq := uint64(1); seq <= 2; seq++ {
		h.comes(a, h.message(bob, seq, false))
		e.reader.position.Store(h.logged(a, e.id, h.message(bob, seq, false)))
	}
	h.checkGot(1, 2)
	h.places(bob, b, 2, 1)
	hello := h.hello(e.id)
	if !h.ada.s.mustArrive(hello) {
		t.Error("the log would be replayed as it is")
	}
	h.ada.s.catchUp(h.ada.s.conn, hello)
	h.awaitGot(1)
	h.comes(b, h.message(bob, 2, false))
	h.awaitGot(2)
}

// TestArrival_bring_waitsForTheReader has ada come back to an edge that she was on
// before: bob's 1 is in that edge's own log, and its reader hasn't got there; his 2
// is in the log of the edge in between.
func TestArrival_bring_waitsForTheReader(t *testing.T) {
	between := process(t, "between")
	bob := newMember(t, "bob", 2, between)
	h := newHall(t, bob)
	e := h.r.e
	h.ada.s.rooms["room"] = h.ada
	h.ada.trail = []contract.Token{e.id, between}
	first := h.message(bob, 1, false)
	at := h.logged(between, e.id, first)
	end := h.logged(between, between, h.message(bob, 2, false))
	hello := h.hello(e.id)
	cursor, err := contract.ParseCursor(hello.Rooms["room"].Cursor)
	if err != nil {
		t.Fatal(err)
	}
	h.ada.beginBacklog(cursor, 0)
	a := &arrival{s: h.ada.s, c: h.ada.s.conn, poked: make(chan struct{}, 1), began: time.Now()}
	h.r.mu.Lock()
	ar := h.ada.arriving(hello)
	h.r.mu.Unlock()
	a.members = []*arriving{ar}
	a.sources = map[contract.Token]*source{
		between: {settled: true, ends: map[*membership]map[contract.Token]uint64{h.ada: {between: end, e.id: at}}},
		e.id:    {settled: true, ends: map[*membership]map[contract.Token]uint64{h.ada: {}}},
	}
	done := make(chan error, 1)
	go func() {
		_, err := a.bring(context.Background())
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("all was told before the reader was there: %v", err)
	case <-time.After(50 * time.Millisecond): // it fails sooner
	}
	h.comes(between, first)
	e.reader.position.Store(end)
	h.awaitGot(1, 2)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestArrival_bring_saysWhatItGivesUp has bob's edge not answer for so long that ada
// goes on without: she must not think that nothing is missing.
func TestArrival_bring_saysWhatItGivesUp(t *testing.T) {
	silent, between := process(t, "silent"), process(t, "between")
	bob := newMember(t, "bob", 2, silent)
	h := newHall(t, bob)
	e := h.r.e
	h.ada.s.rooms["room"], h.ada.trail = h.ada, []contract.Token{between}
	e.reader.position.Store(h.logged(silent, between, h.message(bob, 1, false)))
	hello := h.hello(between)
	cursor, err := contract.ParseCursor(hello.Rooms["room"].Cursor)
	if err != nil {
		t.Fatal(err)
	}
	h.ada.beginBacklog(cursor, 0)
	a := &arrival{s: h.ada.s, c: h.ada.s.conn, poked: make(chan struct{}, 1), began: time.Now()}
	h.r.mu.Lock()
	a.members = []*arriving{h.ada.arriving(hello)}
	h.r.mu.Unlock()
	a.sources = map[contract.Token]*source{silent: {quiet: true}, between: {settled: true}}
	if left, err := a.bring(t.Context()); err != nil || !left {
		t.Errorf("at first something is left: %v, %v; want true", left, err)
	}
	a.began = a.began.Add(-2 * settleMost)
	if left, err := a.bring(t.Context()); err != nil || left {
		t.Errorf("after long something is left: %v, %v; want false", left, err)
	}
	end := marshal(contract.Ping{Type: contract.TypePong, T: []byte("1")})
	h.ada.s.sendNow(end)
	var told []string
	for text := readText(t, h.socket); string(text) != string(end); text = readText(t, h.socket) {
		var gap contract.Gap
		if err := json.Unmarshal(text, &gap); err != nil {
			t.Fatal(err)
		}
		if gap.Type == contract.TypeGap {
			told = append(told, gap.From.String()+": "+gap.Reason)
		}
	}
	if want := []string{bob.Peer.String() + ": " + gapSilent}; !slices.Equal(told, want) {
		t.Errorf("the gaps are %q, want %q", told, want)
	}
}
