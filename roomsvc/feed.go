package roomsvc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/contract"
)

const (
	// feedPause is the time between two attempts to make a consumer.
	feedPause = 200 * time.Millisecond
	// feedHeartbeat is how often an idle consumer shows that it lives.
	feedHeartbeat = 500 * time.Millisecond
)

// feed follows the signal log from the moment at which it is started: one
// ordered consumer a shard.
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
		f.wg.Go(func() { followShard(ctx, js, shard, take, sync.OnceFunc(left.Done)) })
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

// followShard reads one shard until ctx ends. ready is called when the first consumer
// is there, or at the end.
func followShard(ctx context.Context, js jetstream.JetStream, shard int, take func(jetstream.Msg), ready func()) {
	defer ready()
	for ctx.Err() == nil {
		err := consume(ctx, js, shard, take, ready)
		if ctx.Err() != nil {
			return
		}
		streamRestarts.Inc()
		slog.WarnContext(ctx, "the event streams' consumer failed and is made again: lines may be missing", "shard", shard, "error", err)
		select {
		case <-time.After(feedPause):
		case <-ctx.Done():
		}
	}
}

func consume(ctx context.Context, js jetstream.JetStream, shard int, take func(jetstream.Msg), ready func()) error {
	stream, err := js.Stream(ctx, contract.StreamOf(contract.SignalsBucket(shard)))
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy})
	if err != nil {
		return fmt.Errorf("make the consumer: %w", err)
	}
	failed := make(chan error, 1)
	running, err := consumer.Consume(take,
		jetstream.PullHeartbeat(feedHeartbeat),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) {
			select {
			case failed <- err:
			default:
			}
		}))
	if err != nil {
		return fmt.Errorf("start the consumer: %w", err)
	}
	defer func() {
		running.Stop()
		<-running.Closed()
	}()
	ready()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-failed:
		return fmt.Errorf("follow the log: %w", err)
	case <-running.Closed():
		return errors.New("the consumer was closed")
	}
}
