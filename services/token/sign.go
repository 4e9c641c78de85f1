package token

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parley-rtc/parley/services/contract"
)

// Sign makes the token of the claims. kid must be the [KeyID] of key's public
// half. Claims that [Verifier.Verify] would refuse whenever it is asked are
// refused here.
func Sign(key ed25519.PrivateKey, kid string, claims contract.Claims) (string, error) {
	if len(key) != ed25519.PrivateKeySize {
		return "", fmt.Errorf("sign token: the key is not an Ed25519 private key")
	}
	if err := checkClaims(claims); err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	if claims.Audience != contract.TokenAudience {
		return "", fmt.Errorf("sign token: %w", wrongAudience())
	}
	header, err := encode(map[string]string{"alg": Algorithm, "typ": "JWT", "kid": kid})
	if err != nil {
		return "", fmt.Errorf("sign token: encode the header: %w", err)
	}
	payload, err := encode(claims)
	if err != nil {
		return "", fmt.Errorf("sign token: encode the claims: %w", err)
	}
	signed := header + "." + payload
	signature, err := jwt.SigningMethodEdDSA.Sign(signed, key)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	raw := signed + "." + base64.RawURLEncoding.EncodeToString(signature)
	if len(raw) > MaxBytes {
		return "", fmt.Errorf("sign token: %w", tooLong())
	}
	return raw, nil
}

// encode leaves <, > and & as they are: json.Marshal, and so jwt.Token, makes
// six bytes of each, and the longest ids would no longer fit in MaxBytes.
func encode(value any) (string, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(bytes.TrimSuffix(text.Bytes(), []byte("\n"))), nil
}
