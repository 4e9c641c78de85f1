package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// heartbeat is how often an idle consumer shows that it lives.
const heartbeat = 500 * time.Millisecond

// readerPause is the time between two attempts to make a consumer.
const readerPause = 200 * time.Millisecond

// reader follows the signal log: one ordered consumer for all links into this
// edge, and while that delivers nothing what the log's leader answers (readon.go).
// Each entry is handed on once, by rising revision.
type reader struct {
	e        *Edge
	position atomic.Uint64 // everything at or under it was handed on or is held by its room
	consumed atomic.Uint64 // rises with each entry that a consumer delivers, and with each consumer
	stuck    chan struct{} // of one: the consumer delivers nothing of what is waiting

	// mu is held while an entry is handed on, so that whoever holds it sees no
	// session between two entries.
	mu    sync.Mutex
	from  map[string]contract.Token // tokens of the links seen, to parse each once
	frame deliverer
}

func newReader(e *Edge) *reader {
	return &reader{e: e, stuck: make(chan struct{}, 1), from: map[string]contract.Token{}, frame: deliverer{e: e}}
}

// errLogReplaced ends the edge: its positions mean nothing in another log.
var errLogReplaced = fmt.Errorf("%w: the signal log was made anew; a restarted edge will follow it", bus.ErrRemade)

// run follows the log until ctx ends; report hears how the consumer stands.
func (r *reader) run(ctx context.Context, report func(error)) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		err := r.consume(ctx, func() { report(nil) })
		if errors.Is(err, errLogReplaced) {
			return err
		}
		if ctx.Err() == nil {
			readerRestarts.Inc()
			report(err)
			slog.WarnContext(ctx, "the log's consumer failed and is made again", "error", err, "position", r.position.Load())
			pause(ctx, readerPause)
		}
	}
	return nil
}

// begin takes the log's head as the first position: the edge's id is new, so
// nothing before it can be for this edge.
func (r *reader) begin(ctx context.Context) error {
	for {
		info, err := r.e.log.Stream(r.e.id).Info(ctx)
		if err == nil {
			r.position.Store(info.State.LastSeq)
			return nil
		}
		if !bus.IsTransient(err) || ctx.Err() != nil {
			return fmt.Errorf("find the log's head: %w", err)
		}
		pause(ctx, readerPause)
	}
}

// consume reads on from the position until the consumer ends or ctx does.
func (r *reader) consume(ctx context.Context, ready func()) error {
	shard := r.e.log.Shard(r.e.id)
	stream, err := r.e.js.Stream(ctx, contract.StreamOf(contract.SignalsBucket(shard)))
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	if uint64(stream.CachedInfo().Created.UnixNano()) != r.e.log.Epoch(r.e.id) {
		return errLogReplaced
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{contract.SignalsFor(shard, r.e.id)},
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:    r.position.Load() + 1,
	})
	if err != nil {
		return fmt.Errorf("make the consumer: %w", err)
	}
	select {
	case <-r.stuck: // it was the one before
	default:
	}
	failed := make(chan error, 1)
	running, err := consumer.Consume(r.handle,
		jetstream.PullHeartbeat(heartbeat),
		jetstream.ConsumeErrHandler(func(_ jetstream.ConsumeContext, err error) { keepFirst(failed, err) }))
	if err != nil {
		return fmt.Errorf("start the consumer: %w", err)
	}
	defer func() {
		running.Stop()
		<-running.Closed()
	}()
	defer bus.OnOverrun(func() { keepFirst(failed, errOverrun) })()
	r.consumed.Add(1)
	ready()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case err := <-failed:
		return fmt.Errorf("follow the log: %w", err)
	case <-r.stuck:
		return errStuck
	case <-running.Closed():
		return errors.New("the consumer was closed")
	}
}

// errStuck ends a consumer that shows that it lives and delivers nothing. One that
// was made while its stream had no leader doesn't hear of what its server then gets
// by catching up, until something else comes for it.
var errStuck = errors.New("the consumer doesn't deliver what the log has")

// errOverrun ends a consumer of which something may have been dropped.
var errOverrun = errors.New("entries came faster than they were handed on, and were dropped")

// handle takes one entry from the consumer.
func (r *reader) handle(msg jetstream.Msg) {
	meta, err := msg.Metadata()
	if err != nil {
		slog.Error("a message of the log has no position", "error", err)
		return
	}
	r.handOn(msg.Subject(), meta.Sequence.Stream, msg.Data())
	r.consumed.Add(1)
}

// handOn hands one entry on, unless that was done before.
func (r *reader) handOn(subject string, revision uint64, data []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if revision <= r.position.Load() {
		return
	}
	from, err := r.sender(subject)
	if err != nil {
		slog.Error("a message of the log has a subject that is no link", "revision", revision)
	} else {
		r.frame.entry(from, revision, data)
	}
	r.position.Store(revision)
	entriesRead.Inc()
}

// sender is the `from` of a log subject.
func (r *reader) sender(subject string) (contract.Token, error) {
	if from, ok := r.from[subject]; ok {
		return from, nil
	}
	from, _, err := contract.ParseSignalSubject(subject)
	if err != nil {
		return contract.Token{}, err
	}
	r.from[strings.Clone(subject)] = from
	return from, nil
}

// cursor is the text of a position of this edge.
func (e *Edge) cursor(revision uint64) string { return e.position(revision).String() }

func (e *Edge) position(revision uint64) contract.Cursor {
	return contract.Cursor{Edge: e.id, Epoch: e.log.Epoch(e.id), Revision: revision}
}

// keepFirst puts a value into a channel of one unless it is taken.
func keepFirst[T any](c chan T, first T) {
	select {
	case c <- first:
	default:
	}
}

// pause waits, or returns early when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
