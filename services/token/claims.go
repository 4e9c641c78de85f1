package token

import (
	"slices"
	"time"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/token/object"
)

// MaxStay is the longest `maxStay` that a token may carry.
const MaxStay = 366 * 24 * time.Hour

// required lists the claims that no room token lacks.
var required = []string{"iss", "sub", "aud", "exp", "nbf", "jti", "app", "room"}

// readClaims reads the payload of a token, each claim once and of its type.
func readClaims(payload []byte) (contract.Claims, error) {
	o, err := object.Parse(payload)
	if err != nil {
		return contract.Claims{}, bad("the claims are no room token's: %v", err)
	}
	for _, name := range required {
		if !o.Has(name) {
			return contract.Claims{}, bad("the claim %s is missing", name)
		}
	}
	var c contract.Claims
	var ice string
	for _, claim := range []struct {
		name string
		into any
	}{
		{"iss", &c.Issuer}, {"sub", &c.Subject}, {"aud", &c.Audience},
		{"exp", &c.Expires}, {"nbf", &c.NotBefore}, {"jti", &c.ID},
		{"app", &c.App}, {"room", &c.Room},
		{"grants", &c.Grants}, {"maxStay", &c.MaxStay}, {"ice", &ice},
	} {
		if err := o.Read(claim.name, claim.into); err != nil {
			return contract.Claims{}, bad("the claim %v", err)
		}
	}
	c.ICE = contract.Policy(ice)
	return c, nil
}

// checkClaims reports the first claim that no room token may carry, whatever
// the time and whoever asks. Grants that this version doesn't know are let
// through: they allow nothing here.
func checkClaims(c contract.Claims) error {
	for _, id := range []struct{ name, value string }{
		{"iss", c.Issuer}, {"sub", c.Subject}, {"jti", c.ID}, {"app", c.App}, {"room", c.Room},
	} {
		if _, err := contract.ParseID(id.value); err != nil {
			return bad("the claim %s is a %v", id.name, err)
		}
	}
	if c.Expires < 1 || c.Expires > contract.MaxSeq || c.NotBefore < 0 || c.NotBefore >= c.Expires {
		return bad("exp and nbf must be Unix seconds, nbf before exp")
	}
	if c.MaxStay < 0 || c.MaxStay > int64(MaxStay/time.Second) {
		return bad("maxStay must be 0 to %d seconds", int64(MaxStay/time.Second))
	}
	if c.ICE != "" && !slices.Contains(contract.Policies(), c.ICE) {
		_, err := contract.ParsePolicy(string(c.ICE))
		return bad("the claim ice is an %v", err)
	}
	return nil
}

// bad is the error for a token that can't be believed.
func bad(format string, args ...any) error {
	return contract.Errorf(contract.CodeBadToken, "room token: "+format, args...)
}
