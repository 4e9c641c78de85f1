package edge

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// TestSession_rewind_beginsAnotherSession has ada's frames 2 and 3 end unknown:
// whoever asks is told at once that 1 is the last that counts, and the record
// tells it before she can send again.
func TestSession_rewind_beginsAnotherSession(t *testing.T) {
	y, m := newOpeningYard(t)
	y.commit(contract.Member{Peer: m.peer, Identity: "ada", Epoch: 1, Edge: y.r.e.id})
	sessions := func() map[string][]contract.Session {
		answers := make(chan contract.Moved, 1)
		move := contract.Move{App: y.r.app, Room: y.r.id, Peer: process(t, "cy"), Incarnation: 2}
		y.r.e.follow(process(t, "b"), []contract.Move{move, move}, func(answer contract.Moved) { answers <- answer })
		return (<-answers).Sessions
	}
	check := func(when string, want ...contract.Session) {
		t.Helper()
		if got := sessions()[y.r.key]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: others are told of %v, want %v", when, got, want)
		}
	}
	check("at first")
	m.s.mu.Lock()
	for seq := uint64(1); seq <= 3; seq++ {
		m.s.seq.Accept(seq, 1)
	}
	m.s.seq.Release(1)
	m.s.rewind(errors.New("unknown"))
	m.s.mu.Unlock()
	check("after the rewind", contract.Session{Peer: m.peer, Began: 2, Acked: 1})
	for attempt := uint64(2); attempt <= 3; attempt++ {
		if err := m.s.recordTakeover(attempt); err != nil {
			t.Fatal(err)
		}
		var record contract.MemberRecord
		value, _, err := bus.Get(t.Context(), y.r.e.members, m.recorder.key)
		if err == nil {
			err = json.Unmarshal(value, &record)
		}
		if err != nil {
			t.Fatal(err)
		}
		if record.Incarnation != attempt || record.Began != 2 || record.Acked != 1 || m.recorder.began.Load() != 2 {
			t.Errorf("attempt %d: the record says %+v, want a session that began with 2 behind 1", attempt, record)
		}
	}
	m.moved()
	check("when another edge has it", contract.Session{Peer: m.peer, Began: 3, Acked: 1})
}

func TestRewounds_of(t *testing.T) {
	a, b, peer := contract.ID("a").Token(), contract.ID("b").Token(), process(t, "peer")
	var rs rewounds
	rs.note(contract.RoomKey(a, a), peer, 1, 5)
	rs.note(contract.RoomKey(a, a), peer, 4, 7)
	rs.note(contract.RoomKey(a, b), peer, 1, 5)
	rs.sweep()
	got := rs.of([]contract.Move{{App: a, Room: a}, {App: a, Room: a}, {App: b, Room: b}})
	if want := map[string][]contract.Session{contract.RoomKey(a, a): {{Peer: peer, Began: 5, Acked: 7}}}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
