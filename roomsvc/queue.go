package roomsvc

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/contract"
)

// finishLimit is how long a stop lets requests finish that were taken.
const finishLimit = 5 * time.Second

// ask is a request on its way to its answer.
type ask struct {
	change contract.RoomChange
	bytes  int64
	// says: it is a backend's message, which gets this process as its asker and a
	// number, so that it is never sent twice.
	says bool
	// given and room are, when done is called with a reply that has no error, what
	// the request did and the room after it. Only the room's goroutine and those
	// that it starts may write them.
	given room.Answer
	room  room.State
	// done is called once, with the answer and its outcome, a label of
	// changeSeconds; without an answer if nobody knows one.
	done     func(reply *contract.RoomChanged, outcome string)
	answered atomic.Bool
}

func (a *ask) answer(reply *contract.RoomChanged, outcome string) {
	if !a.answered.Swap(true) {
		a.done(reply, outcome)
	}
}

// committer applies requests room by room. What comes for a room while a commit
// of it is under way waits and is committed together.
type committer struct {
	// Static after construction.
	cfg       Config
	store     *store.Store
	index     *index.Index
	policies  *policies
	announcer *announcer
	settling  *settling
	ctx       context.Context //nolint:containedctx // outlives the requests; close cancels it
	cancel    context.CancelFunc
	wg        sync.WaitGroup // every room's goroutine and every waiting answer
	over      chan struct{}  // closed when close has returned

	mu      sync.Mutex
	closed  bool
	n       uint64 // of the last message
	pending int
	bytes   int64
	rooms   map[room.Ref][]*ask // what waits, of rooms that have a goroutine
	kept    standings           // of rooms that have none
}

func newCommitter(cfg Config, st *store.Store, x *index.Index, p *policies, a *announcer, s *settling) *committer {
	c := &committer{cfg: cfg, store: st, index: x, policies: p, announcer: a, settling: s, rooms: map[room.Ref][]*ask{}, over: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	return c
}

// submit takes a request, or answers at once that there is no room for it.
func (c *committer) submit(a *ask) {
	if reason := c.enqueue(a); reason != "" {
		refused.WithLabelValues(reason).Inc()
		a.answer(errorReply(unavailable("too many requests wait: try again")), outcomeError)
	}
}

// enqueue returns why the request isn't taken, "" if it is.
func (c *committer) enqueue(a *ask) (reason string) {
	ref := room.Ref{App: a.change.App, Room: a.change.Room}
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting, running := c.rooms[ref]
	switch {
	case c.closed:
		return reasonStopping
	case c.pending >= c.cfg.MaxPending || c.bytes+a.bytes > c.cfg.MaxPendingBytes:
		return reasonQueueFull
	case len(waiting) >= c.cfg.MaxPendingRoom:
		return reasonRoomQueueFull
	}
	if a.says {
		c.n++
		a.change.Edge, a.change.N = c.announcer.self, c.n
	}
	c.pending++
	c.bytes += a.bytes
	done := a.done
	a.done = func(reply *contract.RoomChanged, outcome string) {
		c.mu.Lock()
		c.pending--
		c.bytes -= a.bytes
		c.mu.Unlock()
		done(reply, outcome)
	}
	c.rooms[ref] = append(waiting, a)
	if !running {
		at := c.kept.take(ref)
		c.wg.Go(func() { c.run(ref, at) })
	}
	return ""
}

// saw notes where a room stands that another roomsvc has written.
func (c *committer) saw(ref room.Ref, state room.State, stored uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept.keep(ref, standing{known: true, state: state, stored: stored})
}

// run commits group after group of a room until none waits.
func (c *committer) run(ref room.Ref, at standing) {
	if !at.known && !c.index.Has(ref) {
		at = nobody(ref)
	}
	for {
		group := c.take(ref, at)
		if group == nil {
			return
		}
		at = c.guarded(ref, at, group)
	}
}

// take returns what is to be committed together: what waits, up to room.MaxOps
// operations. nil ends the room's goroutine, which leaves where the room stands
// to the next one.
func (c *committer) take(ref room.Ref, at standing) []*ask {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := c.rooms[ref]
	if len(waiting) == 0 {
		delete(c.rooms, ref)
		c.kept.keep(ref, at)
		return nil
	}
	n, ops := 0, 0
	for n < len(waiting) && (n == 0 || ops+len(waiting[n].change.Ops) <= room.MaxOps) {
		ops += len(waiting[n].change.Ops)
		n++
	}
	c.rooms[ref] = append([]*ask(nil), waiting[n:]...)
	return waiting[:n:n]
}

// guarded keeps one room's fault from ending the process, and with it the
// service: the asker would repeat its request to the next process.
func (c *committer) guarded(ref room.Ref, at standing, group []*ask) (next standing) {
	defer func() {
		if r := recover(); r != nil {
			slog.Error("commit panicked", "room", ref.String(), "panic", r, "stack", string(debug.Stack()))
			answerAll(group, errorReply(contract.Errorf(contract.CodeInternal, "roomsvc failed: see its log")))
			next = standing{}
		}
	}()
	return c.commit(ref, at, group)
}

func answerAll(group []*ask, reply *contract.RoomChanged) {
	for _, a := range group {
		a.answer(reply, outcomeError)
	}
}

// apply has roomsvc's own operations applied and waits for the answer. Their
// operations must do nothing the second time.
func (c *committer) apply(ctx context.Context, ref room.Ref, ops []contract.RoomOp) error {
	return c.do(ctx, &ask{change: contract.RoomChange{App: ref.App, Room: ref.Room, Ops: ops}})
}

// errUnanswered: nobody knows what became of a request.
var errUnanswered = errors.New("the outcome is unknown")

// do submits a request of roomsvc's own and waits for the answer, which must not
// be looked at after an error.
func (c *committer) do(ctx context.Context, a *ask) error {
	done := make(chan error, 1)
	a.done = func(reply *contract.RoomChanged, _ string) {
		if reply == nil {
			done <- errUnanswered
			return
		}
		done <- reply.Error.Err()
	}
	c.submit(a) //nolint:contextcheck // a commit outlives the request that began it
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close takes no more requests, lets those that were taken finish, and returns
// when all have. Those that don't in time are left without an answer.
func (c *committer) close() {
	defer close(c.over)
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	finished := make(chan struct{})
	go func() {
		c.wg.Wait()
		close(finished)
	}()
	limit := time.NewTimer(finishLimit)
	defer limit.Stop()
	select {
	case <-finished:
	case <-limit.C:
	}
	c.cancel()
	c.announcer.close()
	<-finished
}

func unavailable(text string) *contract.Error {
	return &contract.Error{Code: contract.CodeUnavailable, Message: text, RetryAfter: retryAfter.Milliseconds()}
}

// retryAfter is what an asker is told to wait when it can't be served.
const retryAfter = 500 * time.Millisecond
