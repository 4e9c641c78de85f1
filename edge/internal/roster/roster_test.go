package roster

import (
	"fmt"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func token(t testing.TB, text string) contract.Token {
	t.Helper()
	tok, err := contract.ParseToken(text)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func member(t testing.TB, peer string, epoch uint64) contract.Member {
	return contract.Member{Peer: token(t, peer), Identity: peer, Epoch: epoch, Edge: token(t, "edge-a")}
}

func document(t testing.TB, revision uint64, members ...contract.Member) *contract.RoomDocument {
	t.Helper()
	return &contract.RoomDocument{Revision: revision, Members: members}
}

func joinedEvent(m contract.Member) contract.RoomEvent {
	return contract.RoomEvent{Kind: contract.EventJoined, Revision: m.Epoch, Member: &m}
}

// tell writes changes as one text.
func tell(changes []Change) (text string) {
	for _, c := range changes {
		text += fmt.Sprintf("%d:%s %s %s;", c.Revision, c.Kind, c.Member.Peer, c.Reason)
	}
	return text
}

func TestRoster_Load(t *testing.T) {
	a, b, c := member(t, "a", 1), member(t, "b", 2), member(t, "c", 5)
	var r Roster
	if got, want := tell(r.Load(document(t, 2, a, b), nil)), "1:joined a ;2:joined b ;"; got != want {
		t.Errorf("first document: %q, want %q", got, want)
	}
	next := document(t, 5, a, c)
	next.Departures = []contract.Departure{{Peer: b.Peer, Revision: 4, Reason: contract.ReasonKicked}}
	if got, want := tell(r.Load(next, nil)), "4:left b kicked;5:joined c ;"; got != want {
		t.Errorf("a newer document: %q, want %q", got, want)
	}
	if got := tell(r.Load(document(t, 5, a), nil)); got != "" {
		t.Errorf("a document of the same revision changed %q", got)
	}
	if got := tell(r.Load(document(t, 4), nil)); got != "" || r.Revision() != 5 {
		t.Errorf("an older document changed %q, revision %d", got, r.Revision())
	}
}

func TestRoster_Load_believesARecordOnlyUnderItsEpoch(t *testing.T) {
	for _, tt := range []struct {
		name  string
		epoch uint64
		want  string
	}{{"not yet known", 0, "edge-b"}, {"the same", 7, "edge-b"}, {"another", 6, "edge-a"}} {
		t.Run(tt.name, func(t *testing.T) {
			a := member(t, "a", 7)
			record := contract.MemberRecord{
				Peer: a.Peer, Epoch: tt.epoch, Edge: token(t, "edge-b"), State: contract.StateAway, Version: 3, Incarnation: 2,
			}
			var r Roster
			r.Load(document(t, 7, a), map[contract.Token]contract.MemberRecord{a.Peer: record})
			if got := r.Get(a.Peer).Place.String(); got != tt.want {
				t.Errorf("place %s, want %s", got, tt.want)
			}
		})
	}
}

func TestRoster_Apply(t *testing.T) {
	a, b, c := member(t, "a", 1), member(t, "b", 2), member(t, "c", 4)
	tests := []struct {
		name   string
		events contract.RoomEvents
		want   string
		behind bool
		at     uint64
	}{
		{"the next commit", contract.RoomEvents{Base: 1, Revision: 2, Events: []contract.RoomEvent{joinedEvent(b)}}, "2:joined b ;", false, 2},
		{"a commit of several", contract.RoomEvents{Base: 1, Revision: 4, Events: []contract.RoomEvent{
			joinedEvent(b),
			{Kind: contract.EventLeft, Revision: 3, Peer: a.Peer, Reason: contract.ReasonReplaced},
			joinedEvent(c),
		}}, "2:joined b ;3:left a replaced;4:joined c ;", false, 4},
		{"one that is known", contract.RoomEvents{Base: 0, Revision: 1, Events: []contract.RoomEvent{joinedEvent(a)}}, "", false, 1},
		{"one that is half known", contract.RoomEvents{Base: 0, Revision: 2, Events: []contract.RoomEvent{joinedEvent(a), joinedEvent(b)}}, "2:joined b ;", false, 2},
		{"one after a hole", contract.RoomEvents{Base: 3, Revision: 4, Events: []contract.RoomEvent{joinedEvent(c)}}, "", true, 1},
		{"a notice of something new", contract.RoomEvents{Base: 9, Revision: 9}, "", true, 1},
		{"a notice of something known", contract.RoomEvents{Base: 1, Revision: 1}, "", false, 1},
		{"a lock", contract.RoomEvents{Base: 1, Revision: 2, Events: []contract.RoomEvent{{Kind: contract.EventLocked, Revision: 2}}}, "-", false, 2},
		{"the leave of a stranger", contract.RoomEvents{Base: 1, Revision: 2, Events: []contract.RoomEvent{{Kind: contract.EventLeft, Revision: 2, Peer: c.Peer}}}, "", false, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Roster
			r.Load(document(t, 1, a), nil)
			changes, behind := r.Apply(&tt.events)
			if tt.want == "-" {
				changes, tt.want = nil, ""
			}
			if got := tell(changes); got != tt.want || behind != tt.behind || r.Revision() != tt.at {
				t.Errorf("got %q, behind %v, at %d; want %q, %v, %d", got, behind, r.Revision(), tt.want, tt.behind, tt.at)
			}
		})
	}
	t.Run("before any document", func(t *testing.T) {
		var r Roster
		if _, behind := r.Apply(&contract.RoomEvents{Base: 0, Revision: 1, Events: []contract.RoomEvent{joinedEvent(a)}}); !behind {
			t.Error("events were applied to nothing")
		}
	})
}

func TestRoster_Update_newestVersionWins(t *testing.T) {
	a := member(t, "a", 1)
	var r Roster
	r.Load(document(t, 1, a), nil)
	steps := []struct {
		version  uint64
		presence string
		news     bool
		want     string
	}{{3, `"three"`, true, `"three"`}, {2, `"two"`, false, `"three"`}, {3, `"again"`, false, `"three"`}, {4, `"four"`, true, `"four"`}}
	for _, step := range steps {
		m := r.Update(contract.PeerUpdate{Peer: a.Peer, Version: step.version, Presence: []byte(step.presence)})
		if got := string(r.Get(a.Peer).Presence); (m != nil) != step.news || got != step.want {
			t.Errorf("version %d: news %v, presence %s; want %v, %s", step.version, m != nil, got, step.news, step.want)
		}
	}
	if r.Update(contract.PeerUpdate{Peer: token(t, "stranger"), Version: 9}) != nil {
		t.Error("an update of a stranger is news")
	}
}

func TestPolite_ofEachPairExactlyOneIs(t *testing.T) {
	for _, tt := range []struct {
		early, late bool // can roll back
		want        string
	}{{false, false, "late"}, {true, true, "late"}, {true, false, "early"}, {false, true, "late"}} {
		early, late := member(t, "early", 1), member(t, "late", 2)
		early.Capabilities.Rollback, late.Capabilities.Rollback = tt.early, tt.late
		got := map[bool]string{true: "early", false: "late"}[Polite(&early, &late)]
		if got != tt.want || Polite(&early, &late) == Polite(&late, &early) {
			t.Errorf("rollback %v and %v: %s is polite, want %s alone", tt.early, tt.late, got, tt.want)
		}
	}
}
