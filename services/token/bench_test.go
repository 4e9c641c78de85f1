package token

import (
	"crypto/ed25519"
	"testing"
)

// BenchmarkVerifier_Verify: the signature is most of it; `ed25519` is that alone.
func BenchmarkVerifier_Verify(b *testing.B) {
	raw := testToken(b, testClaims())
	v := testVerifier(b)
	b.Run("token", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := v.Verify(raw, start); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ed25519", func(b *testing.B) {
		key, text := testKey(1), []byte(raw)
		signature := ed25519.Sign(key, text)
		for b.Loop() {
			if !ed25519.Verify(key.Public().(ed25519.PublicKey), text, signature) {
				b.Fatal("it doesn't verify")
			}
		}
	})
}
