package index

import (
	"testing"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

func TestIndex_List(t *testing.T) {
	x := New()
	mine, theirs := contract.ID("mine").Token(), contract.ID("theirs").Token()
	peer := contract.NewPeerID()
	put := func(app contract.Token, name contract.ID, members int) {
		doc := &contract.RoomDocument{Revision: 7, Locked: name == "b"}
		for range members {
			doc.Members = append(doc.Members, contract.Member{Peer: peer, Identity: "ada"})
		}
		x.Document(room.Ref{App: app, Room: name.Token()}, 1, doc, time.Now())
	}
	put(mine, "b", 1)
	put(mine, "é", 1)
	put(mine, "a b", 2)
	put(mine, "empty", 0)
	put(theirs, "c", 1)
	for _, test := range []struct {
		name  string
		after contract.ID
		most  int
		want  []contract.ID
		more  bool
	}{
		{"all", "", 3, []contract.ID{"a b", "b", "é"}, false},
		{"the first", "", 2, []contract.ID{"a b", "b"}, true},
		{"those after a room", "b", 2, []contract.ID{"é"}, false},
		{"those after a room that isn't there", "az", 1, []contract.ID{"b"}, true},
		{"none", "é", 1, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, more := x.List(mine, test.after, test.most)
			if len(got) != len(test.want) || more != test.more {
				t.Fatalf("got %v, %t, want %v, %t", got, more, test.want, test.more)
			}
			for i := range got {
				if got[i].Name != test.want[i] || got[i].Revision != 7 || got[i].Locked != (test.want[i] == "b") {
					t.Errorf("got %+v, want %s", got[i], test.want[i])
				}
			}
		})
	}
	if got := x.Identity(room.Ref{App: mine, Room: contract.ID("b").Token()}, peer); got != "ada" {
		t.Errorf("identity: got %q, want ada", got)
	}
	if got := x.Identity(room.Ref{App: mine, Room: contract.ID("empty").Token()}, peer); got != "" {
		t.Errorf("identity of nobody: got %q", got)
	}
}
