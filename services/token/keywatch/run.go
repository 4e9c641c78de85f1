package keywatch

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/token"
)

// keys are those of one token; revocations have two.
const keys = "*"

// Run gives the verifier every key of the bucket and every later change, until
// ctx ends; it returns ctx's error. ready (which may be nil) is called once,
// after the first complete set of keys.
func Run(ctx context.Context, kv jetstream.KeyValue, verifier *token.Verifier, ready func()) error {
	return bus.Watch(ctx, kv, keys, func(entry jetstream.KeyValueEntry) {
		if err := apply(verifier, entry); err != nil {
			verifier.RemoveKey(entry.Key())
			slog.WarnContext(ctx, "signing key refused", "kid", entry.Key(), "revision", entry.Revision(), "error", err)
		}
	}, ready)
}

func apply(verifier *token.Verifier, entry jetstream.KeyValueEntry) error {
	if entry.Operation() != jetstream.KeyValuePut {
		verifier.RemoveKey(entry.Key())
		return nil
	}
	var record contract.KeyRecord
	if err := json.Unmarshal(entry.Value(), &record); err != nil {
		return fmt.Errorf("decode key record: %w", err)
	}
	if record.KeyID != entry.Key() {
		return fmt.Errorf("key record: it stands under another kid than its own")
	}
	return verifier.SetKey(record)
}
