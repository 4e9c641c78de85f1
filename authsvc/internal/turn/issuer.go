package turn

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the draft's algorithm, which TURN servers expect
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// The bounds of an Issuer.
const (
	// MinSecret is the least length of a secret, in characters: it signs what
	// anyone who asks for credentials gets to see, so it must not be guessed.
	MinSecret = 16
	// MinTTL and MaxTTL bound how long a credential is good for.
	MinTTL = time.Minute
	MaxTTL = 7 * 24 * time.Hour
)

// userBytes of the hash tell users apart.
const userBytes = 12

// Issuer makes the ICE servers of one deployment. Its fields must not change
// while it is used.
type Issuer struct {
	URLs   []string      // stun:, stuns:, turn: and turns: (RFC 7064, RFC 7065)
	Secret string        // shared with the TURN server
	TTL    time.Duration // of a credential
}

// Validate reports every fault. The zero Issuer is valid: it has no servers.
func (i Issuer) Validate() error {
	var faults []error
	needs := false
	for n, raw := range i.URLs {
		scheme, rest, _ := strings.Cut(raw, ":")
		switch scheme {
		case "turn", "turns":
			needs = true
		case "stun", "stuns":
			if strings.Contains(rest, "?") {
				faults = append(faults, fmt.Errorf("urls[%d]: %q has a query, which no %s URL has (RFC 7064)", n, raw, scheme))
			}
		default:
			faults = append(faults, fmt.Errorf("urls[%d]: %q is no ICE server, it must begin with stun:, stuns:, turn: or turns: and a host", n, raw))
			continue
		}
		if u, err := url.Parse("//" + rest); err != nil || u.Hostname() == "" || u.Path != "" {
			faults = append(faults, fmt.Errorf("urls[%d]: %q must be like turn:turn.example.com:3478?transport=udp", n, raw))
		}
	}
	if needs && len(i.Secret) < MinSecret {
		faults = append(faults, fmt.Errorf("secret: has %d characters, it must be that of the TURN server and have at least %d; make one with: openssl rand -hex 32", len(i.Secret), MinSecret))
	}
	if !needs && i.Secret != "" {
		faults = append(faults, errors.New("secret: is set, but urls name no TURN server"))
	}
	if len(i.URLs) > 0 && (i.TTL < MinTTL || i.TTL > MaxTTL) {
		faults = append(faults, fmt.Errorf("ttl: is %s, it must be %s to %s", i.TTL, MinTTL, MaxTTL))
	}
	return errors.Join(faults...)
}

// Issue returns the servers for one person, with credentials that are good for
// TTL from now.
func (i Issuer) Issue(app contract.Token, identity string, now time.Time) []contract.ICEServer {
	var stun, relay []string
	for _, raw := range i.URLs {
		if strings.HasPrefix(raw, "stun") {
			stun = append(stun, raw)
		} else {
			relay = append(relay, raw)
		}
	}
	var servers []contract.ICEServer
	if len(stun) > 0 {
		servers = append(servers, contract.ICEServer{URLs: stun})
	}
	if len(relay) > 0 {
		username := strconv.FormatInt(now.Add(i.TTL).Unix(), 10) + ":" + i.user(app, identity)
		mac := hmac.New(sha1.New, []byte(i.Secret))
		mac.Write([]byte(username))
		servers = append(servers, contract.ICEServer{
			URLs: relay, Username: username, Credential: base64.StdEncoding.EncodeToString(mac.Sum(nil)),
		})
	}
	return servers
}

// user is the number of a person of an app.
func (i Issuer) user(app contract.Token, identity string) string {
	mac := hmac.New(sha256.New, []byte(i.Secret))
	mac.Write([]byte("user\x00" + app.String() + "\x00" + identity))
	return hex.EncodeToString(mac.Sum(nil)[:userBytes])
}
