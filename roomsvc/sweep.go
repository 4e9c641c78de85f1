package roomsvc

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// sweepSlots is how many rooms are swept at the same time.
	sweepSlots = 8
	// sweepBudget bounds the sweep of one room; the next look tries again.
	sweepBudget = 30 * time.Second
)

// sweep ends the memberships that an edge which is out still holds.
func (s *sweeper) sweep(ctx context.Context, edge contract.Token) {
	// A watch may be behind; before anybody is put out the lease itself decides.
	revision, err := s.store.Lease(ctx, edge)
	if err != nil {
		return
	}
	if revision != 0 {
		s.mu.Lock()
		s.observer.Saw(edge, revision, time.Now())
		s.mu.Unlock()
	}
	var rooms sync.WaitGroup
	defer rooms.Wait()
	for _, ref := range s.index.RoomsOf(edge) {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		if !s.stillOut(edge) {
			<-s.slots
			return
		}
		rooms.Go(func() {
			defer func() { <-s.slots }()
			s.sweepRoom(ctx, ref, edge)
		})
	}
}

func (s *sweeper) sweepRoom(ctx context.Context, ref room.Ref, edge contract.Token) {
	ctx, cancel := context.WithTimeout(ctx, sweepBudget)
	defer cancel()
	outcome := outcomeDone
	if err := s.expire(ctx, ref, edge); err != nil {
		outcome = outcomeError
		if ctx.Err() == nil {
			slog.WarnContext(ctx, "room isn't swept: it is tried again", "room", ref.String(), "edge", edge.String(), "error", err)
		}
	}
	sweeps.WithLabelValues(outcome).Inc()
}

// expire sets the members of a room that an edge holds to gone, and has them
// leave. The records come first: whoever takes a member over before that keeps
// it, and after that nobody can.
func (s *sweeper) expire(ctx context.Context, ref room.Ref, edge contract.Token) error {
	state, _, err := s.store.Load(ctx, ref)
	if err != nil {
		return err
	}
	var ops []contract.RoomOp
	for _, m := range state.Members() {
		if m.Edge != edge && s.index.Place(ref, &m) != edge {
			continue
		}
		b, err := s.store.Bury(ctx, ref, &m, edge)
		if err != nil {
			return err
		}
		if b.Buried {
			expired.Inc()
		}
		held := m.Edge == edge // without a record a member is where it joined
		if b.Found {
			held = b.Record.State == contract.StateGone
		}
		if held {
			ops = append(ops, leaveOp(m.Peer, b.Record.Reason))
		}
	}
	return s.leave(ctx, ref, ops)
}

// layGhosts has members leave whose records have been gone for the whole wait:
// whoever set them didn't live to have them leave.
func (s *sweeper) layGhosts(ctx context.Context, ghosts []index.Ghost) {
	for _, ghost := range ghosts {
		if err := s.layGhost(ctx, ghost); err != nil {
			if ctx.Err() == nil {
				slog.WarnContext(ctx, "a member that is gone doesn't leave: it is tried again", "room", ghost.Room.String(), "error", err)
			}
			return
		}
	}
}

func (s *sweeper) layGhost(ctx context.Context, ghost index.Ghost) error {
	ctx, cancel := context.WithTimeout(ctx, sweepBudget)
	defer cancel()
	record, found, err := s.store.Record(ctx, ghost.Room, ghost.Peer)
	if err != nil || !found || record.State != contract.StateGone {
		return err
	}
	return s.leave(ctx, ghost.Room, []contract.RoomOp{leaveOp(ghost.Peer, record.Reason)})
}

func (s *sweeper) leave(ctx context.Context, ref room.Ref, ops []contract.RoomOp) error {
	for len(ops) > 0 {
		n := min(len(ops), room.MaxOps)
		if err := s.committer.apply(ctx, ref, ops[:n]); err != nil {
			return err
		}
		ops = ops[n:]
	}
	return nil
}

func leaveOp(peer contract.Token, reason contract.LeaveReason) contract.RoomOp {
	if reason == "" {
		reason = contract.ReasonExpired
	}
	return contract.RoomOp{Kind: contract.OpLeave, Peer: peer, Reason: reason}
}
