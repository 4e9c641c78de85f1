package token

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-rtc/parley/services/contract"
)

// start is when the tokens of these tests begin to be valid.
var start = time.Unix(1_800_000_000, 0)

func testKey(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
}

func testKid(n byte) string { return KeyID(testKey(n).Public().(ed25519.PublicKey)) }

func testClaims() contract.Claims {
	return contract.Claims{
		Issuer: "parley", Subject: "ada", Audience: contract.TokenAudience,
		Expires: start.Add(time.Hour).Unix(), NotBefore: start.Unix(),
		ID: "t1", App: "demo", Room: "hello", Grants: []string{contract.GrantKick},
		MaxStay: 60, ICE: contract.PolicyRelay,
	}
}

// testVerifier knows key 1 alone.
func testVerifier(tb testing.TB) *Verifier {
	tb.Helper()
	v := NewVerifier(Rules{Issuer: "parley", Leeway: 30 * time.Second})
	if err := v.SetKey(Record(testKey(1).Public().(ed25519.PublicKey))); err != nil {
		tb.Fatal(err)
	}
	return v
}

func testToken(tb testing.TB, claims contract.Claims) string {
	tb.Helper()
	raw, err := Sign(testKey(1), testKid(1), claims)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}

// forge signs any header and any payload.
func forge(tb testing.TB, header, payload string, method jwt.SigningMethod, key any) string {
	tb.Helper()
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(payload))
	signature, err := method.Sign(signed, key)
	if err != nil {
		tb.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// payloadWith is the text of the test claims with one changed; nil takes it out.
func payloadWith(tb testing.TB, name string, value any) string {
	tb.Helper()
	text, err := json.Marshal(testClaims())
	if err != nil {
		tb.Fatal(err)
	}
	members := map[string]any{}
	if err := json.Unmarshal(text, &members); err != nil {
		tb.Fatal(err)
	}
	if members[name] = value; value == nil {
		delete(members, name)
	}
	if text, err = json.Marshal(members); err != nil {
		tb.Fatal(err)
	}
	return string(text)
}

func refusal(err error) (contract.Code, string) {
	var e *contract.Error
	if errors.As(err, &e) {
		return e.Code, e.Message
	}
	return "", ""
}

func TestVerifier_Verify(t *testing.T) {
	v := testVerifier(t)
	claims := testClaims()
	got, err := v.Verify(testToken(t, claims), start)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, claims) {
		t.Errorf("Verify = %+v, want %+v", got, claims)
	}
}

func TestVerifier_Verify_time(t *testing.T) {
	v := testVerifier(t)
	raw := testToken(t, testClaims())
	end := start.Add(time.Hour)
	for _, test := range []struct {
		name string
		now  time.Time
		want contract.Code
	}{
		{"just too early, by more than the leeway", start.Add(-30*time.Second - 1), contract.CodeBadToken},
		{"early within the leeway", start.Add(-30 * time.Second), ""},
		{"its last moment", end.Add(30*time.Second - 1), ""},
		{"expired", end.Add(30 * time.Second), contract.CodeTokenExpired},
		{"expired for years", end.AddDate(10, 0, 0), contract.CodeTokenExpired},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := v.Verify(raw, test.now)
			if got, _ := refusal(err); got != test.want {
				t.Errorf("Verify = %v, want code %q", err, test.want)
			}
		})
	}
}

func TestVerifier_Verify_rules(t *testing.T) {
	record := Record(testKey(1).Public().(ed25519.PublicKey))
	elsewhere := testClaims()
	elsewhere.Issuer = "elsewhere"
	for _, test := range []struct {
		name  string
		rules Rules
		now   time.Time
		want  contract.Code
	}{
		{"another issuer is refused", Rules{Issuer: "parley"}, start, contract.CodeForbidden},
		{"without an issuer any is accepted", Rules{}, start, ""},
		{"without leeway the second before is too early", Rules{}, start.Add(-time.Second), contract.CodeBadToken},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := NewVerifier(test.rules)
			if err := v.SetKey(record); err != nil {
				t.Fatal(err)
			}
			_, err := v.Verify(testToken(t, elsewhere), test.now)
			if got, _ := refusal(err); got != test.want {
				t.Errorf("Verify = %v, want code %q", err, test.want)
			}
		})
	}
}

