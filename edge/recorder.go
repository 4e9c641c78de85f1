package edge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-rtc/parley/edge/internal/limit"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// recorder writes one member's record by compare-and-set and then tells the
// room. It writes one change at a time; of what comes meanwhile the last
// presence and the last state win.
type recorder struct {
	// Static after begin.
	m   *membership
	key string

	// Owned by create, and after it by run.
	record   contract.MemberRecord
	revision uint64 // of the key; 0: not created yet
	bucket   limit.Bucket

	mu      sync.Mutex
	writing bool
	wanted  wanted
	epoch   uint64
	allowed allowed
	early   bool                 // something was to be written before the epoch was known
	over    contract.LeaveReason // not empty: nothing is written any more but gone
	lost    bool                 // another edge holds the member: nothing at all
	buried  []func(error)        // called when gone is written, or can't be

	incarnation atomic.Uint64 // of the last record that was written
	began       atomic.Uint64 // and that with which its session began
}

// allowed is what the member's token allowed, for an edge that takes it over.
type allowed struct {
	grants  []string
	ice     contract.Policy
	expires int64
	until   int64
}

// wanted is what waits to be written.
type wanted struct {
	presence json.RawMessage
	state    contract.MemberState
	grants   bool   // the token was renewed
	attempt  uint64 // not 0: a resumed session, with its secret
	secret   secretHash
	begins   bool          // it goes on behind acked, as a session of its own
	acked    uint64        // see begins
	again    bool          // as it is
	trace    string        // of the frame that brought the presence
	written  []func(error) // called, in order, when it is written and on its way to the room, or failed
	done     []func(error) // called, in order, when it is told, too, or failed
}

func (w *wanted) empty() bool {
	return w.presence == nil && w.state == "" && !w.grants && w.attempt == 0 && !w.again && len(w.done) == 0
}

// finish calls all who wait.
func (w *wanted) finish(err error) {
	finishAll(w.written, err)
	finishAll(w.done, err)
}

// isNews reports whether the room hears of it.
func (w *wanted) isNews() bool {
	return w.presence != nil || w.state != "" || w.attempt != 0 || w.again
}

// begin prepares the first record; nothing is written before create.
func (rec *recorder) begin(m *membership) {
	rec.m = m
	rec.writing = true // create is the first to write, and then begins with the rest
	rec.key = contract.MemberKey(m.r.app, m.r.id, m.peer)
	rec.record = m.firstRecord()
	rec.began.Store(rec.record.Began)
}

// create writes the first record, before the join commits, so that whoever
// sees the member finds it.
func (rec *recorder) create(ctx context.Context, secret secretHash, attempt uint64) error {
	rec.record.Secret, rec.record.Attempt = secret[:], attempt
	rec.mu.Lock()
	rec.allowed.put(&rec.record)
	rec.mu.Unlock()
	err := rec.write(ctx, rec.record)
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.writing = false
	if rec.over != "" || !rec.wanted.empty() {
		rec.wake()
	}
	return err
}

// follow goes on with a record that this edge has taken over.
func (rec *recorder) follow(m *membership, record contract.MemberRecord, revision uint64) {
	rec.m = m
	rec.key = contract.MemberKey(m.r.app, m.r.id, m.peer)
	rec.record, rec.revision = record, revision
	rec.epoch = record.Epoch
	rec.allowed = allowed{record.Grants, record.ICE, record.Expires, record.Until}
	rec.incarnation.Store(record.Incarnation)
	rec.began.Store(record.Began)
}

// allow notes what a token allows; the next write carries it.
func (rec *recorder) allow(a allowed) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.allowed = a
}

// joined notes the epoch; the next write carries it. What was written before was
// told nobody, since the roster had no member yet: it is written and told again.
func (rec *recorder) joined(epoch uint64) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.epoch = epoch
	if rec.early {
		rec.wanted.again = true
		rec.wake()
	}
}

func (a *allowed) put(record *contract.MemberRecord) {
	record.Grants, record.ICE, record.Expires, record.Until = a.grants, a.ice, a.expires, a.until
}

// gone ends the record: its last value is a tombstone. buried, which may be nil,
// hears when that is written, or gets errMemberMoved.
func (rec *recorder) gone(reason contract.LeaveReason, buried func(error)) {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.over = reason
	if buried != nil {
		rec.buried = append(rec.buried, buried)
	}
	rec.wake()
}

// lose ends the recorder and leaves the record to the edge that has it.
func (rec *recorder) lose() {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.lost = true
	rec.over = contract.ReasonLeft
	rec.wake()
}

// want adds to what is to be written. It reports false, and change isn't
// called, if the membership is over.
func (rec *recorder) want(change func(*wanted)) bool {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.over != "" {
		return false
	}
	change(&rec.wanted)
	rec.wake()
	return true
}

// wake starts the writer unless it runs; rec.mu is held.
func (rec *recorder) wake() {
	rec.early = rec.early || rec.epoch == 0
	if !rec.writing {
		rec.writing = true
		rec.m.r.e.goWork(rec.run)
	}
}

var (
	// errMemberGone is the end of a membership that somebody else ended.
	errMemberGone = errors.New("the membership is over")
	// errMemberMoved means that another edge has taken the member over.
	errMemberMoved = errors.New("another edge holds the member")
)

func (rec *recorder) run(ctx context.Context) {
	for {
		next, over, more := rec.next(ctx)
		if !more {
			return
		}
		if over != "" {
			next.finish(errMemberGone)
			rec.bury(ctx, over)
			return
		}
		record, err := rec.apply(ctx, &next)
		if err != nil {
			next.finish(err)
			if errors.Is(err, errMemberMoved) {
				rec.m.moved()
			}
			continue
		}
		if !next.isNews() {
			next.finish(nil)
			continue
		}
		rec.tell(record, next)
	}
}

