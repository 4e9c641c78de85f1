package contract_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/parley-rtc/parley/services/contract"
)

func TestParseID(t *testing.T) {
	tests := []struct {
		name string
		raw  string
		ok   bool
	}{
		{"one letter", "a", true},
		{"star", "*", true},
		{"greater than", ">", true},
		{"dots", "a.b", true},
		{"only dots", "..", true},
		{"space", "team room", true},
		{"slash and colon", "https://x/y?z", true},
		{"escape of tokens", "=a", true},
		{"dollar and NATS words", "$KV.signals-0.x", true},
		{"emoji", "👩‍👩‍👧", true},
		{"right-to-left text", "שלום", true},
		{"replacement character", "\ufffd", true},
		{"128 bytes", strings.Repeat("a", 128), true},
		{"128 bytes of two-byte letters", strings.Repeat("é", 64), true},

		{"empty", "", false},
		{"129 bytes", strings.Repeat("a", 129), false},
		{"129 bytes that are 65 letters", strings.Repeat("é", 64) + "a", false},
		{"4,096 characters", strings.Repeat("x", 4096), false},
		{"CR", "a\rb", false},
		{"LF", "a\nb", false},
		{"CR LF header", "a\r\nNats-Msg-Id: 1", false},
		{"NUL", "a\x00b", false},
		{"tab", "a\tb", false},
		{"DEL", "a\x7fb", false},
		{"C1 control", "a\u0085b", false},
		{"line separator", "a\u2028b", false},
		{"paragraph separator", "a\u2029b", false},
		{"invalid UTF-8", "a\xffb", false},
		{"overlong UTF-8", "a\xc0\xafb", false},
		{"surrogate in UTF-8", "a\xed\xa0\x80b", false},
		{"cut-off UTF-8", "a\xe2\x82", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id, err := contract.ParseID(tt.raw)
			if !tt.ok {
				if !errors.Is(err, contract.ErrBadID) || id != "" {
					t.Fatalf("got %q, %v; want an ErrBadID", id, err)
				}
				if len(tt.raw) > 3 && strings.Contains(err.Error(), tt.raw) {
					t.Errorf("the error repeats the input: %v", err)
				}
				return
			}
			if err != nil || string(id) != tt.raw {
				t.Fatalf("got %q, %v; want the id as it came", id, err)
			}
			if got := id.Token().ID(); got != id {
				t.Errorf("its token stands for %q", got)
			}
		})
	}
}

func TestID_Token(t *testing.T) {
	tests := []struct{ name, id, want string }{
		{"plain", "Room_1-a", "Room_1-a"},
		{"only digits", "42", "42"},
		{"64 plain characters", strings.Repeat("a", 64), strings.Repeat("a", 64)},
		{"65 plain characters", strings.Repeat("a", 65), "=" + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("a", 65)))},
		{"star", "*", "=Kg"},
		{"greater than", ">", "=Pg"},
		{"dots", "a.b", "=YS5i"},
		{"dot", ".", "=Lg"},
		{"space", "a b", "=YSBi"},
		{"equals sign", "=", "=PQ"},
		{"what looks like a token", "=Kg", "=PUtn"},
		{"emoji", "🎉", "=8J-OiQ"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := mustID(t, tt.id)
			if got := id.Token().String(); got != tt.want {
				t.Errorf("got token %q, want %q", got, tt.want)
			}
		})
	}
}