// forgery is a text that must not verify, and what its error must say.
type forgery struct {
	name, raw string
	code      contract.Code
	says      string
}

func TestVerifier_Verify_forged(t *testing.T) {
	v := testVerifier(t)
	for _, list := range [][]forgery{forgedHeaders(t), forgedTexts(t), forgedClaims(t)} {
		for _, test := range list {
			t.Run(test.name, func(t *testing.T) {
				claims, err := v.Verify(test.raw, start)
				code, message := refusal(err)
				if code != test.code || !strings.Contains(message, test.says) {
					t.Errorf("Verify = %v, want code %q saying %q", err, test.code, test.says)
				}
				if !reflect.DeepEqual(claims, contract.Claims{}) {
					t.Errorf("a refused token gave claims: %+v", claims)
				}
				if strings.Contains(message, "mallory") {
					t.Errorf("the message repeats the input: %s", message)
				}
			})
		}
	}
}

func forgedHeaders(t *testing.T) []forgery {
	t.Helper()
	key, public := testKey(1), testKey(1).Public().(ed25519.PublicKey)
	mallory := testKey(2)
	malloryX := base64.RawURLEncoding.EncodeToString(mallory.Public().(ed25519.PublicKey))
	payload := payloadWith(t, "sub", "mallory")
	eddsa := func(header string, key ed25519.PrivateKey) string {
		return forge(t, header, payload, jwt.SigningMethodEdDSA, key)
	}
	kid := `"kid":"` + testKid(1) + `"`
	return []forgery{
		{"alg none", forge(t, `{"alg":"none",`+kid+`}`, payload, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), contract.CodeBadToken, "alg must be EdDSA"},
		{"alg None", forge(t, `{"alg":"None",`+kid+`}`, payload, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), contract.CodeBadToken, "alg must be EdDSA"},
		{"alg EdDSA without a signature", forge(t, `{"alg":"EdDSA",`+kid+`}`, payload, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), contract.CodeBadToken, "signature"},
		{"HS256 with the public key", forge(t, `{"alg":"HS256",`+kid+`}`, payload, jwt.SigningMethodHS256, []byte(public)), contract.CodeBadToken, "alg must be EdDSA"},
		{"HS256 that says EdDSA", forge(t, `{"alg":"EdDSA",`+kid+`}`, payload, jwt.SigningMethodHS256, []byte(public)), contract.CodeBadToken, "signature"},
		{"no alg", eddsa(`{`+kid+`}`, key), contract.CodeBadToken, "alg must be EdDSA"},
		{"alg null", eddsa(`{"alg":null,`+kid+`}`, key), contract.CodeBadToken, "alg must be EdDSA"},
		{"alg by another case", eddsa(`{"ALG":"EdDSA",`+kid+`}`, key), contract.CodeBadToken, "alg must be EdDSA"},
		{"alg twice", eddsa(`{"alg":"none","alg":"EdDSA",`+kid+`}`, key), contract.CodeBadToken, "twice"},
		{"no kid", eddsa(`{"alg":"EdDSA"}`, key), contract.CodeBadToken, "no kid"},
		{"kid of another type", eddsa(`{"alg":"EdDSA","kid":1}`, key), contract.CodeBadToken, "no kid"},
		{"unknown kid", eddsa(`{"alg":"EdDSA","kid":"mallory"}`, key), contract.CodeBadToken, "no key with this kid"},
		{"own key under its own kid", eddsa(`{"alg":"EdDSA","kid":"`+testKid(2)+`"}`, mallory), contract.CodeBadToken, "no key with this kid"},
		{"own key under our kid", eddsa(`{"alg":"EdDSA",`+kid+`}`, mallory), contract.CodeBadToken, "signature"},
		{"own key in the header", eddsa(`{"alg":"EdDSA",`+kid+`,"jwk":{"kty":"OKP","crv":"Ed25519","x":"`+malloryX+`"}}`, mallory), contract.CodeBadToken, "signature"},
		{"an extension that must be understood", eddsa(`{"alg":"EdDSA",`+kid+`,"crit":["exp"]}`, key), contract.CodeBadToken, "crit"},
		{"a header that is a list", eddsa(`["EdDSA"]`, key), contract.CodeBadToken, "header"},
		{"a header that is null", eddsa(`null`, key), contract.CodeBadToken, "header"},
	}
}

