package authsvc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// errRetired is the end of a process whose signing key was retired.
var errRetired = errors.New("this signing key was retired, for ever: give signing_key a new one")

// publishKeys writes the ring's records where they aren't yet. Any number of
// processes may do it at once. A retired key stays retired whoever publishes it
// again: for an extra key that is only worth a warning.
func publishKeys(ctx context.Context, kv jetstream.KeyValue, signing string, records []contract.KeyRecord) error {
	for _, record := range records {
		_, err := bus.Update(ctx, kv, record.KeyID, func(current []byte, _ uint64) ([]byte, error) {
			return nextKey(current, record)
		})
		switch {
		case errors.Is(err, errRetired) && record.KeyID != signing:
			slog.WarnContext(ctx, "an extra key is retired; its tokens don't verify", "kid", record.KeyID)
		case err != nil:
			return fmt.Errorf("publish key %s: %w", record.KeyID, err)
		}
	}
	return nil
}

// nextKey is what the key of a record should hold after current.
func nextKey(current []byte, record contract.KeyRecord) ([]byte, error) {
	var have contract.KeyRecord
	if json.Unmarshal(current, &have) == nil && have.KeyID == record.KeyID {
		switch {
		case have.Retired && record.Retired:
			return nil, bus.ErrUnchanged
		case have.Retired:
			return nil, errRetired
		}
	}
	return replace(current, record)
}

// publishApps writes the configured apps. At the start of a process its
// configuration wins over what stands there; later it only fills in what has
// been lost, or two processes with different ones would write for ever.
func publishApps(ctx context.Context, kv jetstream.KeyValue, records []contract.AppRecord, starting bool) error {
	for _, record := range records {
		_, err := bus.Update(ctx, kv, record.App.String(), func(current []byte, _ uint64) ([]byte, error) {
			if current != nil && !starting {
				return nil, bus.ErrUnchanged
			}
			return replace(current, record)
		})
		if err != nil {
			return fmt.Errorf("publish app %s: %w", record.App, err)
		}
	}
	return nil
}

// replace returns the text of a record, or bus.ErrUnchanged if current is that.
func replace(current []byte, record any) ([]byte, error) {
	next, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	if bytes.Equal(current, next) {
		return nil, bus.ErrUnchanged
	}
	return next, nil
}