func TestParseToken(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	tests := []struct {
		name string
		text string
		ok   bool
	}{
		{"plain", "edge-1-abc234", true},
		{"64 plain characters", strings.Repeat("a", 64), true},
		{"encoded star", "=Kg", true},
		{"encoded 65 plain characters", "=" + encode([]byte(strings.Repeat("a", 65))), true},
		{"encoded 128 bytes", "=" + encode([]byte(strings.Repeat("*", 128))), true},

		{"empty", "", false},
		{"star", "*", false},
		{"greater than", ">", false},
		{"dots", "a.b", false},
		{"space", "a b", false},
		{"65 plain characters", strings.Repeat("a", 65), false},
		{"emoji", "🎉", false},
		{"only the escape", "=", false},
		{"encoded without need", "=" + encode([]byte("abc")), false},
		{"encoded 64 plain characters", "=" + encode([]byte(strings.Repeat("a", 64))), false},
		{"encoded empty", "==", false},
		{"padding", "=Kg==", false},
		{"standard alphabet", "=8J+OiQ", false},
		{"bits after the end", "=Kh", false},
		{"LF inside", "=K\ng", false},
		{"CR LF at the end", "=Kg\r\n", false},
		{"encoded 129 bytes", "=" + encode([]byte(strings.Repeat("*", 129))), false},
		{"encoded LF", "=" + encode([]byte("a\nb")), false},
		{"encoded invalid UTF-8", "=" + encode([]byte{0xff}), false},
		{"4,096 characters", "=" + strings.Repeat("A", 4095), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			token, err := contract.ParseToken(tt.text)
			if got := contract.IsToken([]byte(tt.text)); got != tt.ok {
				t.Errorf("IsToken: got %v", got)
			}
			if !tt.ok {
				if !errors.Is(err, contract.ErrBadID) || !token.IsZero() {
					t.Fatalf("got %q, %v; want an ErrBadID", token, err)
				}
				return
			}
			if err != nil || token.String() != tt.text {
				t.Fatalf("got %q, %v; want the token as it came", token, err)
			}
		})
	}
}

func TestIsToken_AllocatesNothing(t *testing.T) {
	for _, id := range []string{"plain", "a room with spaces", strings.Repeat("é", 64)} {
		text := []byte(mustID(t, id).Token().String())
		if got := testing.AllocsPerRun(100, func() { contract.IsToken(text) }); got != 0 {
			t.Errorf("%s: %v allocations, want none", text, got)
		}
	}
}

func TestByToken_AllocatesNothing(t *testing.T) {
	peer, name := contract.NewPeerID(), []byte("täglich um neun, und mehr als 32 Bytes")
	text, all := []byte(peer.String()), map[contract.Token]int{peer: 1}
	got := testing.AllocsPerRun(100, func() {
		if contract.ByToken(all, text) != 1 || contract.ByToken(all, name) != 0 || contract.CheckID(name) != nil {
			t.Error("the token isn't found, or something else is, or a good name is refused")
		}
	})
	if got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}

func TestToken_JSON(t *testing.T) {
	type holder struct {
		Peer contract.Token            `json:"peer,omitzero"`
		Keys map[contract.Token]string `json:"keys,omitempty"`
	}
	star := mustID(t, "*").Token()
	text, err := json.Marshal(holder{star, map[contract.Token]string{star: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(text), `{"peer":"=Kg","keys":{"=Kg":"x"}}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var back holder
	if err := json.Unmarshal(text, &back); err != nil || back.Peer != star || back.Keys[star] != "x" {
		t.Errorf("read back %+v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"peer":"a.b"}`), &back); !errors.Is(err, contract.ErrBadID) {
		t.Errorf("a raw id was read as a token: %v", err)
	}
	var empty holder
	if err := json.Unmarshal([]byte(`{"peer":""}`), &empty); err != nil || !empty.Peer.IsZero() {
		t.Errorf("empty text: got %q, %v; want the zero Token", empty.Peer, err)
	}
}

func TestNewIDs(t *testing.T) {
	process, err := contract.NewProcessID("edge-1")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, got, form string }{
		{"peer", contract.NewPeerID().String(), `^[a-z2-7]{20}$`},
		{"session", contract.NewSessionID(), `^[a-z2-7]{20}$`},
		{"process", process.String(), `^edge-1-[a-z2-7]{12}$`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !regexp.MustCompile(tt.form).MatchString(tt.got) {
				t.Errorf("%q doesn't have the form %s", tt.got, tt.form)
			}
			if _, err := contract.ParseToken(tt.got); err != nil {
				t.Errorf("%q can't be read back: %v", tt.got, err)
			}
		})
	}
	if one, other := contract.NewPeerID(), contract.NewPeerID(); one == other {
		t.Error("two peers got the same id")
	}
}

