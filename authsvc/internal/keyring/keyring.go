package keyring

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/token"
)

// Source is the text of the keys as they were configured.
type Source struct {
	Signing string            // the private key that signs
	Extra   map[string]string // by a name for errors: keys that verify and don't sign
	Retired []string          // kids of keys that must never verify again
}

// Ring is a set of keys. It doesn't change.
type Ring struct {
	signing ed25519.PrivateKey
	kid     string
	records []contract.KeyRecord
}

// New reads the keys. The error joins every fault; each begins with the key in
// the configuration.
func New(source Source) (*Ring, error) {
	r := &Ring{}
	var faults []error
	retired := map[string]bool{}
	for i, kid := range source.Retired {
		if sum, err := base64.RawURLEncoding.Strict().DecodeString(kid); err != nil || len(sum) != 32 {
			faults = append(faults, fmt.Errorf("retired_keys[%d]: must be a kid, the 43 characters under which the key was published", i))
			continue
		}
		if !retired[kid] {
			r.records = append(r.records, contract.KeyRecord{KeyID: kid, Algorithm: token.Algorithm, Retired: true})
		}
		retired[kid] = true
	}
	add := func(key string, public ed25519.PublicKey) {
		record := token.Record(public)
		switch {
		case retired[record.KeyID]:
			faults = append(faults, fmt.Errorf("%s: retired_keys holds its kid too (%s): leave one of the two out", key, record.KeyID))
		case !slices.ContainsFunc(r.records, func(other contract.KeyRecord) bool { return other.KeyID == record.KeyID }):
			r.records = append(r.records, record)
		}
	}
	private, err := parsePrivate(source.Signing)
	if err != nil {
		faults = append(faults, fmt.Errorf("signing_key: %w", err))
	} else {
		r.signing, r.kid = private, token.KeyID(publicOf(private))
		add("signing_key", publicOf(private))
	}
	for _, name := range slices.Sorted(maps.Keys(source.Extra)) {
		public, err := parsePublic(source.Extra[name])
		if err != nil {
			faults = append(faults, fmt.Errorf("extra_keys.%s: %w", name, err))
			continue
		}
		add("extra_keys."+name, public)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return r, nil
}

// KeyID is the kid of the key that signs.
func (r *Ring) KeyID() string { return r.kid }

// Records returns what must be published: the key that signs, the extra ones,
// and the tombstones of the retired. The caller must not change it.
func (r *Ring) Records() []contract.KeyRecord { return r.records }

// Sign makes the token of the claims.
func (r *Ring) Sign(claims contract.Claims) (string, error) {
	return token.Sign(r.signing, r.kid, claims)
}
