package token

import (
	"crypto/ed25519"
	"encoding/base64"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func TestKeyID(t *testing.T) {
	// RFC 8037 appendix A.3: the key of A.2 and its thumbprint.
	public, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	if err != nil {
		t.Fatal(err)
	}
	want := "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
	got := KeyID(public)
	if got != want {
		t.Errorf("KeyID = %s, want %s", got, want)
	}
	if _, err := contract.ParseToken(got); err != nil {
		t.Errorf("a kid can't be the key of a bucket: %v", err)
	}
}

func TestVerifier_SetKey(t *testing.T) {
	good := Record(testKey(1).Public().(ed25519.PublicKey))
	other := Record(testKey(2).Public().(ed25519.PublicKey))
	t.Run("retired is for ever", func(t *testing.T) {
		v := NewVerifier(DefaultRules())
		for _, step := range []struct {
			retired, want bool
		}{{false, true}, {true, false}, {false, false}} {
			record := good
			record.Retired = step.retired
			if err := v.SetKey(record); err != nil {
				t.Fatal(err)
			}
			if got := v.Knows(good.KeyID); got != step.want {
				t.Errorf("after retired=%v: Knows = %v, want %v", step.retired, got, step.want)
			}
		}
	})
	t.Run("removed until set again", func(t *testing.T) {
		v := NewVerifier(DefaultRules())
		for range 2 {
			if err := v.SetKey(good); err != nil {
				t.Fatal(err)
			}
			if !v.Knows(good.KeyID) {
				t.Error("a key that was set isn't known")
			}
			v.RemoveKey(good.KeyID)
			if v.Knows(good.KeyID) {
				t.Error("a key that was removed is known")
			}
		}
	})
	for _, test := range []struct {
		name   string
		record contract.KeyRecord
	}{
		{"another algorithm", contract.KeyRecord{KeyID: good.KeyID, Algorithm: "HS256", Public: good.Public}},
		{"a short key", contract.KeyRecord{KeyID: good.KeyID, Algorithm: Algorithm, Public: good.Public[:31]}},
		{"no key", contract.KeyRecord{KeyID: good.KeyID, Algorithm: Algorithm}},
		{"another key's kid", contract.KeyRecord{KeyID: other.KeyID, Algorithm: Algorithm, Public: good.Public}},
		{"no kid", contract.KeyRecord{Algorithm: Algorithm, Public: good.Public}},
	} {
		t.Run("refuses "+test.name, func(t *testing.T) {
			v := NewVerifier(DefaultRules())
			if err := v.SetKey(test.record); err == nil {
				t.Error("SetKey took the record")
			}
			if v.Knows(test.record.KeyID) {
				t.Error("a refused record counts")
			}
		})
	}
}