func forgedTexts(t *testing.T) []forgery {
	t.Helper()
	raw := testToken(t, testClaims())
	header, rest, _ := strings.Cut(raw, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	// The last of 86 characters holds four bits that aren't in the signature.
	last := raw[len(raw)-1]
	loose := raw[:len(raw)-1] + string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[strings.IndexByte("AQgw", last)*16+1])
	const shape = "not a signed JWT"
	return []forgery{
		{"nothing", "", contract.CodeBadToken, "header"},
		{"dots", "..", contract.CodeBadToken, "header"},
		{"a word", "mallory", contract.CodeBadToken, ""},
		{"two parts", header + "." + payload, contract.CodeBadToken, shape},
		{"four parts", raw + "." + signature, contract.CodeBadToken, shape},
		{"without its signature", header + "." + payload + ".", contract.CodeBadToken, "signature"},
		{"truncated by a character", raw[:len(raw)-1], contract.CodeBadToken, ""},
		{"truncated in the middle", raw[:len(raw)/2], contract.CodeBadToken, shape},
		{"other bits after the signature", loose, contract.CodeBadToken, shape},
		{"padding", raw + "==", contract.CodeBadToken, shape},
		{"a line break inside the signature", raw[:len(raw)-4] + "\r\n" + raw[len(raw)-4:], contract.CodeBadToken, shape},
		{"a space before", " " + raw, contract.CodeBadToken, shape},
		{"its scheme before", "Bearer " + raw, contract.CodeBadToken, shape},
		{"claims of another token", header + "." + base64.RawURLEncoding.EncodeToString([]byte(payloadWith(t, "room", "mallory"))) + "." + signature, contract.CodeBadToken, "signature"},
		{"over the limit", raw + strings.Repeat("A", MaxBytes+1-len(raw)), contract.CodeBadToken, "4096 bytes"},
		{"at the limit it is looked at", raw + strings.Repeat("A", MaxBytes-len(raw)), contract.CodeBadToken, ""},
	}
}

