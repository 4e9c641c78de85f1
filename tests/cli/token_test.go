package cli

import (
	"encoding/json"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

func TestToken(t *testing.T) {
	p := newPlace(t)
	d := startDev(t, p, anyPorts...)
	auth := []string{"--url", d.greeting.URL}
	token := func(t *testing.T, args ...string) outcome {
		t.Helper()
		return p.run(t, append(append([]string{"token"}, auth...), args...)...)
	}
	for name, id := range map[string]string{
		"a wildcard": "*", "a full wildcard": ">", "a dot": "a.b", "an emoji": "👩‍💻 🙂", "an equals sign": "=", "a space": " ",
		"a flag": "--room", "a slash": "../a", "as long as may be": strings.Repeat("x", contract.MaxIDBytes),
	} {
		t.Run("an id with "+name+" works from end to end", func(t *testing.T) {
			var rooms [2]*client.Room
			for i := range rooms {
				identity := id
				if i == 1 {
					identity = "the other one"
				}
				got := token(t, "--room="+id, "--id="+identity)
				got.check(t, 0)
				if strings.Count(got.out, "\n") != 1 {
					t.Fatalf("got %q, want one line", got.out)
				}
				rooms[i] = join(t, d.greeting.WebSocket, id, strings.TrimSpace(got.out))
			}
			if err := rooms[1].Send(t.Context(), rooms[0].Self().Peer, id); err != nil {
				t.Fatal(err)
			}
			if got := message(t, rooms[0]); got != id {
				t.Errorf("got the message %q, want %q", got, id)
			}
			if peers := rooms[1].Peers(); len(peers) != 1 || peers[0].Identity != id {
				t.Errorf("the roster is %+v, want %q", peers, id)
			}
		})
	}
	t.Run("with all that a token may say", func(t *testing.T) {
		got := token(t, "--room", "r", "--id", "ada", "--grant", "kick,lock", "--ttl", "90s", "--max-stay", "1h", "--ice", "relay", "--json")
		got.check(t, 0)
		var reply contract.TokenReply
		if err := json.Unmarshal([]byte(got.out), &reply); err != nil || reply.Token == "" {
			t.Fatalf("got %q (%v), want JSON with a token", got.out, err)
		}
		if left := time.Until(time.Unix(reply.Expires, 0)); left < 60*time.Second || left > 91*time.Second {
			t.Errorf("it expires in %v, want 90s", left)
		}
		if policy := join(t, d.greeting.WebSocket, "r", reply.Token).ICEPolicy(); policy != contract.PolicyRelay {
			t.Errorf("the policy is %q, want relay", policy)
		}
	})
	for _, one := range []struct {
		name string
		args []string
		code int
		text string
	}{
		{"an unknown grant", []string{"--room", "r", "--id", "i", "--grant", "fly"}, 1, "bad_frame"},
		{"an unknown policy", []string{"--room", "r", "--id", "i", "--ice", "some"}, 1, "bad_frame"},
		{"a time to live that is no duration", []string{"--room", "r", "--id", "i", "--ttl", "long"}, 2, "--ttl"},
		{"a time to live under a second", []string{"--room", "r", "--id", "i", "--ttl", "10ms"}, 2, "--ttl"},
		{"a time to live below 0", []string{"--room", "r", "--id", "i", "--ttl", "-5s"}, 2, "--ttl"},
	} {
		t.Run(one.name, func(t *testing.T) { token(t, one.args...).check(t, one.code, one.text) })
	}
	t.Run("an API key that no app has", func(t *testing.T) {
		p.with("PARLEY_API_KEY=nobodys-key-0123456789").run(t, append(append([]string{"token"}, auth...), "--room", "r", "--id", "i")...).
			check(t, 1, "bad_api_key")
	})
	t.Run("a call", func(t *testing.T) {
		got := p.run(t, append([]string{"call", "--edge", d.greeting.WebSocket, "--bytes", "50000"}, auth...)...)
		got.check(t, 0)
		var result struct{ Bytes int }
		if err := json.Unmarshal([]byte(got.out), &result); err != nil || result.Bytes != 50_000 {
			t.Errorf("got %q (%v), want a JSON line with 50000 bytes", got.out, err)
		}
	})
}

// message waits for the next message's text.
func message(t *testing.T, r *client.Room) string {
	t.Helper()
	for event, err := range r.Events(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if m, ok := event.(client.Message); ok {
			var text string
			if err := json.Unmarshal(m.Data, &text); err != nil {
				t.Fatal(err)
			}
			return text
		}
	}
	t.Fatal("the room ended")
	return ""
}

func TestToken_refusesNamesThatAreNone(t *testing.T) {
	p := newPlace(t)
	for name, one := range map[string]struct{ id, why string }{
		"nothing":             {"", "empty"},
		"4,096 characters":    {strings.Repeat("x", 4096), "at most " + strconv.Itoa(contract.MaxIDBytes)},
		"a byte too many":     {strings.Repeat("x", contract.MaxIDBytes+1), "at most " + strconv.Itoa(contract.MaxIDBytes)},
		"CR and LF":           {"a\r\nb", "control character"},
		"a tab":               {"a\tb", "control character"},
		"what isn't UTF-8":    {"a\xffb", "UTF-8"},
		"a C1 control (NEL)":  {"a\u0085b", "control character"},
		"a line end alone":    {"\n", "control character"},
		"only a line of CRLF": {"\r\n", "control character"},
	} {
		t.Run(name, func(t *testing.T) {
			p.run(t, "token", "--room="+one.id, "--id=ada").check(t, 2, "--room", one.why)
			p.run(t, "token", "--room=r", "--id="+one.id).check(t, 2, "--id", one.why)
			both := p.run(t, "token", "--room="+one.id, "--id="+one.id)
			both.check(t, 2, "--room", "--id")
			if strings.Contains(both.err, "\r") || strings.Contains(both.err, strings.Repeat("x", 100)) {
				t.Errorf("the message repeats what was wrong: %q", both.err)
			}
		})
	}
}

func TestToken_withoutParley(t *testing.T) {
	t.Run("no folder of parley dev", func(t *testing.T) {
		newPlace(t).run(t, "token", "--room", "r", "--id", "i").check(t, 1, "api.key", "start parley dev", "PARLEY_API_KEY", "--api-key-file")
	})
	t.Run("nobody listens", func(t *testing.T) {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		newPlace(t, "PARLEY_API_KEY=some-key-0123456789").run(t, "token", "--room", "r", "--id", "i", "--url", "http://"+l.Addr().String()).
			check(t, 1, "refused", "is the authsvc, or parley dev, running?")
	})
	t.Run("an address that is none", func(t *testing.T) {
		newPlace(t, "PARLEY_API_KEY=some-key-0123456789").run(t, "token", "--room", "r", "--id", "i", "--url", "nonsense").
			check(t, 2, "--url", "http://")
	})
}
