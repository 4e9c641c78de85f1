package room_test

import (
	"testing"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

func TestParseKey(t *testing.T) {
	ref := room.Ref{App: contract.ID("a.b").Token(), Room: token(t, "hall")}
	got, err := room.ParseKey(ref.Key())
	if err != nil || got != ref {
		t.Errorf("got %v, %v, want %v", got, err, ref)
	}
	for _, bad := range []string{"", "a", "a.b.c", "a.", ".b", "a.*", "a.>", "a.=", "a.b\r\n"} {
		if got, err := room.ParseKey(bad); err == nil {
			t.Errorf("key %q: got %v, want an error", bad, got)
		}
	}
}

func TestParseMemberKey(t *testing.T) {
	ref, peer := room.Ref{App: token(t, "app"), Room: contract.ID("é").Token()}, token(t, "p1")
	gotRef, gotPeer, err := room.ParseMemberKey(contract.MemberKey(ref.App, ref.Room, peer))
	if err != nil || gotRef != ref || gotPeer != peer {
		t.Errorf("got %v %v, %v, want %v %v", gotRef, gotPeer, err, ref, peer)
	}
	for _, bad := range []string{"", "a.b", "a.b.c.d", "a.b.", "a..c", ".b.c", "a.b.*"} {
		if _, _, err := room.ParseMemberKey(bad); err == nil {
			t.Errorf("key %q: got no error", bad)
		}
	}
}
