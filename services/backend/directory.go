package backend

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"slices"
	"sync"

	"github.com/parley-rtc/parley/services/contract"
)

var (
	// ErrUnknown is returned for an API key that no app has.
	ErrUnknown = errors.New("unknown API key")
	// ErrShared is returned for an API key that several apps have: whom it
	// stands for can't be told.
	ErrShared = errors.New("the API key belongs to several apps")
)

// Hash is the SHA-256 of an API key, as an AppRecord holds it.
type Hash [sha256.Size]byte

// HashOf returns the hash of an API key.
func HashOf(apiKey string) Hash { return sha256.Sum256([]byte(apiKey)) }

// blind is a Hash under this directory's own secret. A map is searched by it,
// so that nobody outside can aim at a place in the map.
type blind [sha256.Size]byte

// Directory is the apps by their API keys. Its methods may be called from any
// goroutine.
type Directory struct {
	secret []byte

	mu    sync.RWMutex
	apps  map[contract.Token]contract.AppRecord
	byKey map[blind][]holder
}

// holder is an app that has a certain API key.
type holder struct {
	hash Hash
	app  contract.Token
}

// NewDirectory returns a Directory without apps.
func NewDirectory() *Directory {
	secret := make([]byte, sha256.Size)
	rand.Read(secret) // never fails: it would end the process
	return &Directory{secret: secret, apps: map[contract.Token]contract.AppRecord{}, byKey: map[blind][]holder{}}
}

// Set puts an app in the place of what was known of it, and returns the hashes
// of the API keys that no app has any more. The caller must not change the
// record afterwards.
func (d *Directory) Set(record contract.AppRecord) (gone []Hash) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before := d.take(record.App)
	d.apps[record.App] = record
	for _, hash := range hashes(record) {
		at := d.blind(hash)
		d.byKey[at] = append(d.byKey[at], holder{hash, record.App})
	}
	return d.absent(before)
}

// Remove forgets an app and returns the hashes of the API keys that no app has
// any more.
func (d *Directory) Remove(app contract.Token) (gone []Hash) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.absent(d.take(app))
}

// Find returns the app of an API key. The error is ErrUnknown or ErrShared.
func (d *Directory) Find(apiKey Hash) (contract.AppRecord, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	holders := d.byKey[d.blind(apiKey)]
	switch {
	case len(holders) == 0 || subtle.ConstantTimeCompare(holders[0].hash[:], apiKey[:]) != 1:
		return contract.AppRecord{}, ErrUnknown
	case len(holders) > 1:
		return contract.AppRecord{}, ErrShared
	}
	return d.apps[holders[0].app], nil
}

// Apps returns the apps, in no order.
func (d *Directory) Apps() []contract.Token {
	d.mu.RLock()
	defer d.mu.RUnlock()
	apps := make([]contract.Token, 0, len(d.apps))
	for app := range d.apps {
		apps = append(apps, app)
	}
	return apps
}

// take removes an app under mu and returns its hashes.
func (d *Directory) take(app contract.Token) []Hash {
	before := hashes(d.apps[app])
	delete(d.apps, app)
	for _, hash := range before {
		at := d.blind(hash)
		left := slices.DeleteFunc(d.byKey[at], func(h holder) bool { return h.app == app })
		if len(left) == 0 {
			delete(d.byKey, at)
		} else {
			d.byKey[at] = left
		}
	}
	return before
}

func (d *Directory) absent(hashes []Hash) []Hash {
	return slices.DeleteFunc(hashes, func(hash Hash) bool { return len(d.byKey[d.blind(hash)]) > 0 })
}

func (d *Directory) blind(hash Hash) blind {
	mac := hmac.New(sha256.New, d.secret)
	mac.Write(hash[:])
	return blind(mac.Sum(nil))
}

// hashes returns each sound hash of a record once.
func hashes(record contract.AppRecord) []Hash {
	var all []Hash
	for _, key := range record.APIKeys {
		if len(key) == len(Hash{}) && !slices.Contains(all, Hash(key)) {
			all = append(all, Hash(key))
		}
	}
	return all
}
