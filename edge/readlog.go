package edge

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/contract"
)

const (
	// singles is how many entries are read one by one before a consumer is made
	// for the rest: a consumer costs as much as some 20 reads, and reads 60,000
	// entries a second.
	singles = 20
	// bulk is how many entries are asked for at once, bulkWait how long.
	bulk     = 500
	bulkWait = 2 * time.Second
	// bulkLinger is how long the server keeps the consumer of an edge that died.
	bulkLinger = 5 * time.Second
)

// takeEntry gets one entry that was read from the log.
type takeEntry func(from contract.Token, revision uint64, data []byte) error

// readLog reads the links into an edge, from the entry after `after` to the last
// at or under `until`, or to the log's head as it is when the reading ends. It
// returns the revision up to which nothing is missing. It is the leader that says
// where the end is: a consumer may live on a server that lags behind.
func (e *Edge) readLog(ctx context.Context, edge contract.Token, after, until uint64, take takeEntry) (uint64, error) {
	stream := e.log.Stream(edge)
	filter := contract.SignalsFor(e.log.Shard(edge), edge)
	info, err := stream.Info(ctx)
	if err != nil {
		return after, fmt.Errorf("find the log's head: %w", err)
	}
	head := min(info.State.LastSeq, until)
	for n := 1; after < until; n++ {
		msg, err := readNext(ctx, stream, after+1, filter)
		switch {
		case isNoEntry(err):
			return max(after, head), nil
		case err != nil:
			return after, fmt.Errorf("read the log: %w", err)
		case msg.Sequence > until:
			return until, nil
		}
		from, _, err := contract.ParseSignalSubject(msg.Subject)
		if err == nil {
			err = take(from, msg.Sequence, msg.Data)
		}
		if err != nil {
			return after, fmt.Errorf("read entry %d: %w", msg.Sequence, err)
		}
		after = msg.Sequence
		if n%singles == 0 {
			if after, err = readMany(ctx, stream, filter, after, until, take); err != nil {
				return after, err
			}
		}
	}
	return after, nil
}

func isNoEntry(err error) bool { return errors.Is(err, jetstream.ErrMsgNotFound) }

// readNext reads the first entry at or over a revision from the log's leader.
func readNext(ctx context.Context, stream jetstream.Stream, revision uint64, filter string) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return stream.GetMsg(ctx, revision, jetstream.WithGetMsgSubject(filter))
}

// readMany reads what a consumer has, which may be less than there is.
func readMany(ctx context.Context, stream jetstream.Stream, filter string, after, until uint64, take takeEntry) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, readManyTimeout)
	defer cancel()
	consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		FilterSubject: filter, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
		AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1, InactiveThreshold: bulkLinger,
	})
	if err != nil {
		return after, fmt.Errorf("make a consumer to read the log: %w", err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = stream.DeleteConsumer(ctx, consumer.CachedInfo().Name) // it ends by itself, too
	}()
	for n, pending := uint64(0), consumer.CachedInfo().NumPending; n < pending; {
		batch, err := consumer.Fetch(int(min(pending-n, bulk)), jetstream.FetchMaxWait(bulkWait))
		if err != nil {
			return after, fmt.Errorf("read the log: %w", err)
		}
		got := 0
		for msg := range batch.Messages() {
			meta, err := msg.Metadata()
			if err != nil || meta.Sequence.Consumer != n+1 {
				return after, nil // one was lost on the way
			}
			if meta.Sequence.Stream > until {
				return until, nil
			}
			from, _, err := contract.ParseSignalSubject(msg.Subject())
			if err == nil {
				err = take(from, meta.Sequence.Stream, msg.Data())
			}
			if err != nil {
				return after, fmt.Errorf("read entry %d: %w", meta.Sequence.Stream, err)
			}
			after = meta.Sequence.Stream
			n++
			got++
		}
		if got == 0 {
			return after, nil
		}
	}
	return after, nil
}

// readManyTimeout bounds one consumer's reading.
const readManyTimeout = 30 * time.Second

// toHead is an `until` for as far as there is something.
const toHead = math.MaxUint64
