package edge

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/parley-rtc/parley/edge/internal/conn"
	"github.com/parley-rtc/parley/edge/internal/roster"
	"github.com/parley-rtc/parley/services/contract"
)

// arrival brings the members of a session up to date that have been on other
// edges, for one connection. It asks every edge that may have sent to their
// earlier places to settle that, reads the logs of those places, and gives the
// members what they missed. Signals of a sender whose edge doesn't answer wait until
// the sender is elsewhere or has left, unless they stood in the log before anybody
// could know of a move; nobody else's do.
type arrival struct {
	// Static after construction.
	s       *clientSession
	c       *conn.Conn
	members []*arriving
	poked   chan struct{}
	began   time.Time

	// Owned by its goroutine.
	since time.Duration // what e.answers had counted when it began
	late  bool          // edges that haven't answered are no longer waited for

	mu      sync.Mutex
	sources map[contract.Token]*source
	aside   int // things that the first reading should come after
}

// arriving is one member of an arrival; owned by the arrival's goroutine.
type arriving struct {
	m     *membership
	b     *backlog         // the member's; when it has another one this is over
	logs  []logRead        // newest first
	base  uint64           // the head of the oldest before its edge lost the member
	asks  bool             // it has been on another edge since its cursor
	first bool             // nothing was read yet
	read  time.Time        // when it was read last
	gap   string           // why something is missing
	told  []contract.Token // of whom that was said; the zero token is for all

	// Of the view that the last reading came after.
	edges   map[contract.Token]bool
	senders map[string]bool
}

// logRead is how far the log of one edge was read.
type logRead struct {
	edge  contract.Token
	after uint64
}

const (
	// settleWait is how long an arrival waits for those that answer.
	settleWait = 1500 * time.Millisecond
	// arrivalLook is how often it looks whether those that waited are elsewhere.
	arrivalLook = time.Second
	// settleMargin is how much longer than a lease and the resume window it waits
	// for an edge that doesn't answer: by then its members have moved or left, if any
	// roomsvc runs and the edge isn't one that renews its lease and can't be asked.
	// Then something may be missing of those who are still there, which is said. The
	// time is counted while NATS answers, since otherwise nobody can move or leave.
	settleMargin = 28 * time.Second
	// settleRest must be without a break before that: so long roomsvc may take to
	// have members leave after NATS didn't answer.
	settleRest = contract.LeaseTimeout + settleMargin
	// settleLongest ends the wait in any case, before an edge that hasn't answered
	// forgets which of its sessions have ended.
	settleLongest = trailKept / 2
)

// errArrivalOver ends an arrival whose connection is gone.
var errArrivalOver = errors.New("the connection is gone")

// catchUp starts the arrival of the session's members that have a backlog.
func (s *clientSession) catchUp(c *conn.Conn, hello *contract.Hello) {
	a := &arrival{s: s, c: c, poked: make(chan struct{}, 1), began: time.Now(), sources: map[contract.Token]*source{}}
	for _, m := range s.memberships() {
		m.r.mu.Lock()
		if m.backlog != nil {
			a.members = append(a.members, m.arriving(hello))
		}
		m.r.mu.Unlock()
	}
	s.mu.Lock()
	s.arrival = a
	s.mu.Unlock()
	s.e.goWork(a.run)
}

// pokeArrival has the arrival look again.
func (s *clientSession) pokeArrival() {
	s.mu.Lock()
	a := s.arrival
	s.mu.Unlock()
	if a != nil {
		a.poke()
	}
}

func (a *arrival) poke() {
	select {
	case a.poked <- struct{}{}:
	default:
	}
}

// Why something can't be replayed, for people who read a `gap`.
const (
	gapLog      = "the cursor is not of this log"
	gapStranger = "the cursor is of an edge that isn't remembered"
	gapOld      = "the log doesn't keep signals for so long"
	gapSilent   = "the sender's edge doesn't say whether all that it sent was read"
)

// arriving finds out which logs a member's client hasn't heard to their ends: that
// of the edge of its cursor, and those of all edges that held it later; room.mu is
// held.
func (m *membership) arriving(hello *contract.Hello) *arriving {
	e := m.r.e
	ar := &arriving{m: m, b: m.backlog, first: true}
	cursor := m.backlog.client
	if _, named := hello.Rooms[m.roomName]; !named || cursor.Epoch != e.log.Epoch(cursor.Edge) {
		ar.gap = gapLog
	}
	if m.came == nil { // it has been nowhere else
		ar.logs = []logRead{{e.id, m.backlog.until}}
		if cursor.Edge == e.id {
			ar.logs[0].after = cursor.Revision
		} else {
			ar.gap = gapStranger
		}
		return ar
	}
	before := slices.Contains(m.trail, e.id) // the cursor may be of an earlier stay
	if cursor.Edge == e.id && (!before || m.took > 0 && cursor.Revision > m.took) {
		ar.logs = []logRead{{e.id, cursor.Revision}}
		return ar
	}
	ar.asks = true
	own := logRead{e.id, m.took}
	begin := 0
	for begin < len(m.trail) && m.trail[begin] != cursor.Edge {
		begin++
	}
	if begin == len(m.trail) {
		begin, ar.gap = 0, gapStranger
	}
	if begin < len(m.came.Past) {
		ar.base = m.came.Past[begin].Head
	}
	for i := len(m.trail) - 1; i >= begin; i-- {
		one := logRead{edge: m.trail[i]}
		if one.edge == cursor.Edge && ar.gap == "" {
			one.after = cursor.Revision
		}
		if one.edge == e.id {
			own.after = min(own.after, one.after)
			continue
		}
		ar.add(one)
	}
	ar.logs = append([]logRead{own}, ar.logs...)
	return ar
}

