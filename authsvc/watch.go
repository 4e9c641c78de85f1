package authsvc

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// watchApps keeps the issuer's directory in step with the bucket "apps" until
// ctx ends. ready is called when it holds all of it.
func (i *issuer) watchApps(ctx context.Context, kv jetstream.KeyValue, ready func()) error {
	return bus.Watch(ctx, kv, "*", func(entry jetstream.KeyValueEntry) {
		app, err := contract.ParseToken(entry.Key())
		if err != nil {
			slog.WarnContext(ctx, "app refused: its key is no id", "revision", entry.Revision())
			return
		}
		record, err := readApp(app, entry)
		if err != nil {
			// An app that can't be read must not keep API keys that may have been
			// revoked in what it now says.
			slog.WarnContext(ctx, "app refused", "app", app, "revision", entry.Revision(), "error", err)
		}
		if err != nil || record == nil {
			i.limits.Forget(i.apps.Remove(app))
			return
		}
		i.limits.Forget(i.apps.Set(*record))
	}, func() {
		i.complete.Store(true)
		ready()
	})
}

// readApp returns nil for an app that was deleted.
func readApp(app contract.Token, entry jetstream.KeyValueEntry) (*contract.AppRecord, error) {
	if entry.Operation() != jetstream.KeyValuePut {
		return nil, nil //nolint:nilnil // nothing there, and nothing wrong
	}
	var record contract.AppRecord
	if err := json.Unmarshal(entry.Value(), &record); err != nil {
		return nil, err
	}
	if record.App != app {
		return nil, errors.New("it stands under another id than its own")
	}
	return &record, nil
}
