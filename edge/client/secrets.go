package client

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// secretBytes is the length of a resume secret.
const secretBytes = 32

// secrets are what a session is resumed with. A secret counts once a welcome
// has confirmed it; until then it is proposed again, so that a lost welcome
// costs nothing: the edge knows either the confirmed or the proposed one.
type secrets struct {
	confirmed, proposed string // base64url
	attempt             uint64
}

// propose returns what the next hello carries.
func (s *secrets) propose() (resume []string, next string, attempt uint64) {
	s.attempt++
	if s.confirmed != "" {
		resume = append(resume, s.confirmed)
	}
	if s.proposed != "" {
		resume = append(resume, s.proposed)
	} else {
		s.proposed = newSecret()
	}
	return resume, hashSecret(s.proposed), s.attempt
}

// confirm is called with each welcome.
func (s *secrets) confirm() { s.confirmed, s.proposed = s.proposed, "" }

func newSecret() string {
	raw := make([]byte, secretBytes)
	rand.Read(raw) // it never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

// hashSecret is the base64url SHA-256 of the secret's bytes (not of its text).
func hashSecret(secret string) string {
	raw, err := base64.RawURLEncoding.DecodeString(secret)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(raw)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