// add adds a log unless it is there.
func (ar *arriving) add(one logRead) {
	for i := range ar.logs {
		if ar.logs[i].edge == one.edge {
			ar.logs[i].after = min(ar.logs[i].after, one.after)
			return
		}
	}
	ar.logs = append(ar.logs, one)
}

func (a *arrival) run(ctx context.Context) {
	a.since = a.s.e.answers.begin(a.s.e)
	err := a.all(ctx)
	a.s.e.answers.end()
	if err == nil || errors.Is(err, errArrivalOver) || errors.Is(err, conn.ErrClosed) || ctx.Err() != nil {
		return // when the client comes again there will be another arrival
	}
	slog.WarnContext(ctx, "what a session missed can't be read; its connection is closed to try again", "session", a.s.id, "error", err)
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	if a.s.conn == a.c {
		a.s.drop(contract.CloseTryLater, "what you missed can't be read now; come back")
	}
}

// all goes from the first question to the last signal.
func (a *arrival) all(ctx context.Context) error {
	a.ask()
	if err := a.await(ctx); err != nil {
		return err
	}
	for {
		left, err := a.bring(ctx)
		if err != nil {
			return err
		}
		if !left {
			a.finish()
			return nil
		}
		select {
		case <-a.poked:
		case <-time.After(arrivalLook):
		case <-ctx.Done():
			return ctx.Err()
		}
		if a.over() {
			return errArrivalOver
		}
	}
}

// over reports whether nobody waits any more.
func (a *arrival) over() bool {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return a.s.arrival != a || a.s.conn != a.c
}

// most is how long edges that don't answer are waited for.
func (a *arrival) most() time.Duration {
	return contract.LeaseTimeout + a.s.e.cfg.ResumeWindow + settleMargin
}

// waited reports whether edges that don't answer have had their time.
func (a *arrival) waited() bool {
	total, unbroken := a.s.e.answers.counted()
	return total-a.since >= a.most() && unbroken >= settleRest || time.Since(a.began) >= max(a.most(), settleLongest)
}

// lookLate goes on without the edges that don't answer if they have had their time,
// and the rooms say the same as what came of them: a leave that was told can be late.
func (a *arrival) lookLate(ctx context.Context) {
	if a.late || !a.waited() {
		return
	}
	for _, ar := range a.members {
		if ar.isOver() {
			continue
		}
		if err := ar.m.r.refresh(ctx); err != nil {
			slog.DebugContext(ctx, "edges that don't answer are waited for until the room can be read", "error", err)
			return
		}
	}
	a.late = true
}

// view is what is known of a member's room now, and what the edges have told.
func (a *arrival) view(ar *arriving, ends map[contract.Token]map[contract.Token]uint64) *view {
	m := ar.m
	v := &view{
		stayed: m.came == nil, ends: ends, spots: map[string]spot{}, edges: map[contract.Token]bool{}, passed: map[contract.Token]bool{},
	}
	if n := len(ar.logs); ar.asks && ar.gap == "" {
		v.oldest, v.base = ar.logs[n-1].edge, ar.base
	}
	m.r.mu.Lock()
	for _, other := range m.r.roster.Members() {
		if other.Peer != m.peer {
			v.spots[other.Peer.String()] = spot{place: other.Place, began: other.Began, acked: other.Acked}
		}
	}
	m.r.roster.EachLeft(func(peer contract.Token, p roster.Place) {
		v.spots[peer.String()] = spot{place: p.Edge, began: p.Began, acked: p.Acked, gone: true}
	})
	m.r.mu.Unlock()
	for peer, at := range v.spots {
		switch _, settled := ends[at.place]; {
		case !ar.asks, at.gone, a.sources[at.place] == nil, settled:
		case a.late:
			v.passed[at.place] = true
			v.silent = append(v.silent, peer)
		default:
			v.edges[at.place] = true
		}
	}
	return v
}

// finish ends the arrival: the client gets new cursors soon.
func (a *arrival) finish() {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	if a.s.arrival == a {
		a.s.arrival = nil
		a.s.pinged = 0
	}
}
