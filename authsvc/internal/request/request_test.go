package request

import (
	"crypto/ed25519"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/token"
)

func codeOf(err error) contract.Code {
	var e *contract.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestParse(t *testing.T) {
	body := `{"app":"demo","apiKey":"k","room":"hello","identity":"ada","ttl":60,"grants":["kick"],"maxStay":90,"ice":"relay","new":[1]}`
	want := contract.TokenRequest{
		App: "demo", APIKey: "k", Room: "hello", Identity: "ada", TTL: 60,
		Grants: []string{"kick"}, MaxStay: 90, ICE: contract.PolicyRelay,
	}
	got, err := Parse([]byte(body))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Parse = %+v, %v, want %+v", got, err, want)
	}
	pad := func(n int) string { return `{"room":"r","identity":"i"` + strings.Repeat(" ", n-27) + `}` }
	for _, test := range []struct {
		name, body string
		want       contract.Code
	}{
		{"at the limit", pad(MaxBytes), ""},
		{"over the limit", pad(MaxBytes + 1), contract.CodeTooLarge},
		{"nothing", "", contract.CodeBadJSON},
		{"not JSON", "room=hello", contract.CodeBadJSON},
		{"a list", "[]", contract.CodeBadJSON},
		{"null", "null", contract.CodeBadJSON},
		{"a key twice", `{"room":"r","identity":"i","room":"s"}`, contract.CodeBadJSON},
		{"a key twice in what is ignored", `{"room":"r","identity":"i","x":{"y":1,"y":1}}`, contract.CodeBadJSON},
		{"too deep", `{"room":"r","identity":"i","x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`, contract.CodeBadJSON},
		{"not UTF-8", "{\"room\":\"\xff\",\"identity\":\"i\"}", contract.CodeBadJSON},
		{"no room", `{"identity":"i"}`, contract.CodeBadFrame},
		{"no identity", `{"room":"r"}`, contract.CodeBadFrame},
		{"room by another case", `{"Room":"r","identity":"i"}`, contract.CodeBadFrame},
		{"room null", `{"room":null,"identity":"i"}`, contract.CodeBadFrame},
		{"room a number", `{"room":1,"identity":"i"}`, contract.CodeBadFrame},
		{"ttl a text", `{"room":"r","identity":"i","ttl":"60"}`, contract.CodeBadFrame},
		{"ttl a fraction", `{"room":"r","identity":"i","ttl":1.5}`, contract.CodeBadFrame},
		{"grants a text", `{"room":"r","identity":"i","grants":"kick"}`, contract.CodeBadFrame},
		{"ice a list", `{"room":"r","identity":"i","ice":[]}`, contract.CodeBadFrame},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Parse([]byte(test.body)); codeOf(err) != test.want {
				t.Errorf("Parse = %v, want code %q", err, test.want)
			}
		})
	}
}

var (
	now   = time.Unix(1_800_000_000, 999_999_999)
	rules = Rules{Issuer: "parley", DefaultTTL: time.Hour, MaxTTL: 24 * time.Hour}
)

func TestRules_Claims(t *testing.T) {
	app := contract.AppRecord{App: contract.ID("demo 1").Token(), ICE: contract.PolicyPublic}
	req := contract.TokenRequest{
		App: "demo 1", Room: "hello", Identity: "ada", TTL: 60, MaxStay: 90,
		Grants: []string{"lock", "kick", "lock"}, ICE: contract.PolicyRelay,
	}
	want := contract.Claims{
		Issuer: "parley", Subject: "ada", Audience: "parley", NotBefore: 1_799_999_700, Expires: 1_800_000_060,
		ID: "id", App: "demo 1", Room: "hello", Grants: []string{"kick", "lock"}, MaxStay: 90, ICE: contract.PolicyRelay,
	}
	got, err := rules.Claims(req, app, "id", now)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Claims = %+v, %v, want %+v", got, err, want)
	}
}

