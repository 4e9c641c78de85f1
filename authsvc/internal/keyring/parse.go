package keyring

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// howto ends every error that a key would have prevented.
const howto = "make one with: openssl genpkey -algorithm ed25519"

var (
	errMissing   = errors.New("missing: room tokens need an Ed25519 private key, in signing_key or the file that signing_key_file names; " + howto)
	errEncrypted = errors.New("the PEM is encrypted: store it decrypted where only this service can read it")
	errForm      = errors.New("must be PEM (PKCS #8) or a seed of 32 bytes in base64url; " + howto)
)

// parsePrivate reads an Ed25519 private key: PEM of PKCS #8 (RFC 8410 section 7) or
// its 32-byte seed in base64url.
func parsePrivate(text string) (ed25519.PrivateKey, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return nil, errMissing
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return parseSeed(text)
	}
	switch block.Type {
	case "PRIVATE KEY":
	case "ENCRYPTED PRIVATE KEY":
		return nil, errEncrypted
	default:
		return nil, fmt.Errorf("the PEM holds %.40q, it must hold an Ed25519 PRIVATE KEY; %s", block.Type, howto)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errForm // the parser's own text says nothing that helps
	}
	key, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("the key is a %T, it must be an Ed25519 one; %s", parsed, howto)
	}
	return key, nil
}

func parseSeed(text string) (ed25519.PrivateKey, error) {
	seed, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errForm
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// parsePublic reads what a key needs in order to be published: PEM of its
// public half (RFC 8410 section 4), or anything that parsePrivate takes.
func parsePublic(text string) (ed25519.PublicKey, error) {
	block, _ := pem.Decode([]byte(strings.TrimSpace(text)))
	if block == nil || block.Type != "PUBLIC KEY" {
		private, err := parsePrivate(text)
		if err != nil {
			return nil, err
		}
		return publicOf(private), nil
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, errForm
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("the key is a %T, it must be an Ed25519 one; %s", parsed, howto)
	}
	return key, nil
}

// publicOf returns the second half of a private key, which is its public one.
func publicOf(private ed25519.PrivateKey) ed25519.PublicKey {
	return ed25519.PublicKey(private[ed25519.SeedSize:])
}
