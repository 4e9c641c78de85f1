package authsvc

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// askICE asks as an edge does.
func (r *running) askICE(body string) contract.ICEReply {
	r.t.Helper()
	m, err := r.nc.RequestWithContext(testContext(r.t), contract.SubjectAuthICE, []byte(body))
	if err != nil {
		r.t.Fatal(err)
	}
	var reply contract.ICEReply
	if err := json.Unmarshal(m.Data, &reply); err != nil {
		r.t.Fatal(err)
	}
	return reply
}

func TestICE(t *testing.T) {
	nc, _ := setup(t)
	cfg := testConfig()
	cfg.TURN = TURN{URLs: []string{"stun:t.example.com", "turn:t.example.com"}, Secret: "a-secret-of-the-turn-server", TTL: time.Minute}
	svc := start(t, nc, cfg)
	t.Run("a member gets a stun server, and a turn server with credentials", func(t *testing.T) {
		got := svc.askICE(`{"app":"demo","identity":"ada"}`)
		if got.Error != nil || len(got.ICEServers) != 2 || got.TTL != 60 {
			t.Fatalf("got %+v, want two servers for 60 s", got)
		}
		if relay := got.ICEServers[1]; relay.Username == "" || relay.Credential == "" || strings.Contains(relay.Username, "ada") {
			t.Errorf("got user name %q with credential %q, want both, and no identity", relay.Username, relay.Credential)
		}
	})
	for _, body := range []string{`{}`, `{"app":"demo"}`, `{"identity":"ada"}`, `not JSON`} {
		t.Run("refused: "+body, func(t *testing.T) {
			if got := svc.askICE(body); got.Error == nil || got.Error.Code != contract.CodeBadFrame || len(got.ICEServers) != 0 {
				t.Errorf("got %+v, want %s", got, contract.CodeBadFrame)
			}
		})
	}
}

func TestICE_withoutTURNServersThereAreNone(t *testing.T) {
	nc, _ := setup(t)
	svc := start(t, nc, testConfig())
	if got := svc.askICE(`{"app":"demo","identity":"ada"}`); got.Error != nil || len(got.ICEServers) != 0 || got.TTL != 0 {
		t.Errorf("got %+v, want none", got)
	}
}
