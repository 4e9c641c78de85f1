package turn

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

const secret = "north-wind-and-sun"

func issuer(urls ...string) Issuer { return Issuer{URLs: urls, Secret: secret, TTL: time.Hour} }

var now = time.Unix(1_800_000_000, 0)

// The credential is what a TURN server computes from the username. Expected:
// printf %s "$username" | openssl dgst -sha1 -hmac north-wind-and-sun -binary | base64.
func TestIssue_credential_is_the_hmac_of_the_username(t *testing.T) {
	app := contract.ID("shop").Token()
	servers := issuer("stun:t.example.com", "turn:t.example.com:3478?transport=udp", "turns:t.example.com").Issue(app, "ada", now)
	if len(servers) != 2 {
		t.Fatalf("got %d servers, want one for stun and one for turn: %+v", len(servers), servers)
	}
	if got := servers[0]; got.Username != "" || got.Credential != "" || !slices.Equal(got.URLs, []string{"stun:t.example.com"}) {
		t.Errorf("the stun server: got %+v", got)
	}
	relay := servers[1]
	if want := []string{"turn:t.example.com:3478?transport=udp", "turns:t.example.com"}; !slices.Equal(relay.URLs, want) {
		t.Errorf("urls: got %v, want %v", relay.URLs, want)
	}
	const wantUser, wantCredential = "1800003600:7a480eb58b70571834d0c2f9", "OSbFVDMdKxeImhQBI2GQS46/93I="
	if relay.Username != wantUser || relay.Credential != wantCredential {
		t.Errorf("got %s %s, want %s %s", relay.Username, relay.Credential, wantUser, wantCredential)
	}
}

func TestIssue_a_user_keeps_a_number_that_names_nobody(t *testing.T) {
	i := issuer("turn:t.example.com")
	user := func(app, identity string) string {
		_, number, _ := strings.Cut(i.Issue(contract.ID(app).Token(), identity, now)[0].Username, ":")
		return number
	}
	ada := user("shop", "ada")
	if strings.Contains(ada, "ada") || ada == "" {
		t.Errorf("the number %q tells who it is", ada)
	}
	if got := user("shop", "ada"); got != ada {
		t.Errorf("asked again: got %s, want %s", got, ada)
	}
	for _, other := range [][2]string{{"shop", "bob"}, {"clinic", "ada"}} {
		if got := user(other[0], other[1]); got == ada {
			t.Errorf("%v has the number of ada in shop", other)
		}
	}
}

func TestIssue_without_urls_has_no_servers(t *testing.T) {
	if got := (Issuer{TTL: time.Hour}).Issue(contract.ID("shop").Token(), "ada", now); len(got) != 0 {
		t.Errorf("got %+v, want none", got)
	}
}

func TestValidate(t *testing.T) {
	for name, tc := range map[string]struct {
		issuer Issuer
		want   string // "": it is valid
	}{
		"nothing":              {Issuer{}, ""},
		"stun alone":           {Issuer{URLs: []string{"stun:s.example.com:3478"}, TTL: time.Hour}, ""},
		"stun, turn and turns": {issuer("stun:s", "turn:[2001:db8::1]:3478?transport=tcp", "turns:t:5349"), ""},
		"secret at its least":  {Issuer{URLs: []string{"turn:t"}, Secret: strings.Repeat("x", MinSecret), TTL: time.Hour}, ""},
		"short secret":         {Issuer{URLs: []string{"turn:t"}, Secret: strings.Repeat("x", MinSecret-1), TTL: time.Hour}, "secret: has 15"},
		"secret for nothing":   {Issuer{URLs: []string{"stun:s"}, Secret: secret, TTL: time.Hour}, "name no TURN server"},
		"other scheme":         {issuer("http://t.example.com"), "must begin with stun:"},
		"no host":              {issuer("turn::3478"), "must be like turn:"},
		"slashes":              {issuer("turn://t.example.com"), "must be like turn:"},
		"stun with a query":    {issuer("stun:s?transport=udp", "turn:t"), "has a query"},
		"least ttl":            {Issuer{URLs: []string{"turn:t"}, Secret: secret, TTL: MinTTL}, ""},
		"short ttl":            {Issuer{URLs: []string{"turn:t"}, Secret: secret, TTL: MinTTL - 1}, "ttl: is"},
		"most ttl":             {Issuer{URLs: []string{"turn:t"}, Secret: secret, TTL: MaxTTL}, ""},
		"long ttl":             {Issuer{URLs: []string{"turn:t"}, Secret: secret, TTL: MaxTTL + 1}, "ttl: is"},
	} {
		t.Run(name, func(t *testing.T) {
			err := tc.issuer.Validate()
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("got %v, want no fault", err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Error("the error tells the secret")
			}
		})
	}
}
