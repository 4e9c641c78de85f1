package contract

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxIDBytes is the most bytes of UTF-8 that an app, room or identity may have.
const MaxIDBytes = 128

// MaxNameBytes is the most bytes of the configured name of a process.
const MaxNameBytes = 32

// maxPlainToken is the longest id that travels as it is; longer ones are encoded.
const maxPlainToken = 64

// tokenEscape starts the token of an id that isn't itself a safe token.
// '=' is in the key alphabet of JetStream KV and in no plain token.
const tokenEscape = '='

// ErrBadID is wrapped by every error about an id, so that callers can answer
// with CodeBadID.
var ErrBadID = errors.New("bad id")

// ID is an app, a room or an identity as people named it: 1 to MaxIDBytes
// bytes of valid UTF-8 without control characters. An ID must come from
// ParseID; it must never be put into a subject, key, queue or header itself,
// only its Token may.
type ID string

// ParseID checks a raw name. The error wraps ErrBadID and names the rule, never
// the input.
func ParseID(raw string) (ID, error) {
	if err := CheckID([]byte(raw)); err != nil {
		return "", err
	}
	return ID(raw), nil
}

// CheckID returns the error of ParseID. It allocates nothing for an id.
func CheckID(raw []byte) error {
	switch {
	case len(raw) == 0:
		return fmt.Errorf("%w: it is empty, give 1 to %d bytes", ErrBadID, MaxIDBytes)
	case len(raw) > MaxIDBytes:
		return fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrBadID, len(raw), MaxIDBytes)
	case !utf8.Valid(raw):
		return fmt.Errorf("%w: it is not valid UTF-8", ErrBadID)
	}
	for i := 0; i < len(raw); {
		r, size := utf8.DecodeRune(raw[i:])
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return fmt.Errorf("%w: control character at byte %d", ErrBadID, i)
		}
		i += size
	}
	return nil
}

// Token returns the id in the form that may stand in subjects and keys:
// itself if it is [A-Za-z0-9_-]{1,64}, otherwise '=' and its base64url.
// Different ids have different tokens.
func (id ID) Token() Token {
	if isPlainToken(string(id)) {
		return Token{string(id)}
	}
	return Token{string(tokenEscape) + base64.RawURLEncoding.EncodeToString([]byte(id))}
}

// Token is the only type that becomes part of a subject, key or header. It
// holds no '.', '*', '>', white space or control character. The zero Token is
// no token; IsZero tells.
type Token struct{ text string }

// ParseToken reads a token back from a subject, key or entry. It refuses
// everything that ID.Token, NewPeerID and NewProcessID don't produce.
func ParseToken(text string) (Token, error) {
	if !isPlainToken(text) {
		if err := checkEscaped([]byte(text)); err != nil {
			return Token{}, err
		}
	}
	return Token{text}, nil
}

// IsToken reports whether ParseToken takes text. It allocates nothing for a
// token.
func IsToken(text []byte) bool { return isPlainToken(text) || checkEscaped(text) == nil }

// strictBase64 refuses texts whose last bits mean nothing.
var strictBase64 = base64.RawURLEncoding.Strict()

// checkEscaped says why text is no token that begins with tokenEscape.
func checkEscaped(text []byte) error {
	if len(text) == 0 || text[0] != tokenEscape {
		return fmt.Errorf("%w: not a token", ErrBadID)
	}
	encoded := text[1:]
	if most := strictBase64.EncodedLen(MaxIDBytes); len(encoded) > most {
		return fmt.Errorf("%w: token of %d bytes, at most %d are allowed", ErrBadID, len(text), 1+most)
	}
	var buffer [MaxIDBytes]byte
	n, err := strictBase64.Decode(buffer[:], encoded)
	if err != nil {
		return fmt.Errorf("%w: token is not base64url", ErrBadID)
	}
	raw := buffer[:n]
	if err := CheckID(raw); err != nil {
		return err
	}
	// The decoder skips CR and LF, and a plain id could be encoded without
	// need: only the one token that the id itself has may pass.
	if strictBase64.EncodedLen(n) != len(encoded) || isPlainToken(raw) {
		return fmt.Errorf("%w: not the token of its id", ErrBadID)
	}
	return nil
}

// ByToken is what m has for the token of that text, or the zero V: also of a
// text that is no token. It allocates nothing.
func ByToken[V any](m map[Token]V, text []byte) V { return m[Token{string(text)}] }

// ID returns the name that the token stands for.
func (t Token) ID() ID {
	encoded, escaped := strings.CutPrefix(t.text, string(tokenEscape))
	if !escaped {
		return ID(t.text)
	}
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		panic("contract: internal error: a Token was made that is no token")
	}
	return ID(raw)
}

// String returns the token's text.
func (t Token) String() string { return t.text }

// IsZero reports whether t is no token.
func (t Token) IsZero() bool { return t.text == "" }

// MarshalText implements encoding.TextMarshaler.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.text), nil }

// UnmarshalText implements encoding.TextUnmarshaler. Empty text is the zero Token.
func (t *Token) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*t = Token{}
		return nil
	}
	parsed, err := ParseToken(string(text))
	*t = parsed
	return err
}

// NewPeerID returns the id of a new membership: 100 random bits, never used again.
func NewPeerID() Token { return Token{randomText(20)} }

// NewSessionID returns the public id of a new session: 100 random bits. It is
// no secret and resumes nothing.
func NewSessionID() string { return randomText(20) }

// NewProcessID returns `<name>-<random>`, the id of one process, never used
// again. The name must be [A-Za-z0-9_-], at most MaxNameBytes long.
func NewProcessID(name string) (Token, error) {
	if len(name) > MaxNameBytes || !isPlainToken(name) {
		return Token{}, fmt.Errorf("%w: name %.40q: 1 to %d of A-Z a-z 0-9 _ - are allowed", ErrBadID, name, MaxNameBytes)
	}
	return Token{name + "-" + randomText(12)}, nil
}

// processName is the name that NewProcessID made the id of; of a token without
// one it is all of it.
func (t Token) processName() string {
	if i := strings.LastIndexByte(t.text, '-'); i > 0 {
		return t.text[:i]
	}
	return t.text
}

// randomText returns n characters of [a-z2-7], five random bits each.
func randomText(n int) string { return strings.ToLower(rand.Text())[:n] }

func isPlainToken[T string | []byte](s T) bool {
	if len(s) == 0 || len(s) > maxPlainToken {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