func forgedClaims(t *testing.T) []forgery {
	t.Helper()
	signed := func(payload string) string {
		return forge(t, `{"alg":"EdDSA","kid":"`+testKid(1)+`"}`, payload, jwt.SigningMethodEdDSA, testKey(1))
	}
	with := func(name string, value any) string { return signed(payloadWith(t, name, value)) }
	whole := payloadWith(t, "sub", "ada")
	list := []forgery{
		{"a claim twice", signed(strings.TrimSuffix(whole, "}") + `,"room":"mallory"}`), contract.CodeBadToken, "twice"},
		{"a claim twice by an escape", signed(strings.TrimSuffix(whole, "}") + `,"\u0072oom":"mallory"}`), contract.CodeBadToken, "twice"},
		{"claims that are a list", signed(`[]`), contract.CodeBadToken, "JSON object"},
		{"claims that are null", signed(`null`), contract.CodeBadToken, "JSON object"},
		{"aud of a list", with("aud", []string{contract.TokenAudience}), contract.CodeBadToken, "aud must be text"},
		{"another audience", with("aud", "mallory"), contract.CodeForbidden, "audience"},
		{"audience by another case", with("aud", "Parley"), contract.CodeForbidden, "audience"},
		{"another issuer", with("iss", "mallory"), contract.CodeForbidden, "issuer"},
		{"exp as text", with("exp", "1800003600"), contract.CodeBadToken, "exp must be a whole number"},
		{"exp of a fraction", with("exp", 1800003600.5), contract.CodeBadToken, "exp must be a whole number"},
		{"exp beyond JavaScript's numbers", with("exp", int64(contract.MaxSeq)+1), contract.CodeBadToken, "exp and nbf"},
		{"exp zero", with("exp", 0), contract.CodeBadToken, "exp and nbf"},
		{"exp at nbf", with("exp", start.Unix()), contract.CodeBadToken, "exp and nbf"},
		{"nbf negative", with("nbf", -1), contract.CodeBadToken, "exp and nbf"},
		{"expired", signed(strings.ReplaceAll(whole, "18000", "17000")), contract.CodeTokenExpired, "expired"},
		{"not yet valid", signed(strings.ReplaceAll(whole, "18000", "19000")), contract.CodeBadToken, "isn't valid yet"},
		{"room empty", with("room", ""), contract.CodeBadToken, "room is a bad id"},
		{"room of 2,500 characters", with("room", strings.Repeat("m", 2500)), contract.CodeBadToken, "room is a bad id"},
		{"room with a line break", with("room", "mallory\r\n"), contract.CodeBadToken, "room is a bad id"},
		{"sub over the limit", with("sub", strings.Repeat("m", contract.MaxIDBytes+1)), contract.CodeBadToken, "sub is a bad id"},
		{"sub with a NUL", with("sub", "mallory\x00"), contract.CodeBadToken, "sub is a bad id"},
		{"app empty", with("app", ""), contract.CodeBadToken, "app is a bad id"},
		{"jti empty", with("jti", ""), contract.CodeBadToken, "jti is a bad id"},
		{"iss empty", with("iss", ""), contract.CodeBadToken, "iss is a bad id"},
		{"grants of numbers", with("grants", []int{1}), contract.CodeBadToken, "grants must be a list"},
		{"maxStay negative", with("maxStay", -1), contract.CodeBadToken, "maxStay"},
		{"maxStay over a year", with("maxStay", int64(MaxStay/time.Second)+1), contract.CodeBadToken, "maxStay"},
		{"an unknown ICE policy", with("ice", "mallory"), contract.CodeBadToken, "unknown ICE policy"},
	}
	for _, name := range required {
		list = append(list, forgery{name + " missing", with(name, nil), contract.CodeBadToken, "the claim " + name + " is missing"})
	}
	return list
}

func TestVerifier_Verify_accepts(t *testing.T) {
	v := testVerifier(t)
	header := `{"alg":"EdDSA","kid":"` + testKid(1) + `"}`
	for _, test := range []struct{ name, payload string }{
		{"claims of a later version", payloadWith(t, "new", true)},
		{"grants of a later version", payloadWith(t, "grants", []string{"new"})},
		{"no grants", payloadWith(t, "grants", nil)},
		{"no ICE policy", payloadWith(t, "ice", nil)},
		{"a wildcard room", payloadWith(t, "room", "*")},
		{"a wildcard tail as identity", payloadWith(t, "sub", ">")},
		{"a room with a dot", payloadWith(t, "room", "a.b")},
		{"an emoji", payloadWith(t, "sub", "🦊")},
		{"an identity at the limit", payloadWith(t, "sub", strings.Repeat("m", contract.MaxIDBytes))},
	} {
		t.Run(test.name, func(t *testing.T) {
			raw := forge(t, header, test.payload, jwt.SigningMethodEdDSA, testKey(1))
			if _, err := v.Verify(raw, start); err != nil {
				t.Errorf("Verify = %v, want no error", err)
			}
		})
	}
}
