package stack

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the algorithm of TURN's REST credentials
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// relays are the TURN servers of these tests; nothing listens there.
var relays = authsvc.TURN{URLs: []string{"stun:127.0.0.1:9", "turn:127.0.0.1:9?transport=udp"}, Secret: "a-secret-of-the-turn-server"}

// TestICEServers_comeWithTheJoin checks the credential as a TURN server does.
func TestICEServers_comeWithTheJoin(t *testing.T) {
	s := InProcess(t, Options{TURN: relays})
	ada := Join(t, s.Dial(t, 0, "ada"), "ice")
	checkRelay(t, ada.ICEServers())
	again := Join(t, s.Dial(t, 1, "bob"), "ice")
	if ada, bob := relay(ada.ICEServers()).Username, relay(again.ICEServers()).Username; ada == bob {
		t.Errorf("ada and bob have the same user name %q", ada)
	}
}

// TestICEServers_followWhenAuthsvcIsBack lets members join without authsvc: they
// aren't held up, and get their servers when there is somebody to make them, also
// the second one, for whom the edge doesn't ask since nobody answered the first.
func TestICEServers_followWhenAuthsvcIsBack(t *testing.T) {
	t.Parallel() // most of it is the time until a member asks again
	s := Processes(t, Options{TURN: relays})
	tokens := map[string]string{}
	for _, name := range []string{"ada", "bob"} {
		token, err := s.Token(t.Context(), "ice", name)
		if err != nil {
			t.Fatal(err)
		}
		tokens[name] = token
	}
	auth := s.Process(t, "authsvc")
	auth.Stop(t)
	var rooms []*client.Room
	for _, name := range []string{"ada", "bob"} {
		c := s.Dial(t, 0, name, client.WithToken(func(context.Context, string, client.TokenReason) (string, error) { return tokens[name], nil }))
		room, err := c.Join(t.Context(), "ice")
		if err != nil {
			t.Fatalf("%s joins without authsvc: %v", name, err)
		}
		if got := room.ICEServers(); len(got) != 0 {
			t.Fatalf("%s got %+v from an authsvc that doesn't run", name, got)
		}
		rooms = append(rooms, room)
	}
	auth.Start(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, room := range rooms {
		for changed := false; !changed; {
			e, err := room.Next(ctx)
			if err != nil {
				t.Fatalf("no servers came for %s: %v", room.Self().Identity, err)
			}
			_, changed = e.(client.ICEServersChanged)
		}
		checkRelay(t, room.ICEServers())
	}
}

func relay(servers []contract.ICEServer) contract.ICEServer {
	i := slices.IndexFunc(servers, func(s contract.ICEServer) bool { return s.Credential != "" })
	if i < 0 {
		return contract.ICEServer{}
	}
	return servers[i]
}

func checkRelay(t *testing.T, servers []contract.ICEServer) {
	t.Helper()
	got := relay(servers)
	expiry, _, _ := strings.Cut(got.Username, ":")
	seconds, err := strconv.ParseInt(expiry, 10, 64)
	if err != nil {
		t.Fatalf("no TURN server with a user name that says when it ends: %+v", servers)
	}
	if left := time.Until(time.Unix(seconds, 0)); left < 50*time.Minute || left > time.Hour {
		t.Errorf("the credential is good for %s, want an hour", left)
	}
	mac := hmac.New(sha1.New, []byte(relays.Secret.Reveal()))
	mac.Write([]byte(got.Username))
	if want := base64.StdEncoding.EncodeToString(mac.Sum(nil)); got.Credential != want {
		t.Errorf("credential: got %s, want %s", got.Credential, want)
	}
	if want := relays.URLs[1:]; !slices.Equal(got.URLs, want) {
		t.Errorf("urls: got %v, want %v", got.URLs, want)
	}
}
