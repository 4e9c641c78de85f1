package token

import (
	"strings"
	"testing"
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// TestVerifier_Verify_mutated changes each character of a token, takes each
// out, and puts another before each.
func TestVerifier_Verify_mutated(t *testing.T) {
	v := testVerifier(t)
	raw := testToken(t, testClaims())
	if _, err := v.Verify(raw, start); err != nil {
		t.Fatal(err)
	}
	mutants := []string{}
	for i := range raw {
		mutants = append(mutants, raw[:i], raw[i+1:], raw[:i]+raw[i:i+1]+raw[i:])
		others := alphabet[i%8*8 : i%8*8+8] // all of them would take minutes under the race detector
		if i >= len(raw)-2 {
			others = alphabet // where bits are left over
		}
		for _, c := range others + ".=\n" {
			mutants = append(mutants, raw[:i]+string(c)+raw[i+1:], raw[:i]+string(c)+raw[i:])
		}
	}
	for _, mutant := range mutants {
		if mutant == raw {
			continue
		}
		if _, err := v.Verify(mutant, start); err == nil {
			t.Errorf("verified, though it isn't what was signed:\n%q", mutant)
		}
	}
	t.Logf("%d mutants of %d characters", len(mutants), len(raw))
}

// FuzzVerifier_Verify: only the texts that were signed verify.
func FuzzVerifier_Verify(f *testing.F) {
	v := testVerifier(f)
	raw := testToken(f, testClaims())
	short := testClaims()
	short.Grants, short.ICE, short.MaxStay = nil, "", 0
	signed := map[string]bool{raw: true, testToken(f, short): true}
	for text := range signed {
		f.Add(text)
		f.Add(strings.Replace(text, ".", "..", 1))
		f.Add(strings.ToLower(text))
	}
	for _, list := range []string{"", "..", "e30.e30.", "\x00", "null.null.null"} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, text string) {
		claims, err := v.Verify(text, start)
		if err == nil && !signed[text] {
			t.Fatalf("verified, though it was never signed: %q gave %+v", text, claims)
		}
		if code, message := refusal(err); err != nil && (code == "" || message == "") {
			t.Fatalf("an error without a code or a text: %v", err)
		}
	})
}
