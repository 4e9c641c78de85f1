package keyring

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/token"
)

func testSeed(n byte) []byte { return bytes.Repeat([]byte{n}, ed25519.SeedSize) }

func testText(n byte) string { return base64.RawURLEncoding.EncodeToString(testSeed(n)) }

func testRecord(n byte) contract.KeyRecord {
	return token.Record(publicOf(ed25519.NewKeyFromSeed(testSeed(n))))
}

func privatePEM(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func publicPEM(t *testing.T, key crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// openssl genpkey -algorithm ed25519
const opensslKey = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
`

func TestNew_signingKey(t *testing.T) {
	private := ed25519.NewKeyFromSeed(testSeed(1))
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, text, fault string }{
		{"a seed", testText(1), ""},
		{"a seed with padding", base64.URLEncoding.EncodeToString(testSeed(1)), ""},
		{"a seed with a line break after it", testText(1) + "\r\n", ""},
		{"PEM", privatePEM(t, private), ""},
		{"PEM without its last line break", strings.TrimSpace(privatePEM(t, private)), ""},
		{"PEM of RFC 8410 section 10.3", opensslKey, ""},
		{"nothing", "", "missing"},
		{"white space", " \n", "missing"},
		{"a short seed", testText(1)[:40], "seed of 32 bytes"},
		{"a seed in hex", strings.Repeat("01", 32), "seed of 32 bytes"},
		{"words", "hunter2 hunter2", "seed of 32 bytes"},
		{"another kind of key", privatePEM(t, ec), "must be an Ed25519 one"},
		{"an encrypted key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "encrypted"},
		{"only the public half", publicPEM(t, private.Public()), "it must hold an Ed25519 PRIVATE KEY"},
		{"PEM that holds something else", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "PEM (PKCS #8)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ring, err := New(Source{Signing: test.text})
			if test.fault == "" {
				if err != nil {
					t.Fatal(err)
				}
				if want := token.KeyID(publicOf(ring.signing)); ring.KeyID() != want {
					t.Errorf("KeyID = %s, want %s", ring.KeyID(), want)
				}
				return
			}
			if err == nil || !strings.HasPrefix(err.Error(), "signing_key: ") || !strings.Contains(err.Error(), test.fault) {
				t.Errorf("New = %v, want an error of signing_key that says %q", err, test.fault)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), testText(1)[:40])) {
				t.Errorf("the error repeats the key: %v", err)
			}
		})
	}
	t.Run("PEM and seed are one key", func(t *testing.T) {
		a, errA := New(Source{Signing: testText(1)})
		b, errB := New(Source{Signing: privatePEM(t, private)})
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if a.KeyID() != b.KeyID() {
			t.Errorf("kids %s and %s, want one", a.KeyID(), b.KeyID())
		}
	})
}

func TestNew_records(t *testing.T) {
	tombstone := contract.KeyRecord{KeyID: testRecord(3).KeyID, Algorithm: token.Algorithm, Retired: true}
	ring, err := New(Source{
		Signing: testText(1),
		Extra: map[string]string{
			"next":     publicPEM(t, ed25519.NewKeyFromSeed(testSeed(4)).Public()),
			"previous": testText(2),
			"same":     testText(1),
		},
		Retired: []string{tombstone.KeyID, tombstone.KeyID},
	})
	if err != nil {
		t.Fatal(err)
	}
	got, want := ring.Records(), []contract.KeyRecord{tombstone, testRecord(1), testRecord(4), testRecord(2)}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("Records = %+v, want %+v", got, want)
	}
}

func TestNew_faults(t *testing.T) {
	_, err := New(Source{
		Extra:   map[string]string{"bad": "x", "gone": testText(2)},
		Retired: []string{"short", testRecord(2).KeyID},
	})
	if err == nil {
		t.Fatal("New took it")
	}
	got := err.Error()
	for _, want := range []string{"signing_key: missing", "extra_keys.bad: ", "extra_keys.gone: retired_keys holds", "retired_keys[0]: "} {
		if !strings.Contains(got, want) {
			t.Errorf("the error lacks %q:\n%s", want, got)
		}
	}
}

func TestRing_Sign(t *testing.T) {
	ring, err := New(Source{Signing: opensslKey})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_800_000_000, 0)
	want := contract.Claims{
		Issuer: "parley", Subject: "ada", Audience: contract.TokenAudience, ID: "1", App: "demo", Room: "hello",
		NotBefore: now.Unix(), Expires: now.Unix() + 60,
	}
	raw, err := ring.Sign(want)
	if err != nil {
		t.Fatal(err)
	}
	verifier := token.NewVerifier(token.DefaultRules())
	for _, record := range ring.Records() {
		if err := verifier.SetKey(record); err != nil {
			t.Fatal(err)
		}
	}
	got, err := verifier.Verify(raw, now)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Verify = %+v, %v, want %+v", got, err, want)
	}
}
