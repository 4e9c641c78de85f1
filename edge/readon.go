package edge

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/contract"
)

const (
	// lookStep is how often an edge to which nothing comes asks the log's leader
	// whether something should. The consumer lives on one NATS node alone: when that
	// dies, it takes 1 s to be missed and up to 10 s to be made again, since for that
	// the cluster needs a leader of its own.
	lookStep = 250 * time.Millisecond
	// lateStep is how often it asks while its consumer is late.
	lateStep = 20 * time.Millisecond
	// lookTimeout bounds one question.
	lookTimeout = time.Second
	// overdue is how long a consumer may be late before it is made again. The greatest entry takes 2 s over
	// 2 Mbit/s.
	overdue = 3 * time.Second
	// idleStep is how often the position follows the log's head while nothing comes.
	// Clients get the position with each ping; without it the cursor of a quiet room
	// would grow older than the log.
	idleStep = time.Second
	// headAge is how old a head must be that the position follows: a new leader may
	// not have all yet of which the one before has told.
	headAge = 10 * time.Second
)

// readOn sees to it that what the log has is handed on even when the consumer
// doesn't deliver it, and lets the position follow the log's head, until ctx ends.
func (r *reader) readOn(ctx context.Context) error {
	l := look{r: r, filter: contract.SignalsFor(r.e.log.Shard(r.e.id), r.e.id)}
	for ctx.Err() == nil {
		if err := l.look(ctx); err != nil && ctx.Err() == nil {
			slog.DebugContext(ctx, "the log's leader doesn't answer", "error", err)
		}
	}
	return nil
}

// look is what is known between two looks at the log.
type look struct {
	r        *reader
	filter   string
	consumed uint64    // the reader's, when the consumer was last seen to deliver
	late     time.Time // since when the consumer owes what the log has; zero: it doesn't
	looked   time.Time // at the head
	earlier  bounds
}

// look waits a while; if the consumer delivers nothing meanwhile, it does what is due.
func (l *look) look(ctx context.Context) error {
	if l.late.IsZero() {
		pause(ctx, lookStep)
	} else {
		pause(ctx, lateStep)
	}
	if consumed := l.r.consumed.Load(); consumed != l.consumed {
		l.consumed, l.late = consumed, time.Time{}
		return nil
	}
	l.complain()
	msg, err := l.next(ctx)
	if err == nil && l.late.IsZero() {
		pause(ctx, lookStep) // it may just be on its way
	}
	for ; err == nil && l.r.consumed.Load() == l.consumed && ctx.Err() == nil; msg, err = l.next(ctx) {
		if l.late.IsZero() {
			l.late = time.Now()
			slog.DebugContext(ctx, "the log's consumer is late: the leader is asked", "revision", msg.Sequence)
		}
		began := time.Now()
		l.r.handOn(msg.Subject, msg.Sequence, msg.Data)
		entriesAsked.Inc()
		l.late = l.late.Add(time.Since(began)) // the time of the edge, not of its consumer
		l.complain()
	}
	if isNoEntry(err) {
		return l.follow(ctx)
	}
	return err
}

// complain has the consumer made again if it has been late for too long.
func (l *look) complain() {
	if !l.late.IsZero() && time.Since(l.late) > overdue {
		keepFirst(l.r.stuck, struct{}{})
	}
}

// next is the first entry that wasn't handed on.
func (l *look) next(ctx context.Context) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	return readNext(ctx, l.r.e.log.Stream(l.r.e.id), l.r.position.Load()+1, l.filter)
}

// follow moves the position to where the log's head was earlier: the log holds
// nothing for this edge.
func (l *look) follow(ctx context.Context) error {
	if time.Since(l.looked) < idleStep {
		return nil
	}
	l.looked = time.Now()
	r := l.r
	at := r.position.Load()
	log, err := r.e.bounds(ctx, r.e.id)
	if err != nil || log.head <= at {
		return err
	}
	if l.earlier.head <= at {
		l.earlier = log
		return nil
	}
	if log.at.Sub(l.earlier.at) < headAge {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.position.Load() == at {
		r.position.Store(l.earlier.head)
	}
	l.earlier = log
	return nil
}