func TestRules_Claims_limits(t *testing.T) {
	app := contract.AppRecord{App: contract.ID("demo").Token()}
	maxStay := int64(token.MaxStay / time.Second)
	for _, test := range []struct {
		name   string
		want   contract.Code
		change func(*contract.TokenRequest)
	}{
		{"the shortest ttl", "", func(r *contract.TokenRequest) { r.TTL = 1 }},
		{"the longest ttl", "", func(r *contract.TokenRequest) { r.TTL = 86_400 }},
		{"ttl over the longest", contract.CodeBadFrame, func(r *contract.TokenRequest) { r.TTL = 86_401 }},
		{"ttl negative", contract.CodeBadFrame, func(r *contract.TokenRequest) { r.TTL = -1 }},
		{"the longest maxStay", "", func(r *contract.TokenRequest) { r.MaxStay = maxStay }},
		{"maxStay over the longest", contract.CodeBadFrame, func(r *contract.TokenRequest) { r.MaxStay = maxStay + 1 }},
		{"maxStay negative", contract.CodeBadFrame, func(r *contract.TokenRequest) { r.MaxStay = -1 }},
		{"every grant", "", func(r *contract.TokenRequest) { r.Grants = contract.Grants() }},
		{"an unknown grant", contract.CodeBadFrame, func(r *contract.TokenRequest) { r.Grants = []string{"kick", "rule"} }},
		{"an unknown ICE policy", contract.CodeBadFrame, func(r *contract.TokenRequest) { r.ICE = "none" }},
		{"another app", contract.CodeForbidden, func(r *contract.TokenRequest) { r.App = "other" }},
		{"an app that can't be", contract.CodeBadID, func(r *contract.TokenRequest) { r.App = "a\nb" }},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := contract.TokenRequest{Room: "hello", Identity: "ada"}
			test.change(&req)
			_, err := rules.Claims(req, app, "id", now)
			if got := codeOf(err); got != test.want {
				t.Errorf("Claims = %v, want code %q", err, test.want)
			}
		})
	}
}

func TestRules_Claims_ids(t *testing.T) {
	app := contract.AppRecord{App: contract.ID("demo").Token()}
	for _, test := range []struct {
		id   string
		want contract.Code
	}{
		{"*", ""}, {">", ""}, {"a.b", ""}, {"🦊", ""}, {" ", ""}, {strings.Repeat("a", contract.MaxIDBytes), ""},
		{"", contract.CodeBadID},
		{strings.Repeat("a", contract.MaxIDBytes+1), contract.CodeBadID},
		{strings.Repeat("a", 4096), contract.CodeBadID},
		{"a\r\nb", contract.CodeBadID},
		{"a\x00", contract.CodeBadID},
		{"a\u2028", contract.CodeBadID},
	} {
		_, err := rules.Claims(contract.TokenRequest{Room: test.id, Identity: "ada"}, app, "id", now)
		if got := codeOf(err); got != test.want {
			t.Errorf("room %.20q: %v, want code %q", test.id, err, test.want)
		}
		_, err = rules.Claims(contract.TokenRequest{Room: "hello", Identity: test.id}, app, "id", now)
		if got := codeOf(err); got != test.want {
			t.Errorf("identity %.20q: %v, want code %q", test.id, err, test.want)
		}
	}
}

func TestRules_Claims_policy(t *testing.T) {
	for _, test := range []struct{ asked, app, want contract.Policy }{
		{"", "", ""},
		{"relay", "", "relay"},
		{"", "relay", "relay"},
		{"all", "public", "public"},
		{"relay", "all", "relay"},
		{"", "newer", "relay"},
	} {
		app := contract.AppRecord{App: contract.ID("demo").Token(), ICE: test.app}
		got, err := rules.Claims(contract.TokenRequest{Room: "r", Identity: "i", ICE: test.asked}, app, "id", now)
		if err != nil || got.ICE != test.want {
			t.Errorf("asked %q of an app with %q: %q, %v, want %q", test.asked, test.app, got.ICE, err, test.want)
		}
	}
}

// FuzzClaims: whatever is asked, an answer without an error can be signed.
func FuzzClaims(f *testing.F) {
	f.Add([]byte(`{"room":"hello","identity":"ada","ttl":60,"grants":["kick"],"maxStay":90,"ice":"relay"}`))
	f.Add([]byte(`{"room":"*","identity":"\ud800"}`))
	f.Add([]byte(`{"room":"<","identity":">","ttl":-1}`))
	key, kid := testKey()
	app := contract.AppRecord{App: contract.ID("demo").Token()}
	f.Fuzz(func(t *testing.T, body []byte) {
		req, err := Parse(body)
		if err == nil {
			var claims contract.Claims
			if claims, err = rules.Claims(req, app, "id", now); err == nil {
				if _, err := token.Sign(key, kid, claims); err != nil {
					t.Fatalf("%q was granted and can't be signed: %v", body, err)
				}
				return
			}
		}
		if codeOf(err) == "" {
			t.Fatalf("%q: an error without a code: %v", body, err)
		}
	})
}

func testKey() (ed25519.PrivateKey, string) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	return key, token.KeyID(ed25519.PublicKey(key[ed25519.SeedSize:]))
}
