package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// kvAttempt bounds one read or write of a key.
	kvAttempt = time.Second
	// The pauses between two attempts. After a conflict they stay short: the
	// other writer is done, and it only matters not to meet it again.
	kvShortest        = 5 * time.Millisecond
	kvLongest         = 500 * time.Millisecond
	kvLongestConflict = 40 * time.Millisecond
)

var (
	// ErrUnchanged is what an Update's function returns to stop without a write.
	ErrUnchanged = errors.New("unchanged")
	// ErrNotFound is returned by Get for a key that has no value.
	ErrNotFound = errors.New("key not found")
)

// Update changes one key by compare-and-set: it reads the key, calls fn, and
// writes what fn returns if the key is still at that revision. current is nil
// and revision 0 when the key has no value.
//
// On a conflict, and whenever the outcome of a write is unknown, Update reads
// again and calls fn again, after a jittered back-off, until ctx ends. So fn
// must recognise its own earlier write by an operation id that it keeps in the
// value, and then return ErrUnchanged; another writer may have followed by
// then, so a value shared by several writers keeps the last id of each. fn must
// not modify current.
//
// Update ends with the revision that was written; with the current revision and
// no error when fn returned ErrUnchanged; with fn's error; or with ctx's, and
// then the write may have happened.
func Update(ctx context.Context, kv jetstream.KeyValue, key string, fn func(current []byte, revision uint64) (next []byte, err error)) (revision uint64, err error) {
	return update(ctx, kv, key, fn, nil)
}

// UpdateFrom is Update for a key that the caller knows to be at a revision (0:
// it has no value): it reads the key only if that turns out to be wrong or the
// outcome of a write is unknown. fn gets no current value the first time.
func UpdateFrom(ctx context.Context, kv jetstream.KeyValue, key string, at uint64, fn func(current []byte, revision uint64) (next []byte, err error)) (revision uint64, err error) {
	return update(ctx, kv, key, fn, &at)
}

// update is Update, which begins at a revision that is known unless that is nil.
func update(ctx context.Context, kv jetstream.KeyValue, key string, fn func(current []byte, revision uint64) (next []byte, err error), known *uint64) (uint64, error) {
	pause := backoff{shortest: kvShortest, longest: kvLongest}
	for ; ; known = nil {
		current, revision, err := getUnlessKnown(ctx, kv, key, known)
		if err != nil {
			return 0, fmt.Errorf("update: %w", err)
		}
		next, err := fn(current, revision)
		if errors.Is(err, ErrUnchanged) {
			return revision, nil
		}
		if err != nil {
			return 0, err
		}
		written, err := write(ctx, kv, key, next, revision)
		if err == nil {
			return written, nil
		}
		if ctx.Err() == nil && !isConflict(err) && !IsTransient(err) {
			return 0, fmt.Errorf("write %s/%s: %w", kv.Bucket(), key, err)
		}
		pause.longest = kvLongest
		if isConflict(err) {
			pause.longest = kvLongestConflict
		}
		if pause.wait(ctx) != nil {
			return 0, fmt.Errorf("write %s/%s: %w", kv.Bucket(), key, ended(ctx, err))
		}
		retries.WithLabelValues(opUpdate).Inc()
	}
}

// getUnlessKnown reads a key; one without a value is at 0.
func getUnlessKnown(ctx context.Context, kv jetstream.KeyValue, key string, known *uint64) (value []byte, revision uint64, err error) {
	if known != nil {
		return nil, *known, nil
	}
	value, revision, err = Get(ctx, kv, key)
	if errors.Is(err, ErrNotFound) {
		return nil, 0, nil
	}
	return value, revision, err
}

// write stores a value over the given revision; over 0 it creates the key, also
// over a delete marker.
func write(ctx context.Context, kv jetstream.KeyValue, key string, value []byte, revision uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, kvAttempt)
	defer cancel()
	if revision == 0 {
		return kv.Create(ctx, key, value)
	}
	return kv.Update(ctx, key, value, revision)
}

// Get reads one key, again and again while the fault is transient, until ctx
// ends. On a bucket without direct get it is the leader that answers. A key
// without a value, also one that was deleted, gives ErrNotFound.
func Get(ctx context.Context, kv jetstream.KeyValue, key string) (value []byte, revision uint64, err error) {
	pause := backoff{shortest: kvShortest, longest: kvLongest}
	for {
		entry, err := read(ctx, kv, key)
		switch {
		case err == nil:
			return entry.Value(), entry.Revision(), nil
		case errors.Is(err, jetstream.ErrKeyNotFound):
			return nil, 0, ErrNotFound
		case ctx.Err() == nil && !IsTransient(err):
			return nil, 0, fmt.Errorf("read %s/%s: %w", kv.Bucket(), key, err)
		}
		if pause.wait(ctx) != nil {
			return nil, 0, fmt.Errorf("read %s/%s: %w", kv.Bucket(), key, ended(ctx, err))
		}
		retries.WithLabelValues(opRead).Inc()
	}
}

func read(ctx context.Context, kv jetstream.KeyValue, key string) (jetstream.KeyValueEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, kvAttempt)
	defer cancel()
	return kv.Get(ctx, key)
}
