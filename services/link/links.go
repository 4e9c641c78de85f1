package link

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/bus"
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
// that returned true, in the order of Send, from a goroutine of the links; it
// must not block.
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
	// Settled, if set, is called when all signals of an entry were settled, by
	// whoever did that; like a Waiter it must not block.
	Settled func()
	// Gather is how long a busy link collects signals between two entries, and
	// the longest that signals wait for Release. An idle link sends at once.
	Gather time.Duration
	// MaxQueueSignals and MaxQueueBytes bound what waits on one link.
	MaxQueueSignals int
	MaxQueueBytes   int
	// AttemptTimeout bounds one attempt to commit. A link that knows how long its
	// commits last waits less for the first attempt of an entry, but at least
	// AttemptMin, and twice as long with each further one. Between two attempts the
	// link pauses from BackoffMin to BackoffMax; after Budget it gives up.
	AttemptTimeout time.Duration
	AttemptMin     time.Duration
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
		AttemptMin:      250 * time.Millisecond,
		BackoffMin:      100 * time.Millisecond,
		BackoffMax:      500 * time.Millisecond,
		Budget:          contract.EntryBudget,
	}
}

// maxAnswers bounds the answers that wait to be looked at. There is at most one
// for each link and attempt; one that finds no place is asked for again.
const maxAnswers = 4096

// Links are all links from this process.
type Links struct {
	// Static after construction.
	nc      *nats.Conn
	log     *Log
	o       Options
	ctx     context.Context //nolint:containedctx // ends every link; Close cancels it
	stop    context.CancelFunc
	inbox   string // what the subjects of answers begin with
	sub     *nats.Subscription
	uncount func() // its drops
	answers chan *nats.Msg
	back    chan nats.Status // the connection is there again
	wg      sync.WaitGroup

	toldFull atomic.Int64 // when it was last said that the log is full, Unix nanoseconds

	mu     sync.Mutex
	closed bool
	byTo   map[contract.Token]*link
	all    []*link // by number, which stands in the subjects of answers

	holding sync.Mutex
	holds   int
	held    []*link // those that have something to cut when the hold ends
}

// New returns the links of one process. The caller must Close them. One
// subscription takes the answers to all entries, from now on: one made for an
// entry could come too late at another server of a cluster.
func New(nc *nats.Conn, log *Log, o Options) (*Links, error) {
	l := &Links{
		nc: nc, log: log, o: o, byTo: map[contract.Token]*link{},
		inbox: nc.NewInbox() + ".", answers: make(chan *nats.Msg, maxAnswers),
	}
	var err error
	if l.sub, err = nc.ChanSubscribe(l.inbox+">", l.answers); err != nil {
		return nil, fmt.Errorf("subscribe to the answers of the log: %w", err)
	}
	l.uncount = bus.CountDrops(l.sub)
	l.ctx, l.stop = context.WithCancel(context.Background())
	l.back = nc.StatusChanged(nats.CONNECTED)
	l.wg.Go(l.dispatch)
	return l, nil
}

// Send queues a signal for the process `to`. It encodes s at once, so the
// caller may reuse it. False means that the link's queue is full or closed; w
// is then not called.
func (l *Links) Send(to contract.Token, s *contract.Signal, w Waiter) bool {
	k := l.link(to)
	if k == nil {
		return false
	}
	queued, idle := k.send(s, w)
	if queued && idle {
		l.wake(k)
	}
	return queued
}

// CanTake reports whether a signal with a body of so many bytes would find a
// place now. Whoever sends to several processes asks all of them first.
func (l *Links) CanTake(to contract.Token, bytes int) bool {
	k := l.link(to)
	return k != nil && k.canTake(bytes)
}

// AfterSettled calls fn as soon as everything that was sent to `to` before is
// settled: at once, from this goroutine, if nothing is waiting; otherwise from
// a goroutine of the links, where it must not block. fn gets ErrUnknown or
// ErrClosed if that is how what was just before it ended: it will be sent again,
// and nothing that must come after it may go on. While fn runs Last is the
// revision of what was sent before, whatever was sent since.
func (l *Links) AfterSettled(to contract.Token, fn func(error)) {
	k := l.link(to)
	if k == nil {
		fn(ErrClosed)
		return
	}
	if queued, err := k.after(fn); !queued {
		fn(err)
	}
}

