package authsvc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/parley-rtc/parley/authsvc/internal/keyring"
	"github.com/parley-rtc/parley/authsvc/internal/request"
	"github.com/parley-rtc/parley/authsvc/internal/turn"
	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

// The lengths of an API key, in characters.
const (
	MinAPIKey = 16
	MaxAPIKey = 256
)

// maxTokenTTL is the most that max_token_ttl can be.
const maxTokenTTL = 30 * 24 * time.Hour

// Config is the section "authsvc".
type Config struct {
	// Listen is host:port for POST /v1/tokens. It speaks plain HTTP: on another
	// address than loopback a proxy with TLS must stand before it.
	Listen string `koanf:"listen"`
	// Issuer is the `iss` of every token.
	Issuer string `koanf:"issuer"`
	// SigningKey is the Ed25519 private key that signs: PEM (PKCS #8), or its
	// 32-byte seed in base64url.
	SigningKey config.Secret `koanf:"signing_key"`
	// ExtraKeys, by any names, are keys (private, or the public half in PEM)
	// whose tokens verify too: the one before, or the one to come.
	ExtraKeys map[string]config.Secret `koanf:"extra_keys"`
	// RetiredKeys are the kids of keys whose tokens must never verify again.
	RetiredKeys []string `koanf:"retired_keys"`
	// Apps are the tenants.
	Apps []App `koanf:"apps"`
	// TokenTTL is how long a token is valid if the request doesn't say, and
	// MaxTokenTTL the most that one may ask for. Both are cut to seconds.
	TokenTTL    time.Duration `koanf:"token_ttl"`
	MaxTokenTTL time.Duration `koanf:"max_token_ttl"`
	// Rate and Burst are the tokens/s, and the tokens at once, that one API key
	// gets from one process.
	Rate  float64 `koanf:"rate"`
	Burst int     `koanf:"burst"`
	// Refresh is the time between two looks at whether all that this process
	// published is still there.
	Refresh time.Duration `koanf:"refresh"`

	// TURN says which ICE servers members get with credentials of their own.
	TURN TURN `koanf:"turn"`

	// Listener, if set, is used instead of Listen, and closed.
	Listener net.Listener `koanf:"-"`
	// Serve, if set, is used instead of any listening: it must serve the handler
	// until ctx ends.
	Serve func(ctx context.Context, h http.Handler) error `koanf:"-"`
}

// TURN is what authsvc shares with the TURN servers.
type TURN struct {
	// URLs are stun:, stuns:, turn: and turns: URLs (RFC 7064, RFC 7065); empty:
	// there are none.
	URLs []string `koanf:"urls"`
	// Secret is the servers' own: coturn's static-auth-secret.
	Secret config.Secret `koanf:"secret"`
	// TTL is how long a credential may be used to allocate; what was allocated
	// with it goes on. Edges bring members new ones in time.
	TTL time.Duration `koanf:"ttl"`
}

func (t TURN) issuer() turn.Issuer {
	return turn.Issuer{URLs: t.URLs, Secret: t.Secret.Reveal(), TTL: t.TTL}
}

// App is one tenant.
type App struct {
	// ID is the app's name.
	ID string `koanf:"id"`
	// APIKeys, by any names, are the keys with which the app's backend asks for
	// tokens. Without any it gets none.
	APIKeys map[string]config.Secret `koanf:"api_keys"`
	// Capacity is the most members a room; 0 leaves it to roomsvc.
	Capacity int `koanf:"capacity"`
	// Duplicates is replace, reject or allow; empty leaves it to roomsvc.
	Duplicates contract.DuplicatePolicy `koanf:"duplicates"`
	// ICE is all, public or relay; it can only tighten the filter's own policy.
	ICE contract.Policy `koanf:"ice"`
}

// DefaultConfig listens on this machine. It has no signing key and no app.
func DefaultConfig() Config {
	return Config{
		Listen:      "127.0.0.1:7412",
		Issuer:      "parley",
		TokenTTL:    time.Hour,
		MaxTokenTTL: 24 * time.Hour,
		Rate:        50,
		Burst:       100,
		Refresh:     30 * time.Second,
		TURN:        TURN{TTL: time.Hour},
	}
}

