package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// TestRoom goes through all that parley room can do, over the address and the
// key that parley dev leaves in its folder.
func TestRoom(t *testing.T) {
	p := newPlace(t)
	d := startDev(t, p, anyPorts...)
	room := func(t *testing.T, args ...string) outcome {
		t.Helper()
		return p.run(t, append([]string{"room"}, args...)...)
	}
	enter := func(t *testing.T, name, identity string) *client.Room {
		t.Helper()
		got := p.run(t, "token", "--room", name, "--id", identity)
		got.check(t, 0)
		return join(t, d.greeting.WebSocket, name, strings.TrimSpace(got.out))
	}
	const hall = "the hall/日本 %2F"
	room(t, "list").check(t, 0, "no room has members")
	if got := room(t, "list", "--json"); got.out != "{\"rooms\":[]}\n" {
		t.Errorf("got %q", got.out)
	}
	ada := enter(t, hall, "ada")
	bob := enter(t, hall, "bob")
	t.Run("list and show", func(t *testing.T) {
		// Two of the name's runes are two columns wide.
		const table = "ROOM               MEMBERS  REVISION  LOCKED\nthe hall/日本 %2F  2        2         no\n"
		if got := room(t, "list"); got.out != table {
			t.Errorf("got %q, want %q", got.out, table)
		}
		room(t, "show", hall).check(t, 0, hall, "ada", "bob", ada.Self().Peer.String(), "here", "edge-")
		shown := room(t, "show", hall, "--json")
		var view struct {
			Room    string
			Members []struct{ Peer, Identity string }
		}
		if err := json.Unmarshal([]byte(shown.out), &view); err != nil || view.Room != hall || len(view.Members) != 2 || view.Members[1].Identity != "bob" {
			t.Errorf("got %q (%v)", shown.out, err)
		}
	})
	t.Run("message", func(t *testing.T) {
		room(t, "message", hall, "five minutes left").check(t, 0, "sent")
		room(t, "message", hall, `"as JSON"`, "--to", bob.Self().Peer.String()).check(t, 0, "sent")
		room(t, "message", hall, `"as text"`, "--text", "--json").check(t, 0, `"revision":`)
		for who, want := range map[*client.Room][]string{
			ada: {"five minutes left", `"as text"`}, bob: {"five minutes left", "as JSON", `"as text"`},
		} {
			for _, text := range want {
				if got := message(t, who); got != text {
					t.Errorf("got %q, want %q", got, text)
				}
			}
		}
	})
	t.Run("lock and unlock", func(t *testing.T) {
		room(t, "lock", hall).check(t, 0, "locked, the room is at revision")
		room(t, "list").check(t, 0, "yes")
		room(t, "unlock", hall, "--json").check(t, 0, `{"revision":`)
	})
	t.Run("kick", func(t *testing.T) {
		room(t, "kick", hall, "--id", "bob").check(t, 0, "1 had to leave")
		if got := leftFor(t, bob); got != contract.ReasonKicked {
			t.Errorf("bob left for %q, want %q", got, contract.ReasonKicked)
		}
		room(t, "kick", hall, "--peer", bob.Self().Peer.String(), "--json").check(t, 0, `"kicked":0`)
	})
	t.Run("close", func(t *testing.T) {
		room(t, "close", hall).check(t, 0, "closed, 1 had to leave")
		if got := leftFor(t, ada); got != contract.ReasonClosed {
			t.Errorf("ada left for %q, want %q", got, contract.ReasonClosed)
		}
		room(t, "show", hall).check(t, 0, "members   0")
	})
	for _, one := range []struct {
		name string
		args []string
		code int
		text string
	}{
		{"a room that isn't there", []string{"show", "nowhere"}, 1, "room_not_found"},
		{"a message into it", []string{"message", "nowhere", "hello"}, 1, "room_not_found"},
		{"lock of an empty room", []string{"lock", hall}, 1, "room_not_found"},
		{"a peer that can't be one", []string{"kick", hall, "--peer", "*"}, 1, "bad_id"},
		{"no room", []string{"show"}, 2, "ROOM is missing"},
		{"no data", []string{"message", hall}, 2, "DATA is missing"},
		{"an argument too many", []string{"lock", hall, "now"}, 2, `"now"`},
		{"nobody to kick", []string{"kick", hall}, 2, "--peer or --id"},
		{"two to kick", []string{"kick", hall, "--peer", "a", "--id", "b"}, 2, "--peer or --id"},
		{"a name that can't be one", []string{"show", "a\nb"}, 2, "control character"},
		{"an unknown verb", []string{"lokc", hall}, 2, "did you mean lock?"},
		{"an address that is none", []string{"list", "--url", "127.0.0.1:7420"}, 2, "--url"},
		{"an address with a path", []string{"list", "--url", d.greeting.URL + "/v1"}, 2, "--url"},
		{"nobody there", []string{"list", "--url", "http://127.0.0.1:1"}, 1, "is roomsvc, or parley dev, running?"},
	} {
		t.Run(one.name, func(t *testing.T) { room(t, one.args...).check(t, one.code, one.text) })
	}
	t.Run("a wrong API key", func(t *testing.T) {
		p.with("PARLEY_API_KEY=nobodys-key-0123456789").run(t, "room", "list").check(t, 1, "bad_api_key")
	})
	t.Run("by the variables of the tools", func(t *testing.T) {
		key := strings.TrimSpace(read(t, p, ".parley/api.key"))
		newPlace(t, "PARLEY_URL="+d.greeting.URL, "PARLEY_API_KEY="+key).run(t, "room", "list").check(t, 0, "no room")
	})
}

// leftFor waits until a membership ends, and says why it did.
func leftFor(t *testing.T, r *client.Room) contract.LeaveReason {
	t.Helper()
	for event, err := range r.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if left, is := event.(client.Left); is {
			return left.Reason
		}
	}
	return ""
}