func TestNewProcessID_Names(t *testing.T) {
	for _, name := range []string{"e", "edge_1", strings.Repeat("n", contract.MaxNameBytes)} {
		if _, err := contract.NewProcessID(name); err != nil {
			t.Errorf("%q was refused: %v", name, err)
		}
	}
	for _, name := range []string{"", "a.b", "*", ">", "a b", "a\r\nb", "🎉", strings.Repeat("n", contract.MaxNameBytes+1)} {
		if id, err := contract.NewProcessID(name); !errors.Is(err, contract.ErrBadID) {
			t.Errorf("%q: got %q, %v; want an ErrBadID", name, id, err)
		}
	}
}

// FuzzParseID holds every id that is accepted to what its Token promises.
func FuzzParseID(f *testing.F) {
	for _, seed := range []string{"a", "*", ">", "a.b", "=Kg", "🎉", strings.Repeat("a", 65), "a\r\nb", "\xff", " "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		id, err := contract.ParseID(raw)
		if err != nil {
			return
		}
		token := id.Token()
		if bad := strings.IndexFunc(token.String(), unsafeInSubject); bad >= 0 || token.IsZero() {
			t.Fatalf("the token %q of %q isn't safe in a subject", token, raw)
		}
		back, err := contract.ParseToken(token.String())
		if err != nil || back != token {
			t.Fatalf("the token %q of %q reads back as %q, %v", token, raw, back, err)
		}
		if back.ID() != id {
			t.Fatalf("%q comes back as %q", raw, back.ID())
		}
	})
}

// FuzzParseToken holds every token that is accepted to the same, and to being
// the only token of its id.
func FuzzParseToken(f *testing.F) {
	for _, seed := range []string{"a", "=Kg", "=K\ng", "=Kg\r", "=Kg=", "=Kh", "=", "=YWJj", "*", "a.b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := contract.ParseToken(text)
		if got := contract.IsToken([]byte(text)); got != (err == nil) {
			t.Fatalf("IsToken says %v of %q, ParseToken %v", got, text, err)
		}
		if err != nil {
			return
		}
		if bad := strings.IndexFunc(token.String(), unsafeInSubject); bad >= 0 {
			t.Fatalf("the token %q isn't safe in a subject", token)
		}
		id, err := contract.ParseID(string(token.ID()))
		if err != nil {
			t.Fatalf("the token %q stands for no id: %v", token, err)
		}
		if id.Token() != token {
			t.Fatalf("the tokens %q and %q stand for the same id", token, id.Token())
		}
	})
}

// FuzzTokensDiffer checks that different ids never share a subject token.
func FuzzTokensDiffer(f *testing.F) {
	f.Add("*", "=Kg")
	f.Add("a", "A")
	f.Add("a.b", "a_b")
	f.Fuzz(func(t *testing.T, a, b string) {
		one, err := contract.ParseID(a)
		if err != nil {
			return
		}
		two, err := contract.ParseID(b)
		if err != nil || one == two {
			return
		}
		if one.Token() == two.Token() {
			t.Fatalf("%q and %q share the token %q", a, b, one.Token())
		}
	})
}

func unsafeInSubject(r rune) bool {
	return r == '.' || r == '*' || r == '>' || r == utf8.RuneError || r > unicode.MaxASCII ||
		unicode.IsSpace(r) || unicode.IsControl(r)
}

func mustID(t *testing.T, raw string) contract.ID {
	t.Helper()
	id, err := contract.ParseID(raw)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func mustToken(t testing.TB, text string) contract.Token {
	t.Helper()
	token, err := contract.ParseToken(text)
	if err != nil {
		t.Fatal(err)
	}
	return token
}
