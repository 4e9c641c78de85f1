package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// openAttempt bounds one question for a stream.
	openAttempt = time.Second
	// The pauses between two such questions.
	openShortest = 50 * time.Millisecond
	openLongest  = 500 * time.Millisecond
)

// OpenStream waits until the stream exists; roomsvc creates it. A log line says
// that it waits, and why. ctx ends it.
func OpenStream(ctx context.Context, js jetstream.JetStream, name string) (jetstream.Stream, error) {
	stream, err := open(ctx, "stream "+name, func(ctx context.Context) (jetstream.Stream, error) { return js.Stream(ctx, name) })
	if err == nil {
		checkClock(ctx, stream.CachedInfo().TimeStamp, time.Now(), &clockLog)
		StreamsFrom(ctx).opened(stream.CachedInfo())
	}
	return stream, err
}

// OpenBucket waits until the bucket exists; roomsvc creates it. A log line says
// that it waits, and why. ctx ends it. [Watch] takes the outcome.
func OpenBucket(ctx context.Context, js jetstream.JetStream, name string) (jetstream.KeyValue, error) {
	kv, err := open(ctx, "bucket "+name, func(ctx context.Context) (jetstream.KeyValue, error) { return js.KeyValue(ctx, name) })
	if err != nil {
		return nil, err
	}
	if _, err := OpenStream(ctx, js, streamPrefix+name); err != nil {
		return nil, err
	}
	return bucket{KeyValue: kv, js: js}, nil
}

// bucket is a KeyValue that knows its JetStream, which Watch needs.
type bucket struct {
	jetstream.KeyValue
	js jetstream.JetStream
}

func open[T any](ctx context.Context, what string, attempt func(context.Context) (T, error)) (T, error) {
	pause := backoff{shortest: openShortest, longest: openLongest}
	said := ""
	var last error // of an attempt that ctx didn't end
	for {
		opened, err := openOnce(ctx, attempt)
		if err == nil {
			return opened, nil
		}
		if ctx.Err() == nil {
			last = err
		}
		if ctx.Err() == nil && !IsTransient(err) && !missing(err) {
			return opened, fmt.Errorf("open %s: %w", what, err)
		}
		if why := advised(err).Error(); why != said {
			slog.InfoContext(ctx, "waiting for a stream, which roomsvc makes", "missing", what, "error", why)
			said = why
		}
		if pause.wait(ctx) != nil {
			return opened, fmt.Errorf("open %s: %w", what, ended(ctx, last))
		}
		retries.WithLabelValues(opOpen).Inc()
	}
}

func openOnce[T any](ctx context.Context, attempt func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, openAttempt)
	defer cancel()
	return attempt(ctx)
}

func missing(err error) bool {
	return errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrBucketNotFound)
}
