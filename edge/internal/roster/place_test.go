package roster

import (
	"fmt"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func TestRoster_Move_higherIncarnationWins(t *testing.T) {
	a := member(t, "a", 1)
	var r Roster
	r.Load(document(t, 1, a), nil)
	for _, step := range []struct {
		name        string
		to          string
		incarnation uint64
		moved       bool
		from, want  string
	}{
		{"the edge at join", "edge-a", 1, false, "edge-a", "edge-a"},
		{"a takeover", "edge-c", 3, true, "edge-a", "edge-c"},
		{"an earlier one that comes late", "edge-b", 2, false, "edge-c", "edge-c"},
		{"the same again", "edge-c", 3, false, "edge-c", "edge-c"},
		{"a resume on the same edge", "edge-c", 4, false, "edge-c", "edge-c"},
		{"back", "edge-a", 5, true, "edge-c", "edge-a"},
	} {
		from, moved := r.Move(a.Peer, Place{Edge: token(t, step.to), Incarnation: step.incarnation})
		if got := r.Get(a.Peer).Place.String(); moved != step.moved || from.String() != step.from || got != step.want {
			t.Errorf("%s: moved %v from %s to %s, want %v from %s to %s", step.name, moved, from, got, step.moved, step.from, step.want)
		}
	}
	for edge, want := range map[string]bool{"edge-a": true, "edge-b": false, "edge-c": true} {
		if got := r.Get(a.Peer).Held(token(t, edge)); got != want {
			t.Errorf("held by %s: %v, want %v", edge, got, want)
		}
	}
}

func TestRoster_Move_ofAMemberThatIsntKnownYet(t *testing.T) {
	a := member(t, "a", 2)
	var r Roster
	r.Load(document(t, 1), nil)
	r.Move(a.Peer, Place{token(t, "edge-c"), 3, 3, 7})
	r.Move(a.Peer, Place{token(t, "edge-b"), 2, 2, 9})
	r.Apply(&contract.RoomEvents{Base: 1, Revision: 2, Events: []contract.RoomEvent{joinedEvent(a)}})
	if got := r.Get(a.Peer); got.Place.String() != "edge-c" || got.Acked != 7 {
		t.Errorf("the member is on %s with %d acknowledged, want edge-c and 7, of which the roster heard before", got.Place, got.Acked)
	}
}

func TestRoster_Follow(t *testing.T) {
	a := member(t, "a", 2)
	here := contract.MemberRecord{
		Peer: a.Peer, Epoch: 2, Incarnation: 2, Edge: token(t, "edge-c"), Version: 4, State: contract.StateHere,
		Trail: []contract.Token{token(t, "edge-a"), token(t, "edge-b"), token(t, "edge-c")},
	}
	for _, tt := range []struct {
		name   string
		change func(*contract.MemberRecord)
		want   Followed
	}{
		{"a takeover", func(*contract.MemberRecord) {}, Followed{From: token(t, "edge-a"), Moved: true, Updated: true}},
		{"of an older version", func(rec *contract.MemberRecord) { rec.Version = 1 }, Followed{From: token(t, "edge-a"), Moved: true}},
		{"of another epoch", func(rec *contract.MemberRecord) { rec.Epoch = 1 }, Followed{}},
		{"gone", func(rec *contract.MemberRecord) { rec.State = contract.StateGone }, Followed{}},
		{"of a stranger", func(rec *contract.MemberRecord) { rec.Peer = token(t, "x") }, Followed{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r Roster
			r.Load(document(t, 2, a), nil)
			record := here
			tt.change(&record)
			if got := r.Follow(&record); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if tt.want.Moved && !r.Get(a.Peer).Held(token(t, "edge-b")) {
				t.Error("the trail was forgotten")
			}
		})
	}
}

func TestRoster_sessions(t *testing.T) {
	a := member(t, "a", 1)
	here, there := token(t, "edge-a"), token(t, "edge-b")
	var r Roster
	r.Load(document(t, 1, a), nil)
	for _, step := range []struct {
		name         string
		do           func()
		began, acked uint64
	}{
		{"at the join", func() {}, 1, 0},
		{"a resume in the same session", func() { r.Move(a.Peer, Place{here, 2, 1, 0}) }, 1, 0},
		{"a rewind that its edge tells", func() { r.Hear(&contract.Session{Peer: a.Peer, Began: 2, Acked: 5}) }, 2, 5},
		{"what was told before", func() { r.Hear(&contract.Session{Peer: a.Peer, Began: 1, Acked: 9}) }, 2, 5},
		{"the session after it", func() { r.Move(a.Peer, Place{here, 3, 3, 5}) }, 3, 5},
		{"a takeover by an edge that doesn't count sessions", func() { r.Move(a.Peer, Place{there, 4, 0, 7}) }, 4, 7},
		{"a resume there", func() { r.Move(a.Peer, Place{there, 5, 0, 7}) }, 4, 7},
		{"a takeover whose client had seen less", func() { r.Move(a.Peer, Place{here, 6, 6, 6}) }, 6, 7},
	} {
		step.do()
		if got := r.Get(a.Peer); got.Began != step.began || got.Acked != step.acked {
			t.Errorf("%s: the session began with %d behind %d, want %d and %d", step.name, got.Began, got.Acked, step.began, step.acked)
		}
	}
}

func TestRoster_Left(t *testing.T) {
	var r Roster
	var all []contract.Member
	for i := range maxLeft + 1 {
		all = append(all, member(t, fmt.Sprintf("m%d", i), uint64(i+1)))
	}
	r.Load(document(t, maxLeft+1, all...), nil)
	first, last := all[0], all[maxLeft]
	r.Move(last.Peer, Place{token(t, "edge-b"), 2, 2, 5})
	if _, left := r.Left([]byte(last.Peer.String())); left {
		t.Error("a member has left who is in")
	}
	revision := uint64(len(all))
	for _, m := range all {
		revision++
		r.Apply(&contract.RoomEvents{Base: revision - 1, Revision: revision, Events: []contract.RoomEvent{
			{Kind: contract.EventLeft, Revision: revision, Peer: m.Peer},
		}})
	}
	r.Hear(&contract.Session{Peer: last.Peer, Began: 3, Acked: 6})
	r.Forget()
	want := Place{token(t, "edge-b"), 2, 3, 6}
	if got, left := r.Left([]byte(last.Peer.String())); !left || got != want {
		t.Errorf("who left last was at %+v, %v; want %+v", got, left, want)
	}
	if _, left := r.Left([]byte(first.Peer.String())); left {
		t.Error("the roster knows of more members that have left than it may")
	}
	known := 0
	r.EachLeft(func(contract.Token, Place) { known++ })
	if known != maxLeft {
		t.Errorf("it knows %d, want %d", known, maxLeft)
	}
}
