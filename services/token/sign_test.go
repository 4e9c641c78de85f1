package token

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

func TestSign(t *testing.T) {
	t.Run("the longest ids fit, whatever their characters", func(t *testing.T) {
		for _, char := range []string{"<", `"`, `\`, "&"} {
			claims := testClaims()
			claims.Issuer = "parley"
			long := strings.Repeat(char, contract.MaxIDBytes)
			claims.Subject, claims.App, claims.Room, claims.ID = long, long, long, long
			claims.Grants = contract.Grants()
			claims.MaxStay = int64(MaxStay / time.Second)
			got, err := testVerifier(t).Verify(testToken(t, claims), start)
			if err != nil {
				t.Fatalf("%s: %v", char, err)
			}
			if !reflect.DeepEqual(got, claims) {
				t.Errorf("%s: Verify = %+v, want %+v", char, got, claims)
			}
		}
	})
	for _, test := range []struct {
		name   string
		want   contract.Code
		change func(*contract.Claims)
	}{
		{"refuses another audience", contract.CodeForbidden, func(c *contract.Claims) { c.Audience = "" }},
		{"refuses a bad room", contract.CodeBadToken, func(c *contract.Claims) { c.Room = "a\n" }},
		{"refuses to be valid never", contract.CodeBadToken, func(c *contract.Claims) { c.NotBefore = c.Expires }},
		{"refuses what nobody would read", contract.CodeBadToken, func(c *contract.Claims) { c.Grants = []string{strings.Repeat("g", MaxBytes)} }},
	} {
		t.Run(test.name, func(t *testing.T) {
			claims := testClaims()
			test.change(&claims)
			raw, err := Sign(testKey(1), testKid(1), claims)
			if got, _ := refusal(err); got != test.want || raw != "" {
				t.Errorf("Sign = %q, %v, want code %q", raw, err, test.want)
			}
		})
	}
	t.Run("refuses half a key", func(t *testing.T) {
		if _, err := Sign(testKey(1)[:32], testKid(1), testClaims()); err == nil {
			t.Error("Sign took a key of 32 bytes")
		}
	})
}
