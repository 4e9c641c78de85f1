package token

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/token/object"
)

// MaxBytes is the longest token that is looked at.
const MaxBytes = 4 << 10

// Rules say which of the tokens that verify are meant for this deployment.
type Rules struct {
	// Issuer must be a token's `iss`; empty accepts any that a known key signed.
	Issuer string
	// Leeway is how far the clocks of the issuer and the checker may differ; it
	// is granted to `nbf` and to `exp` (RFC 7519 sections 4.1.4 and 4.1.5).
	Leeway time.Duration
}

// DefaultRules accepts any issuer and clocks that differ by 30 s.
func DefaultRules() Rules { return Rules{Leeway: 30 * time.Second} }

// Verifier checks room tokens. Its methods may be called from any goroutine.
type Verifier struct {
	rules Rules

	mu      sync.RWMutex
	keys    map[string]ed25519.PublicKey
	retired map[string]bool // for ever: a record that comes back late can't undo it
}

// NewVerifier returns a Verifier that knows no key yet, and so believes nothing.
func NewVerifier(rules Rules) *Verifier {
	return &Verifier{rules: rules, keys: map[string]ed25519.PublicKey{}, retired: map[string]bool{}}
}

// SetKey makes the record's key count, or, if it is retired, never again. A
// record that isn't sound is refused and changes nothing.
func (v *Verifier) SetKey(record contract.KeyRecord) error {
	if !record.Retired {
		if err := checkRecord(record); err != nil {
			return err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if record.Retired {
		v.retired[record.KeyID] = true
	}
	if v.retired[record.KeyID] {
		delete(v.keys, record.KeyID)
		return nil
	}
	v.keys[record.KeyID] = bytes.Clone(record.Public)
	return nil
}

// RemoveKey forgets a key until it is set again.
func (v *Verifier) RemoveKey(kid string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.keys, kid)
}

// Knows reports whether tokens of that key verify.
func (v *Verifier) Knows(kid string) bool { return v.key(kid) != nil }

// Keys is the number of keys whose tokens verify.
func (v *Verifier) Keys() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.keys)
}

// Verify returns the claims of a token that is valid at the time now. Every
// error is a *contract.Error: CodeBadToken for a token that can't be believed,
// CodeTokenExpired for one that could be once, CodeForbidden for one that is
// sound and meant for another audience or issuer.
func (v *Verifier) Verify(raw string, now time.Time) (contract.Claims, error) {
	payload, err := v.authenticate(raw)
	if err != nil {
		return contract.Claims{}, err
	}
	claims, err := readClaims(payload)
	if err != nil {
		return contract.Claims{}, err
	}
	if err := checkClaims(claims); err != nil {
		return contract.Claims{}, err
	}
	if err := v.judge(claims, now); err != nil {
		return contract.Claims{}, err
	}
	return claims, nil
}

// segment is how each of a token's three parts is written (RFC 7515 section 2);
// strict, so that a part has one text.
var segment = base64.RawURLEncoding.Strict()

// authenticate returns the payload of a token whose signature verifies.
func (v *Verifier) authenticate(raw string) ([]byte, error) {
	if len(raw) > MaxBytes {
		return nil, tooLong()
	}
	// base64 decoders skip CR and LF, which would make many texts of one token.
	if strings.ContainsFunc(raw, notInJWT) {
		return nil, malformed()
	}
	encoded, rest, _ := strings.Cut(raw, ".")
	header, err := segment.DecodeString(encoded)
	if err != nil {
		return nil, malformed()
	}
	kid, err := readHeader(header)
	if err != nil {
		return nil, err
	}
	key := v.key(kid)
	if key == nil {
		return nil, bad("no key with this kid is known here; it was retired or never published: ask for a new token")
	}
	encoded, end, three := strings.Cut(rest, ".")
	payload, err := segment.DecodeString(encoded)
	if err != nil || !three {
		return nil, malformed()
	}
	signature, err := segment.DecodeString(end)
	if err != nil { // also with a fourth part
		return nil, malformed()
	}
	if jwt.SigningMethodEdDSA.Verify(raw[:len(raw)-len(end)-1], signature, key) != nil {
		return nil, bad("its signature doesn't verify: send the token as it was issued")
	}
	return payload, nil
}

// judge holds sound claims against this deployment and the time.
func (v *Verifier) judge(c contract.Claims, now time.Time) error {
	switch {
	case c.Audience != contract.TokenAudience:
		return wrongAudience()
	case v.rules.Issuer != "" && c.Issuer != v.rules.Issuer:
		return contract.Errorf(contract.CodeForbidden, "room token: it is from an issuer that isn't accepted here")
	case now.Before(time.Unix(c.NotBefore, 0).Add(-v.rules.Leeway)):
		return bad("it isn't valid yet: see nbf, and whether the clocks agree")
	case !now.Before(time.Unix(c.Expires, 0).Add(v.rules.Leeway)):
		return contract.Errorf(contract.CodeTokenExpired, "room token: it has expired: ask for a new one")
	}
	return nil
}

func (v *Verifier) key(kid string) ed25519.PublicKey {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.keys[kid]
}

// readHeader returns the kid of a header (RFC 7515 section 4) that asks for
// nothing but what a room token has.
func readHeader(text []byte) (kid string, err error) {
	header, err := object.Parse(text)
	if err != nil {
		return "", bad("its header: %v", err)
	}
	var alg string
	if err := header.Read("alg", &alg); err != nil || alg != Algorithm {
		return "", bad("alg must be %s", Algorithm)
	}
	// Section 4.1.11: extensions that aren't understood must be refused.
	if header.Has("crit") {
		return "", bad("its header has crit; no extension is supported")
	}
	if err := header.Read("kid", &kid); err != nil || kid == "" {
		return "", bad("its header has no kid to say which key signed it")
	}
	return kid, nil
}

// notInJWT reports characters outside base64url and the dot (RFC 7515 section 2).
func notInJWT(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	return !letter && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
}

func malformed() error {
	return bad("it is not a signed JWT: three parts of base64url with dots between them")
}

func tooLong() error { return bad("it is over %d bytes", MaxBytes) }

func wrongAudience() error {
	return contract.Errorf(contract.CodeForbidden, "room token: its audience (aud) must be %q", contract.TokenAudience)
}
