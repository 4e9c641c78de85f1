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

// newWait has ada wait for bob's edge, which doesn't answer. So many of his signals
// came to her edge of before, when nobody can say, so that they must wait.
func newWait(t *testing.T, came int) (h *hall, a *arrival, bob contract.Member) {
	t.Helper()
	silent, between := process(t, "silent"), process(t, "between")
	bob = newMember(t, "bob", 2, silent)
	h = newHall(t, bob)
	e := h.r.e
	e.rooms = h.bucket(contract.BucketRooms)
	e.members = h.bucket(contract.BucketMembers)
	h.ada.s.rooms["room"], h.ada.trail = h.ada, []contract.Token{between}
	for seq := range came {
		e.reader.position.Store(h.logged(silent, between, h.message(bob, uint64(seq)+1, false)))
	}
	hello := h.hello(between)
	cursor, err := contract.ParseCursor(hello.Rooms["room"].Cursor)
	if err != nil {
		t.Fatal(err)
	}
	h.ada.beginBacklog(cursor, 0)
	a = &arrival{s: h.ada.s, c: h.ada.s.conn, poked: make(chan struct{}, 1), began: time.Now()}
	h.r.mu.Lock()
	a.members = []*arriving{h.ada.arriving(hello), {m: h.ada}} // in another room she has everything
	h.r.mu.Unlock()
	a.sources = map[contract.Token]*source{silent: {quiet: true}, between: {settled: true}}
	h.wantLeft(a, true)
	return h, a, bob
}

// wantLeft brings what there is, and says whether something must be left.
func (h *hall) wantLeft(a *arrival, want bool) {
	h.t.Helper()
	if left, err := a.bring(h.t.Context()); err != nil || left != want {
		h.t.Errorf("something is left: %v, %v; want %v", left, err, want)
	}
}

// gaps are those that came out of ada's socket since the last time.
func (h *hall) gaps() (told []string) {
	h.t.Helper()
	end := marshal(contract.Ping{Type: contract.TypePong, T: []byte("1")})
	h.ada.s.sendNow(end)
	for text := readText(h.t, h.socket); string(text) != string(end); text = readText(h.t, h.socket) {
		var gap contract.Gap
		if err := json.Unmarshal(text, &gap); err != nil {
			h.t.Fatal(err)
		}
		if gap.Type == contract.TypeGap {
			told = append(told, gap.From.String()+": "+gap.Reason)
		}
	}
	return told
}

func (h *hall) wantGaps(want ...string) {
	h.t.Helper()
	if got := h.gaps(); !slices.Equal(got, want) {
		h.t.Errorf("the gaps are %q, want %q", got, want)
	}
}

// TestArrival_bring_saysWhatItGivesUp has bob's edge not answer, while NATS does, for so
// long that ada goes on without: she must not think that nothing is missing.
func TestArrival_bring_saysWhatItGivesUp(t *testing.T) {
	h, a, bob := newWait(t, 1)
	h.writes(bob)
	h.wantGaps()
	h.r.e.answers.count(a.most(), true)
	h.wantLeft(a, true) // the edge itself stood still
	for range a.most() / answerLook {
		h.r.e.answers.count(answerLook, true)
	}
	h.wantLeft(a, false)
	h.wantGaps(bob.Peer.String() + ": " + gapSilent)
	if mark := h.ada.marks.Pass([]byte(bob.Peer.String()), 1); mark {
		t.Error("what has come of bob isn't given")
	}
}

// TestArrival_bring_waitsWhileNATSDoesNotAnswer has NATS not answer for most of the
// time, and then for long enough.
func TestArrival_bring_waitsWhileNATSDoesNotAnswer(t *testing.T) {
	h, a, bob := newWait(t, 0)
	h.writes(bob)
	a.began = a.began.Add(-2 * a.most())
	h.wantLeft(a, true)
	for range a.most() / answerLook {
		h.r.e.answers.count(answerLook, true)
	}
	h.r.e.answers.count(answerMost, false)
	h.wantLeft(a, true) // roomsvc must have its time after that
	h.wantGaps()
	for range settleRest / answerLook {
		h.r.e.answers.count(answerLook, true)
	}
	h.wantLeft(a, false)
	h.wantGaps(bob.Peer.String() + ": " + gapSilent)
}

// TestArrival_bring_readsTheRoomFirst has bob have left when the time is over, and ada's
// edge not have heard of it.
func TestArrival_bring_readsTheRoomFirst(t *testing.T) {
	h, a, _ := newWait(t, 0)
	h.writes()
	for range a.most() / answerLook {
		h.r.e.answers.count(answerLook, true)
	}
	h.wantLeft(a, false)
	h.wantGaps()
}

// TestArrival_bring_readsAnew has an entry of bob's edge be committed long after nobody
// heard of that any more, and the log not be readable for a while.
func TestArrival_bring_readsAnew(t *testing.T) {
	h, a, bob := newWait(t, 0)
	ar := a.members[0]
	h.logged(bob.Edge, h.ada.trail[0], h.message(bob, 1, false))
	h.wantLeft(a, true)
	if kept := len(h.ada.backlog.kept); kept != 0 {
		t.Errorf("%d signals are kept, and there was no reason to read", kept)
	}
	ar.read = ar.read.Add(-readAnew)
	log := h.r.e.log
	h.r.e.log = h.brokenLog()
	h.wantLeft(a, true)
	h.r.e.log = log
	h.wantLeft(a, true)
	if kept := len(h.ada.backlog.kept); kept != 1 {
		t.Errorf("%d signals are kept, want bob's", kept)
	}
}

// TestArrival_bring_saysWhatTheLogForgot has the log forget something between two
// readings.
func TestArrival_bring_saysWhatTheLogForgot(t *testing.T) {
	h, a, bob := newWait(t, 1)
	between := h.ada.trail[0]
	for seq := uint64(2); seq <= 3; seq++ {
		h.logged(bob.Edge, between, h.message(bob, seq, false))
	}
	if err := h.log.Stream(between).Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.members[0].read = a.members[0].read.Add(-readAnew)
	h.wantGaps()
	h.r.e.logs = logBounds{} // which remember for a moment where the log begins
	h.wantLeft(a, true)
	h.wantGaps(": " + gapOld)
}
