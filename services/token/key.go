package token

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"github.com/parley-rtc/parley/services/contract"
)

// Algorithm is the only `alg` of a room token (RFC 8037 section 3.1).
const Algorithm = "EdDSA"

// KeyID is the name of a public key: its JWK thumbprint (RFC 7638) in the form
// that RFC 8037 section 2 gives an Ed25519 key. It may stand in a subject or a
// key of a bucket as it is.
func KeyID(public ed25519.PublicKey) string {
	x := base64.RawURLEncoding.EncodeToString(public)
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Record is the record under which a public key is published.
func Record(public ed25519.PublicKey) contract.KeyRecord {
	return contract.KeyRecord{KeyID: KeyID(public), Algorithm: Algorithm, Public: public}
}

// checkRecord reports why a record that isn't retired can't be used.
func checkRecord(r contract.KeyRecord) error {
	switch {
	case r.Algorithm != Algorithm:
		return errors.New("key record: alg is not " + Algorithm)
	case len(r.Public) != ed25519.PublicKeySize:
		return errors.New("key record: the public key is not of 32 bytes")
	case r.KeyID != KeyID(r.Public):
		return errors.New("key record: kid is not the thumbprint of its key")
	}
	return nil
}
