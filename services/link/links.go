package link

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

// What an Outcome's Err can be.
var (
	// ErrFull: the log refuses because it is full. Nothing was committed.
	ErrFull = errors.New("signal log is full")
	// ErrUnknown: the budget is over and nobody knows whether it is committed.
	ErrUnknown = errors.New("commit is unknown")
	// ErrClosed: this process stops; whether it is committed is unknown.
	ErrClosed = errors.New("link is closed")
)

// Outcome says how a signal was settled.
type Outcome struct {
	// Revision is the entry's, 0 if nothing was committed.
	Revision uint64
	// Verdicts are the filter's about this signal alone.
	Verdicts []contract.Verdict
	// Cut is when the entry was cut, for the trace.
	Cut time.Time
	// Err is nil, ErrFull, ErrUnknown or ErrClosed.
	Err error
}

// Waiter hears of a signal's end. Settled is called exactly once for each Send
// that returned true, in the order of Send, from the link's goroutine; it must
// not block.
type Waiter interface {
	Settled(seq uint64, o Outcome)
}

// Options describe the links of one process.
type Options struct {
	// From is this process.
	From contract.Token
	// Subject is where entries for a process are published.
	Subject func(to contract.Token) string
	// Gate, if set, must be open for an entry to be cut or settled.
	Gate func() bool
	// Gather is how long a busy link collects signals between two entries. An
	// idle link sends at once.
	Gather time.Duration
	// MaxQueueSignals and MaxQueueBytes bound what waits on one link.
	MaxQueueSignals int
	MaxQueueBytes   int
	// AttemptTimeout bounds one attempt to commit; between two attempts the
	// link pauses from BackoffMin to BackoffMax; after Budget it gives up.
	AttemptTimeout time.Duration
	BackoffMin     time.Duration
	BackoffMax     time.Duration
	Budget         time.Duration
}

// DefaultOptions are the design's figures; From and Subject are still to be set.
func DefaultOptions() Options {
	return Options{
		Gather:          2 * time.Millisecond,
		MaxQueueSignals: 20_000,
		MaxQueueBytes:   8 << 20,
		AttemptTimeout:  time.Second,
		BackoffMin:      100 * time.Millisecond,
		BackoffMax:      500 * time.Millisecond,
		Budget:          contract.EntryBudget,
	}
}

// Links are all links from this process.
type Links struct {
	// Static after construction.
	nc   *nats.Conn
	log  *Log
	o    Options
	ctx  context.Context //nolint:containedctx // ends every link; Close cancels it
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	byTo   map[contract.Token]*link
}

// New returns the links of one process. The caller must Close them.
func New(nc *nats.Conn, log *Log, o Options) *Links {
	ctx, stop := context.WithCancel(context.Background())
	return &Links{nc: nc, log: log, o: o, ctx: ctx, stop: stop, byTo: map[contract.Token]*link{}}
}

// Send queues a signal for the process `to`. It encodes s at once, so the
// caller may reuse it. False means that the link's queue is full or closed; w
// is then not called.
func (l *Links) Send(to contract.Token, s *contract.Signal, w Waiter) bool {
	k := l.link(to)
	return k != nil && k.send(s, w)
}

// CanTake reports whether a signal with a body of so many bytes would find a
// place now. Whoever sends to several processes asks all of them first.
func (l *Links) CanTake(to contract.Token, bytes int) bool {
	k := l.link(to)
	return k != nil && k.canTake(bytes)
}

// AfterSettled calls fn as soon as everything that was sent to `to` before is
// settled: at once, from this goroutine, if nothing is waiting; otherwise from
// the link's goroutine, where it must not block.
func (l *Links) AfterSettled(to contract.Token, fn func()) {
	k := l.link(to)
	if k == nil || !k.after(fn) {
		fn()
	}
}

// Close stops every link and waits for it. What isn't settled gets ErrClosed.
func (l *Links) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.stop()
	l.wg.Wait()
}

func (l *Links) link(to contract.Token) *link {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	k := l.byTo[to]
	if k == nil {
		k = &link{set: l, to: to, subject: l.o.Subject(to)}
		l.byTo[to] = k
	}
	return k
}

// start runs a link's goroutine unless the set is closed.
func (l *Links) start(k *link) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.wg.Go(k.run)
	return true
}
