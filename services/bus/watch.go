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
	// watchHeartbeat is how often an idle watcher hears from the server; two
	// missing ones end it. The library's own watcher takes 10 s and more to
	// notice that it is dead, longer than a lease may look unchanged.
	watchHeartbeat = time.Second
	// watchExpiry bounds one request for entries that the server holds open.
	watchExpiry = 30 * time.Second
	// watchBuffer is how many entries are asked for ahead of fn.
	watchBuffer = 256
	// watchLinger is how long the server keeps the consumer of a process that
	// went away without a word.
	watchLinger = 10 * time.Second
	// watchQuiet is how long a watcher may tell of nothing before it is made again.
	// One that was made while its stream had no leader may show that it lives and
	// yet not hear of what its server gets by catching up.
	watchQuiet = 30 * time.Second
	// watchAttempt bounds one request to make or remove a watcher.
	watchAttempt = 2 * time.Second
	// The pauses before a watcher is made again.
	watchShortest = 50 * time.Millisecond
	watchLongest  = time.Second
)

var (
	errNotOpened = errors.New("the bucket wasn't opened by bus.OpenBucket")
	errGap       = errors.New("an entry was lost on the way")
	errQuiet     = errors.New("nothing came for a while")
)

// Watch calls fn for the current value and every later change of each key that
// pattern matches, from one goroutine, until ctx ends; it returns ctx's error.
// kv must come from [OpenBucket].
//
// A watcher that fails is noticed within three seconds, one that falls silent
// within [watchQuiet], one whose queue overran at once. It is made again from its
// position, or from the current values when the bucket was made anew. So fn sees each current value at least once, and may see one again; a value that is
// overwritten soon may be skipped. ready (which may be nil) is called once,
// after the first complete set of current values.
//
// The server keeps what fn is too slow for; fn must return when ctx ends.
func Watch(ctx context.Context, kv jetstream.KeyValue, pattern string, fn func(jetstream.KeyValueEntry), ready func()) error {
	b, ok := kv.(bucket)
	if !ok {
		return fmt.Errorf("watch %s: %w", kv.Bucket(), errNotOpened)
	}
	w := &watch{bucket: b, pattern: pattern, fn: fn, ready: ready, quiet: watchQuiet}
	return w.run(ctx)
}

// run follows the bucket until ctx ends, by one consumer after the other.
func (w *watch) run(ctx context.Context) error {
	log := throttle{interval: waitingLogInterval}
	pause := backoff{shortest: watchShortest, longest: watchLongest}
	for {
		before := w.last
		err := w.follow(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if w.last != before {
			pause.next = 0
		}
		if errors.Is(err, errQuiet) {
			continue
		}
		if log.allow() {
			slog.WarnContext(ctx, "watch is made again", "bucket", w.bucket.Bucket(), "pattern", w.pattern, "error", err)
		}
		if err := pause.wait(ctx); err != nil {
			return err
		}
		retries.WithLabelValues(opWatch).Inc()
	}
}

// watch is the state of one Watch, owned by its goroutine.
type watch struct {
	bucket  bucket
	pattern string
	fn      func(jetstream.KeyValueEntry)
	ready   func() // nil once called
	quiet   time.Duration

	created time.Time // of the stream that last belongs to
	last    uint64    // revision of the last entry that fn saw
}

// follow makes a consumer and hands its entries on until it fails.
func (w *watch) follow(ctx context.Context) error {
	consumer, remove, err := w.newConsumer(ctx)
	if err != nil {
		return err
	}
	defer remove()
	messages, err := consumer.Messages(jetstream.PullMaxMessages(watchBuffer),
		jetstream.PullExpiry(watchExpiry), jetstream.PullHeartbeat(watchHeartbeat))
	if err != nil {
		return fmt.Errorf("start consumer: %w", err)
	}
	defer messages.Stop()
	missing := consumer.CachedInfo().NumPending
	if missing == 0 {
		w.complete()
	}
	quiet := time.AfterFunc(w.quiet, messages.Stop)
	defer quiet.Stop()
	defer OnOverrun(messages.Stop)()
	for seen := uint64(1); ; seen++ {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if errors.Is(err, jetstream.ErrMsgIteratorClosed) {
			return errQuiet
		}
		if err != nil {
			return fmt.Errorf("next entry: %w", err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("next entry: %w", err)
		}
		if meta.Sequence.Consumer != seen {
			return errGap
		}
		quiet.Reset(w.quiet)
		w.fn(newEntry(w.bucket.Bucket(), m, meta))
		w.last = meta.Sequence.Stream
		if seen >= missing || meta.NumPending == 0 {
			w.complete()
		}
	}
}

func (w *watch) complete() {
	if w.ready != nil {
		w.ready()
		w.ready = nil
	}
}

// newConsumer makes a consumer that begins after the last entry seen. remove
// deletes it.
func (w *watch) newConsumer(ctx context.Context) (consumer jetstream.Consumer, remove func(), err error) {
	attempt, cancel := context.WithTimeout(ctx, watchAttempt)
	defer cancel()
	stream, err := w.bucket.js.Stream(attempt, streamPrefix+w.bucket.Bucket())
	if err != nil {
		return nil, nil, fmt.Errorf("open stream: %w", err)
	}
	checkClock(ctx, stream.CachedInfo().TimeStamp, time.Now(), &clockLog)
	if info := stream.CachedInfo(); !info.Created.Equal(w.created) || info.State.LastSeq < w.last {
		w.created, w.last = info.Created, 0 // another log: its revisions mean nothing here
	}
	config := jetstream.ConsumerConfig{
		FilterSubject:     subjectPrefix + w.bucket.Bucket() + "." + w.pattern,
		DeliverPolicy:     jetstream.DeliverLastPerSubjectPolicy,
		AckPolicy:         jetstream.AckNonePolicy,
		MemoryStorage:     true,
		Replicas:          1,
		InactiveThreshold: watchLinger,
	}
	if w.last > 0 {
		config.DeliverPolicy, config.OptStartSeq = jetstream.DeliverByStartSequencePolicy, w.last+1
	}
	consumer, err = stream.CreateConsumer(attempt, config)
	if err != nil {
		return nil, nil, fmt.Errorf("make consumer: %w", err)
	}
	return consumer, func() {
		attempt, cancel := context.WithTimeout(context.WithoutCancel(ctx), watchAttempt)
		defer cancel()
		if err := stream.DeleteConsumer(attempt, consumer.CachedInfo().Name); err != nil {
			slog.DebugContext(ctx, "consumer is left to the server", "bucket", w.bucket.Bucket(), "error", err)
		}
	}, nil
}
