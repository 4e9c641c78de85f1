package roomsvc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// feedPause is the time between two attempts to make a consumer.
	feedPause = 200 * time.Millisecond
	// feedHeartbeat is how often an idle consumer shows that it lives.
	feedHeartbeat = 500 * time.Millisecond
)

// feed follows the signal log from the moment at which it is started: one
// ordered consumer a shard at a time, each from where the one before ended.
type feed struct {
	ready  chan struct{} // closed when every shard is followed
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// startFeed calls take for each entry, from one goroutine a shard, until stop.
func startFeed(js jetstream.JetStream, shards int, take func(jetstream.Msg)) *feed {
	ctx, cancel := context.WithCancel(context.Background())
	f := &feed{ready: make(chan struct{}), cancel: cancel}
	var left sync.WaitGroup
	left.Add(shards)
	for shard := range shards {
		one := &follower{js: js, shard: shard, take: take, ready: sync.OnceFunc(left.Done)}
		f.wg.Go(func() { one.run(ctx) })
	}
	f.wg.Go(func() {
		left.Wait()
		close(f.ready)
	})
	return f
}

// stop ends the feed and waits for it; nil has nothing to stop.
func (f *feed) stop() {
	if f == nil {
		return
	}
	f.cancel()
	f.wg.Wait()
}

// follower reads one shard: what comes after the head that it finds first, each entry
// once.
type follower struct {
	js    jetstream.JetStream
	shard int
	take  func(jetstream.Msg)
	ready func() // called when the first consumer is there, or at the end

	created time.Time // of the log that last belongs to

	// mu is held while an entry is taken: the goroutine that a consumer calls from may
	// outlive it.
	mu   sync.Mutex
	last atomic.Uint64 // revision of the entry that was taken last; at first the head's
}

// run follows the shard until ctx ends, by one consumer after the other.
func (f *follower) run(ctx context.Context) {
	defer f.ready()
	for ctx.Err() == nil {
		err := f.consume(ctx)
		if ctx.Err() != nil {
			return
		}
		streamRestarts.Inc()
		slog.WarnContext(ctx, "the event streams' consumer failed and is made again", "shard", f.shard, "after", f.last.Load(), "error", err)
		select {
		case <-time.After(feedPause):
		case <-ctx.Done():
		}
	}
}

// consume reads on from the position until the consumer ends or ctx does.
func (f *follower) consume(ctx context.Context) error {
	stream, err := f.js.Stream(ctx, contract.StreamOf(contract.SignalsBucket(f.shard)))
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	f.find(stream.CachedInfo())
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: f.last.Load() + 1,
	})
	if err != nil {
		return fmt.Errorf("make the consumer: %w", err)
	}
	failed := make(chan error, 1)
	fail := func(err error) {
		select {
		case failed <- err:
		default:
		}
	}
	running, err := consumer.Consume(f.handle,
		jetstream.PullHeartbeat(feedHeartbeat),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) { fail(err) }))
	if err != nil {
		return fmt.Errorf("start the consumer: %w", err)
	}
	defer func() {
		running.Stop()
		<-running.Closed()
	}()
	defer bus.OnOverrun(func() { fail(errOverrun) })()
	f.ready()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-failed:
		return fmt.Errorf("follow the log: %w", err)
	case <-running.Closed():
		return errors.New("the consumer was closed")
	}
}

// errOverrun ends a consumer of which something may have been dropped.
var errOverrun = errors.New("entries came faster than they were told, and were dropped")

// find puts the position at the head of the first log that is found, and at the
// beginning of one that was made anew since.
func (f *follower) find(info *jetstream.StreamInfo) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.created.IsZero():
		f.last.Store(info.State.LastSeq)
	case !f.created.Equal(info.Created):
		f.last.Store(0)
	}
	f.created = info.Created
}

// handle takes one entry, unless it was taken before.
func (f *follower) handle(m jetstream.Msg) {
	f.mu.Lock()
	defer f.mu.Unlock()
	meta, err := m.Metadata()
	if err != nil || meta.Sequence.Stream <= f.last.Load() {
		return
	}
	f.take(m)
	f.last.Store(meta.Sequence.Stream)
}
