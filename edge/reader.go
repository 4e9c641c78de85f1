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
// edge. Each entry is handed on once, by rising revision.
type reader struct {
	e        *Edge
	position atomic.Uint64 // everything at or under it was handed on or is held by its room
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
var errLogReplaced = errors.New("the signal log was made anew; a restarted edge will follow it")

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

const (
	// idleStep is how often an edge looks whether something waits for it, and its
	// position follows the log's head, while nothing comes. Clients get the position
	// with each ping; without it the cursor of a quiet room would grow older than the
	// log.
	idleStep = time.Second
	// headAge is how old a head must be that the position follows: a new leader may
	// not have all yet of which the one before has told.
	headAge = 10 * time.Second
	// overdue is how long an entry that the log's leader has may be on its way. The
	// greatest one takes 2 s over 2 Mbit/s.
	overdue = 3 * time.Second
)

// errStuck ends a consumer that shows that it lives and delivers nothing. One that
// was made while its stream had no leader doesn't hear of what its server then gets
// by catching up, until something else comes for it.
var errStuck = errors.New("the consumer doesn't deliver what the log has")

// errOverrun ends a consumer of which something may have been dropped.
var errOverrun = errors.New("entries came faster than they were handed on, and were dropped")

// followHead lets the position follow the log's head until ctx ends, and ends a
// consumer that is stuck.
func (r *reader) followHead(ctx context.Context) error {
	idle, earlier := r.position.Load(), bounds{}
	for pause(ctx, idleStep); ctx.Err() == nil; pause(ctx, idleStep) {
		if at := r.position.Load(); at != idle {
			idle = at
			continue
		}
		var err error
		if earlier, err = r.advance(ctx, idle, earlier); err != nil && ctx.Err() == nil {
			slog.DebugContext(ctx, "the log's head isn't known", "error", err)
		}
		idle = r.position.Load()
	}
	return nil
}

// advance moves the position to where the log's head was earlier, if the log holds
// nothing for this edge. What it does hold must be handed on soon. It returns the
// head for later.
func (r *reader) advance(ctx context.Context, at uint64, earlier bounds) (bounds, error) {
	log, err := r.e.bounds(ctx, r.e.id)
	if err != nil || log.head <= at {
		return earlier, err
	}
	shard := r.e.log.Shard(r.e.id)
	_, err = readNext(ctx, r.e.log.Stream(r.e.id), at+1, contract.SignalsFor(shard, r.e.id))
	if err == nil {
		pause(ctx, overdue)
		if r.position.Load() == at {
			keepFirst(r.stuck, struct{}{})
		}
		return earlier, nil
	}
	if !isNoEntry(err) {
		return earlier, err
	}
	if earlier.head <= at {
		return log, nil
	}
	if log.at.Sub(earlier.at) < headAge {
		return earlier, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.position.Load() == at {
		r.position.Store(earlier.head)
	}
	return log, nil
}

// handle hands one entry on.
func (r *reader) handle(msg jetstream.Msg) {
	meta, err := msg.Metadata()
	if err != nil {
		slog.Error("a message of the log has no position", "error", err)
		return
	}
	revision := meta.Sequence.Stream
	r.mu.Lock()
	defer r.mu.Unlock()
	if revision <= r.position.Load() {
		return
	}
	from, err := r.sender(msg.Subject())
	if err != nil {
		slog.Error("a message of the log has a subject that is no link", "revision", revision)
	} else {
		r.frame.entry(from, revision, msg.Data())
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