// next takes what waits; a presence over the rate waits for its turn.
func (rec *recorder) next(ctx context.Context) (w wanted, over contract.LeaveReason, more bool) {
	for {
		rec.mu.Lock()
		if rec.over == "" && rec.wanted.empty() || ctx.Err() != nil {
			rec.writing = false
			w, rec.wanted = rec.wanted, wanted{}
			rec.mu.Unlock()
			w.finish(ctx.Err())
			return wanted{}, "", false
		}
		e := rec.m.r.e
		var wait time.Duration
		if rec.over == "" && rec.wanted.presence != nil {
			wait, _ = rec.bucket.Take(time.Since(e.started), 1, e.cfg.Limits.PresenceRate, e.cfg.Limits.PresenceBurst)
		}
		if wait <= 0 {
			w, rec.wanted = rec.wanted, wanted{}
			over = rec.over
			rec.mu.Unlock()
			return w, over, true
		}
		rec.mu.Unlock()
		pause(ctx, wait)
	}
}

// apply writes the record with the change.
func (rec *recorder) apply(ctx context.Context, w *wanted) (contract.MemberRecord, error) {
	next := rec.record
	rec.mu.Lock()
	next.Epoch = rec.epoch
	rec.allowed.put(&next)
	rec.mu.Unlock()
	next.Version++
	if w.presence != nil {
		next.Presence = w.presence
	}
	if w.state != "" {
		next.State = w.state
	}
	if w.attempt != 0 {
		next.Attempt, next.Secret = w.attempt, slices.Clone(w.secret[:])
		next.Incarnation++
		if w.begins {
			next.Began, next.Acked = next.Incarnation, max(next.Acked, w.acked)
		}
	}
	err := rec.write(ctx, next)
	return next, err
}

// write is one compare-and-set, repeated until its outcome is known. The record is
// read only then: seldom has somebody else written it.
func (rec *recorder) write(ctx context.Context, next contract.MemberRecord) error {
	value, err := json.Marshal(next)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, rec.m.r.e.cfg.RequestTimeout)
	defer cancel()
	revision, err := bus.UpdateFrom(ctx, rec.m.r.e.members, rec.key, rec.revision, func(current []byte, revision uint64) ([]byte, error) {
		if revision == rec.revision {
			return value, nil
		}
		var now contract.MemberRecord
		if current == nil || json.Unmarshal(current, &now) != nil {
			return nil, errMemberGone
		}
		switch sameTakeover := now.Incarnation == next.Incarnation && now.Edge == next.Edge && bytes.Equal(now.Secret, next.Secret); {
		case sameTakeover && now.Version == next.Version && now.State == next.State:
			return nil, bus.ErrUnchanged // our own write, whose answer was lost
		case now.State != contract.StateGone && (now.Edge != next.Edge || now.Incarnation > rec.record.Incarnation):
			return nil, errMemberMoved
		default:
			return nil, errMemberGone
		}
	})
	if err != nil {
		return err
	}
	rec.record, rec.revision = next, revision
	rec.incarnation.Store(next.Incarnation)
	rec.began.Store(next.Began)
	return nil
}

// bury writes the tombstone, unless somebody else did or holds the member. It is
// called again when more is wanted of a record that is gone.
func (rec *recorder) bury(ctx context.Context, reason contract.LeaveReason) {
	rec.mu.Lock()
	lost := rec.lost
	rec.mu.Unlock()
	var err error
	switch {
	case lost:
		err = errMemberMoved
	case rec.revision != 0 && rec.record.State != contract.StateGone:
		next := rec.record
		next.Version++
		next.State, next.Reason = contract.StateGone, reason
		if err = rec.write(ctx, next); errors.Is(err, errMemberGone) {
			err = nil
		}
	}
	if err != nil && !errors.Is(err, errMemberMoved) && ctx.Err() == nil {
		slog.WarnContext(ctx, "a member's tombstone was not written", "error", err)
	}
	rec.mu.Lock()
	waiting := rec.buried
	rec.buried = nil
	rec.writing = false
	rec.mu.Unlock()
	finishAll(waiting, err)
}

// tellPause is the time until the room is told again what it may not have heard.
const tellPause = time.Second

// tell sends the change to every edge of the room, and finishes when all have it.
// What comes after it on the same links can't overtake it.
func (rec *recorder) tell(record contract.MemberRecord, w wanted) {
	body := marshal(contract.PeerUpdate{
		Peer: record.Peer, Version: record.Version, Presence: record.Presence, State: record.State,
		Incarnation: record.Incarnation, Began: record.Began, Acked: record.Acked,
	})
	m := rec.m
	all := &countdown{done: func(err error) {
		finishAll(w.done, err)
		if err != nil {
			rec.tellAgain()
		}
	}}
	all.add()
	m.r.mu.Lock()
	m.told = body
	signal := m.update([]byte(w.trace))
	for _, to := range m.r.places() {
		all.add()
		if !m.r.send(to, &signal, all) {
			all.finish(errQueueFull)
		}
	}
	m.r.mu.Unlock()
	finishAll(w.written, nil)
	all.finish(nil)
}

// tellAgain has the room told once more how the member is, after a while.
func (rec *recorder) tellAgain() {
	rec.m.r.e.goWork(func(ctx context.Context) {
		pause(ctx, tellPause)
		if ctx.Err() == nil {
			rec.want(func(w *wanted) { w.again = true })
		}
	})
}

func finishAll(done []func(error), err error) {
	for _, fn := range done {
		fn(err)
	}
}