// Last is the highest revision that an entry for `to` was committed at, 0 if
// none was.
func (l *Links) Last(to contract.Token) uint64 {
	l.mu.Lock()
	k := l.byTo[to]
	l.mu.Unlock()
	if k == nil {
		return 0
	}
	return k.last.Load()
}

// Idle reports whether nothing waits on any link and nothing is on its way.
func (l *Links) Idle() bool {
	l.mu.Lock()
	all := l.all
	l.mu.Unlock()
	for _, k := range all {
		k.mu.Lock()
		busy := k.busy()
		k.mu.Unlock()
		if busy {
			return false
		}
	}
	return true
}

// Hold keeps idle links from cutting entries until Release, or for Gather at
// most: whoever has several signals to send lets them travel together. Each
// Hold must be followed by a Release.
func (l *Links) Hold() {
	l.holding.Lock()
	defer l.holding.Unlock()
	l.holds++
}

// Release ends what Hold began: every link that has something cuts it, even if
// others hold, too. It works on the caller's goroutine.
func (l *Links) Release() {
	l.holding.Lock()
	l.holds--
	held := l.held
	l.held = nil
	l.holding.Unlock()
	l.work(func() {
		for _, k := range held {
			k.drive()
		}
	})
}

// Close stops every link and waits for it. What isn't settled gets ErrClosed.
func (l *Links) Close() {
	l.mu.Lock()
	l.closed = true
	all := l.all
	l.mu.Unlock()
	l.stop()
	l.uncount()
	_ = l.sub.Unsubscribe() // fails only on a connection that is closed
	l.wg.Wait()
	l.nc.RemoveStatusListener(l.back)
	for _, k := range all {
		k.drive()
	}
}

func (l *Links) link(to contract.Token) *link {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	k := l.byTo[to]
	if k == nil {
		k = newLink(l, to, len(l.all))
		l.byTo[to] = k
		l.all = append(l.all, k)
	}
	return k
}

// wake drives a link that was idle: when the hold ends if there is one,
// otherwise at once. The caller may hold locks, so others do the work.
func (l *Links) wake(k *link) {
	l.holding.Lock()
	held := l.holds > 0
	if held {
		l.held = append(l.held, k)
	}
	l.holding.Unlock()
	if held {
		k.wakeIn(l.o.Gather)
		return
	}
	go l.work(k.drive)
}

// work calls fn, for which Close waits; when the links are closed it doesn't,
// since Close ends all that is left.
func (l *Links) work(fn func()) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.wg.Add(1)
	l.mu.Unlock()
	defer l.wg.Done()
	fn()
}

// dispatch gives answers to their links.
func (l *Links) dispatch() {
	for {
		select {
		case m := <-l.answers:
			if k, n, ok := l.addressee(m.Subject); ok {
				k.hear(n, m)
			}
		case <-l.back:
			l.hurry()
		case <-l.ctx.Done():
			return
		}
	}
}

// hurry has every link that waits for an answer or for its next attempt make that
// attempt now: what the connection held when it was lost won't be answered.
func (l *Links) hurry() {
	l.mu.Lock()
	all := l.all
	l.mu.Unlock()
	for _, k := range all {
		k.hurry()
	}
}

// replySubject is where the answer to a link's entry goes.
func (l *Links) replySubject(number int, n uint64) string {
	return l.inbox + strconv.Itoa(number) + "." + strconv.FormatUint(n, 10)
}

// addressee is the link and the entry of an answer's subject.
func (l *Links) addressee(subject string) (k *link, n uint64, ok bool) {
	number, entry, _ := strings.Cut(subject[len(l.inbox):], ".")
	i, err := strconv.Atoi(number)
	if err != nil {
		return nil, 0, false
	}
	if n, err = strconv.ParseUint(entry, 10, 64); err != nil {
		return nil, 0, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i < 0 || i >= len(l.all) {
		return nil, 0, false
	}
	return l.all[i], n, true
}
