package trouble

import (
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/token"
	"github.com/parley-rtc/parley/tests/stack"
)

// TestClock_ofAuthsvc joins with tokens as an authsvc issues them whose clock is
// ahead of the edge's, or behind it.
func TestClock_ofAuthsvc(t *testing.T) {
	s := stack.Processes(t, stack.Options{Edges: 1})
	raw, err := s.Token(t.Context(), "room", "ada")
	if err != nil {
		t.Fatal(err)
	}
	claims := claimsOf(t, s, raw)
	for _, one := range []struct {
		name   string
		ahead  time.Duration
		ttl    time.Duration
		refuse contract.Code // "": it joins
		text   string
	}{
		{"5 minutes ahead", 5 * time.Minute, time.Hour, "", ""},
		{"10 minutes ahead", 10 * time.Minute, time.Hour, contract.CodeBadToken, "whether the clocks agree"},
		{"5 minutes behind", -5 * time.Minute, time.Hour, "", ""},
		{"5 minutes behind, with tokens of 4", -5 * time.Minute, 4 * time.Minute, contract.CodeTokenExpired, "ask for a new one"},
	} {
		t.Run(one.name, func(t *testing.T) {
			shifted := claims
			shifted.NotBefore += int64(one.ahead / time.Second)
			shifted.Expires = time.Now().Add(one.ahead + one.ttl).Unix()
			shifted.ID += one.name
			raw, err := token.Sign(s.Key, token.KeyID(s.Key.Public().(ed25519.PublicKey)), shifted)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			c, err := client.Dial(ctx, s.Edges[0], client.WithToken(func(context.Context, string, client.TokenReason) (string, error) { return raw, nil }))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Join(ctx, "room")
			if one.refuse == "" && err != nil {
				t.Errorf("join: %v", err)
			}
			if one.refuse != "" && (!errors.Is(err, one.refuse) || !strings.Contains(err.Error(), one.text)) {
				t.Errorf("join: %v, want %s and %q", err, one.refuse, one.text)
			}
		})
	}
}

// claimsOf reads a token of the stack.
func claimsOf(t *testing.T, s *stack.Stack, raw string) contract.Claims {
	t.Helper()
	verifier := token.NewVerifier(token.DefaultRules())
	if err := verifier.SetKey(token.Record(s.Key.Public().(ed25519.PublicKey))); err != nil {
		t.Fatal(err)
	}
	claims, err := verifier.Verify(raw, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return claims
}
