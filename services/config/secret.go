package config

import (
	"crypto/rand"
	"encoding/base64"
	"log/slog"
)

// redacted stands for a secret wherever it could be seen.
const redacted = "[redacted]"

// Secret is a value that must not be shown. Every way to format, log or encode
// one gives "[redacted]" (an empty one stays empty, so that a missing secret
// can be seen); only [Secret.Reveal] gives the value itself.
type Secret string

// NewSecret is 32 random bytes as base64url.
func NewSecret() Secret {
	var raw [32]byte
	rand.Read(raw[:])
	return Secret(base64.RawURLEncoding.EncodeToString(raw[:]))
}

// Reveal returns the value. Callers must hand it to what needs it and nothing
// else.
func (s Secret) Reveal() string { return string(s) }

// String implements [fmt.Stringer].
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString implements [fmt.GoStringer], which %#v uses.
func (s Secret) GoString() string { return `config.Secret("` + s.String() + `")` }

// LogValue implements [slog.LogValuer].
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements [encoding.TextMarshaler], so no encoder shows a secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON implements [json.Marshaler].
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }
