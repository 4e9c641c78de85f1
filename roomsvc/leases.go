package roomsvc

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/roomsvc/internal/lease"
	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// stallMargin is what a look at the leases may be late beyond three
	// intervals before this process takes itself for stalled.
	stallMargin = 2 * time.Second
	// forgetAfter is how many times the whole wait an edge without members is
	// remembered for.
	forgetAfter = 3
	// pruneAfter is how long the index keeps what records say of members whose
	// documents it hasn't seen.
	pruneAfter = 5 * time.Minute
)

// sweeper watches the leases and ends the memberships of edges that are out. It
// may run in several roomsvcs at once: all that it does can be done twice.
type sweeper struct {
	// Static after construction.
	cfg       Config
	store     *store.Store
	index     *index.Index
	committer *committer
	nc        *nats.Conn
	slots     chan struct{} // rooms that are swept at the same time

	// Owned by run.
	wg                  sync.WaitGroup
	rooms, members, out level

	mu       sync.Mutex
	observer *lease.Observer
	running  map[contract.Token]bool // sweeps; the zero token is that of the ghosts
}

func newSweeper(cfg Config, st *store.Store, x *index.Index, c *committer, nc *nats.Conn) *sweeper {
	return &sweeper{
		cfg: cfg, store: st, index: x, committer: c, nc: nc,
		slots:    make(chan struct{}, sweepSlots),
		rooms:    level{gauge: roomsGauge},
		members:  level{gauge: membersGauge},
		out:      level{gauge: edgesOut},
		observer: lease.New(3*cfg.SweepInterval+stallMargin, cfg.LeaseTimeout),
		running:  map[contract.Token]bool{},
	}
}

// wait is how long a lease must stand still until its edge's members leave.
func (s *sweeper) wait() time.Duration { return s.cfg.LeaseTimeout + s.cfg.ResumeWindow }

// saw notes a lease.
func (s *sweeper) saw(v store.Value) {
	edge, err := contract.ParseToken(v.Key)
	if err != nil {
		slog.Warn("the edges bucket holds a key that is no edge's", "error", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.observer.Saw(edge, v.Stored, time.Now())
}

// run looks at the leases until ctx ends.
func (s *sweeper) run(ctx context.Context) error {
	stop, err := s.listen()
	if err != nil {
		return err
	}
	defer stop()
	defer func() {
		s.wg.Wait()
		s.rooms.set(0)
		s.members.set(0)
		s.out.set(0)
	}()
	return every(ctx, s.cfg.SweepInterval, func() { s.look(ctx) })
}

func (s *sweeper) look(ctx context.Context) {
	answered := s.store.Probe(ctx) == nil
	if ctx.Err() != nil {
		return
	}
	now := time.Now()
	for _, edge := range s.judge(now, answered) {
		s.begin(edge, func() { s.sweep(ctx, edge) })
	}
	s.tell(ctx, now)
	s.index.Prune(now.Add(-pruneAfter))
	if ghosts := s.index.Ghosts(now.Add(-s.wait())); len(ghosts) > 0 {
		s.begin(contract.Token{}, func() { s.layGhosts(ctx, ghosts) })
	}
	rooms, members := s.index.Count()
	s.rooms.set(float64(rooms))
	s.members.set(float64(members))
}

// judge returns the edges whose members must leave.
func (s *sweeper) judge(now time.Time, answered bool) []contract.Token {
	named := s.index.Edges()
	s.mu.Lock()
	defer s.mu.Unlock()
	has := make(map[contract.Token]bool, len(named))
	for _, edge := range named {
		has[edge] = true
		s.observer.Named(edge, now)
	}
	s.observer.Tick(now, answered)
	var leave []contract.Token
	out := 0
	for _, edge := range s.observer.Out(now, s.cfg.LeaseTimeout) {
		switch {
		case has[edge]:
			out++
			if s.observer.IsOut(edge, now, s.wait()) {
				leave = append(leave, edge)
			}
		case s.observer.IsOut(edge, now, forgetAfter*s.wait()):
			s.observer.Forget(edge)
		}
	}
	s.out.set(float64(out))
	return leave
}

// begin runs a sweep unless the last one of the same name still runs.
func (s *sweeper) begin(name contract.Token, sweep func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[name] {
		return
	}
	s.running[name] = true
	s.wg.Go(func() {
		defer func() {
			s.mu.Lock()
			delete(s.running, name)
			s.mu.Unlock()
		}()
		sweep()
	})
}

// stillOut asks again whether an edge's members must leave; a sweep may take long.
func (s *sweeper) stillOut(edge contract.Token) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.observer.IsOut(edge, time.Now(), s.wait())
}
