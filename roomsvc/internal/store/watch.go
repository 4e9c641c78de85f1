package store

import (
	"context"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
)

// Value is one value of a bucket as a watch brings it. A deleted one, which
// only an operator makes, is nil.
type Value struct {
	Key    string
	Stored uint64 // the revision of the bucket
	Data   []byte
}

// WatchRooms calls fn for each room document as bus.Watch does.
func (s *Store) WatchRooms(ctx context.Context, fn func(Value), ready func()) error {
	return watch(ctx, s.rooms, fn, ready)
}

// WatchMembers calls fn for each member's record as bus.Watch does.
func (s *Store) WatchMembers(ctx context.Context, fn func(Value), ready func()) error {
	return watch(ctx, s.members, fn, ready)
}

// WatchLeases calls fn for each lease as bus.Watch does.
func (s *Store) WatchLeases(ctx context.Context, fn func(Value), ready func()) error {
	return watch(ctx, s.edges, fn, ready)
}

// WatchApps calls fn for each app's record as bus.Watch does.
func (s *Store) WatchApps(ctx context.Context, fn func(Value), ready func()) error {
	return watch(ctx, s.apps, fn, ready)
}

func watch(ctx context.Context, kv jetstream.KeyValue, fn func(Value), ready func()) error {
	return bus.Watch(ctx, kv, jetstream.AllKeys, func(entry jetstream.KeyValueEntry) {
		v := Value{Key: entry.Key(), Stored: entry.Revision()}
		if entry.Operation() == jetstream.KeyValuePut {
			v.Data = entry.Value()
		} else {
			slog.WarnContext(ctx, "a value was deleted by hand: Parley deletes none", "bucket", kv.Bucket(), "operation", entry.Operation().String())
		}
		fn(v)
	}, ready)
}
