package backend

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// startingRetry is when a request should come again that was too early, in
// milliseconds.
const startingRetry = 1000

// Keys decide whose request is served. Feed them the bucket "apps" by Saw.
type Keys struct {
	apps     *Directory
	limits   *Limits
	complete atomic.Bool
}

// NewKeys returns keys that serve nobody until Complete is called.
func NewKeys(limits *Limits) *Keys { return &Keys{apps: NewDirectory(), limits: limits} }

// Saw takes over an app's record, nil for one that was deleted. One that can't
// be read keeps no API key: they may have been revoked in what it now says.
func (k *Keys) Saw(key string, record []byte) {
	app, err := contract.ParseToken(key)
	if err != nil {
		slog.Warn("app refused: its key is no id")
		return
	}
	r, err := readApp(app, record)
	if err != nil {
		slog.Warn("app refused", "app", key, "error", err)
	}
	if r == nil {
		k.limits.Forget(k.apps.Remove(app))
		return
	}
	k.limits.Forget(k.apps.Set(*r))
}

func readApp(app contract.Token, record []byte) (*contract.AppRecord, error) {
	if record == nil {
		return nil, nil //nolint:nilnil // nothing there, and nothing wrong
	}
	var r contract.AppRecord
	if err := json.Unmarshal(record, &r); err != nil {
		return nil, err
	}
	if r.App != app {
		return nil, errors.New("it stands under another id than its own")
	}
	return &r, nil
}

// Complete notes that every record of the bucket was seen.
func (k *Keys) Complete() { k.complete.Store(true) }

// Admit returns the app of an API key that may be served now. what names the
// request in the error, which is a *contract.Error.
func (k *Keys) Admit(what, key string, now time.Time) (contract.AppRecord, error) {
	if !k.complete.Load() {
		err := contract.Errorf(contract.CodeUnavailable, "%s: the apps aren't known yet: ask again in a moment", what)
		err.RetryAfter = startingRetry
		return contract.AppRecord{}, err
	}
	if key == "" {
		return contract.AppRecord{}, contract.Errorf(contract.CodeBadAPIKey, "%s: an API key is needed: Authorization: Bearer <API key>", what)
	}
	hash := HashOf(key)
	app, err := k.apps.Find(hash)
	switch {
	case errors.Is(err, ErrShared):
		return contract.AppRecord{}, contract.Errorf(contract.CodeBadAPIKey, "%s: the API key stands with several apps, so it counts for none: give each app its own", what)
	case err != nil:
		return contract.AppRecord{}, contract.Errorf(contract.CodeBadAPIKey, "%s: the API key is unknown or was revoked", what)
	}
	if wait := k.limits.Take(hash, now); wait > 0 {
		err := contract.Errorf(contract.CodeRateLimited, "%s: over %s with this API key: wait and ask again", what, k.limits)
		err.RetryAfter = max(1, int64((wait+time.Millisecond-1)/time.Millisecond))
		return contract.AppRecord{}, err
	}
	return app, nil
}

// Bearer returns the one API key of a request (RFC 6750 section 2.1), or "".
func Bearer(h http.Header) string {
	values := h.Values("Authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, key, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.Trim(key, " ")
}