// Validate reports every fault of the section.
func (c Config) Validate() error {
	var faults []error
	fail := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if _, _, err := net.SplitHostPort(c.Listen); err != nil && c.Listener == nil {
		fail("listen: is %q, it must be host:port", c.Listen)
	}
	if _, err := contract.ParseID(c.Issuer); err != nil {
		fail("issuer: %w", err)
	}
	if _, err := c.ring(); err != nil {
		faults = append(faults, err)
	}
	faults = append(faults, c.appFaults()...)
	if err := c.TURN.issuer().Validate(); err != nil {
		for _, fault := range unjoined(err) {
			fail("turn.%w", fault)
		}
	}
	if c.MaxTokenTTL < request.MinTTL || c.MaxTokenTTL > maxTokenTTL {
		fail("max_token_ttl: is %s, it must be %s to %s", c.MaxTokenTTL, request.MinTTL, maxTokenTTL)
	}
	if c.TokenTTL < request.MinTTL || c.TokenTTL > c.MaxTokenTTL {
		fail("token_ttl: is %s, it must be %s to max_token_ttl (%s)", c.TokenTTL, request.MinTTL, c.MaxTokenTTL)
	}
	if !(c.Rate > 0) || math.IsInf(c.Rate, 1) {
		fail("rate: is %v, it must be over 0", c.Rate)
	}
	if c.Burst < 1 {
		fail("burst: is %d, it must be at least 1", c.Burst)
	}
	if c.Refresh < 10*time.Millisecond {
		fail("refresh: is %s, it must be at least 10ms", c.Refresh)
	}
	return errors.Join(faults...)
}

// unjoined are the errors that errors.Join joined.
func unjoined(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// appFaults looks at each app, and for what two of them share.
func (c Config) appFaults() []error {
	var faults []error
	ids := map[string]bool{}
	owner := map[backend.Hash]string{}
	for i, app := range c.Apps {
		at := fmt.Sprintf("apps[%d]", i)
		fail := func(key, format string, args ...any) {
			faults = append(faults, fmt.Errorf("%s.%s: %w", at, key, fmt.Errorf(format, args...)))
		}
		if _, err := contract.ParseID(app.ID); err != nil {
			fail("id", "%w", err)
		} else if ids[app.ID] {
			fail("id", "%q stands here twice", app.ID)
		}
		ids[app.ID] = true
		if app.Capacity < 0 {
			fail("capacity", "is %d, it must be at least 1, or 0 for roomsvc's default", app.Capacity)
		}
		if _, err := contract.ParsePolicy(string(app.ICE)); err != nil && app.ICE != "" {
			fail("ice", "%w", err)
		}
		switch app.Duplicates {
		case "", contract.DuplicateReplace, contract.DuplicateReject, contract.DuplicateAllow:
		default:
			fail("duplicates", "is %q, it must be replace, reject or allow", app.Duplicates)
		}
		for _, name := range slices.Sorted(maps.Keys(app.APIKeys)) {
			key := app.APIKeys[name].Reveal()
			if err := checkAPIKey(key); err != nil {
				fail("api_keys."+name, "%w", err)
				continue
			}
			hash := backend.HashOf(key)
			if other, shared := owner[hash]; shared {
				fail("api_keys."+name, "%s has the same one; each must be given once", other)
			}
			owner[hash] = at + ".api_keys." + name
		}
	}
	return faults
}

// checkAPIKey holds a key against the form of a bearer token (RFC 6750 section
// 2.1). The error never repeats the key.
func checkAPIKey(key string) error {
	if len(key) < MinAPIKey || len(key) > MaxAPIKey {
		return fmt.Errorf("has %d characters, it must have %d to %d; make one with: openssl rand -hex 32", len(key), MinAPIKey, MaxAPIKey)
	}
	for _, c := range strings.TrimRight(key, "=") {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("-._~+/", c) {
			return errors.New("may hold letters, digits and - . _ ~ + / only, and = at its end; make one with: openssl rand -hex 32")
		}
	}
	return nil
}

func (c Config) ring() (*keyring.Ring, error) {
	extra := map[string]string{}
	for name, key := range c.ExtraKeys {
		extra[name] = key.Reveal()
	}
	return keyring.New(keyring.Source{Signing: c.SigningKey.Reveal(), Extra: extra, Retired: c.RetiredKeys})
}

// records are the configured apps as the bucket holds them, each API key only
// as its hash. The configuration must be valid.
func (c Config) records() []contract.AppRecord {
	records := make([]contract.AppRecord, 0, len(c.Apps))
	for _, app := range c.Apps {
		record := contract.AppRecord{
			App:        contract.ID(app.ID).Token(),
			APIKeys:    make([][]byte, 0, len(app.APIKeys)),
			Capacity:   app.Capacity,
			Duplicates: app.Duplicates,
			ICE:        app.ICE,
		}
		for _, key := range app.APIKeys {
			hash := backend.HashOf(key.Reveal())
			record.APIKeys = append(record.APIKeys, hash[:])
		}
		slices.SortFunc(record.APIKeys, slices.Compare) // one configuration, one text
		records = append(records, record)
	}
	return records
}
