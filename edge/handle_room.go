package edge

import (
	"context"
	"errors"
	"slices"

	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/services/contract"
)

// handleLeave ends a membership. The client hears `left` when it is committed.
func (s *clientSession) handleLeave(ctx context.Context, frame *envelope.Frame, l *contract.Leave) error {
	m, err := s.in(l.Room)
	if err != nil {
		return err
	}
	trace := traceOf(ctx, frame)
	s.background(ctx, frame.Seq, func(ctx context.Context) error {
		return m.change(ctx, contract.RoomOp{Kind: contract.OpLeave, Peer: m.peer, Reason: contract.ReasonLeft, Trace: trace})
	})
	return nil
}

// handlePresence replaces what the member shows: first its record, then the
// room is told, then the frame is settled.
func (s *clientSession) handlePresence(ctx context.Context, frame *envelope.Frame, p *contract.SetPresence) error {
	m, err := s.in(p.Room)
	if err != nil {
		return err
	}
	m.r.mu.Lock()
	_, err = m.self()
	m.r.mu.Unlock()
	if err != nil {
		return err
	}
	trace := traceOf(ctx, frame)
	done := s.hold(frame.Seq)
	written := m.recorder.want(func(w *wanted) {
		w.presence, w.trace = p.Data, trace
		w.done = append(w.done, func(err error) {
			if errors.Is(err, errMemberGone) {
				err = contract.Errorf(contract.CodeNotInRoom, "the membership is over")
			}
			done(err)
		})
	})
	if !written {
		done(contract.Errorf(contract.CodeNotInRoom, "the membership is over"))
	}
	return nil
}

// handleModerate does what the grants allow.
func (s *clientSession) handleModerate(ctx context.Context, frame *envelope.Frame, mod *contract.Moderate) error {
	m, err := s.in(mod.Room)
	if err != nil {
		return err
	}
	op := contract.RoomOp{Trace: traceOf(ctx, frame)}
	grant := ""
	switch mod.Action {
	case contract.ActionKick:
		op.Kind, grant = contract.OpKick, contract.GrantKick
		if op.Peer, err = contract.ParseToken(mod.Peer); err != nil {
			return contract.Errorf(contract.CodeBadID, "`peer` must be the id of a peer")
		}
	case contract.ActionLock:
		op.Kind, grant = contract.OpLock, contract.GrantLock
	case contract.ActionUnlock:
		op.Kind, grant = contract.OpUnlock, contract.GrantLock
	case contract.ActionClose:
		op.Kind, grant = contract.OpClose, contract.GrantClose
	default:
		return contract.Errorf(contract.CodeBadFrame, "`action` must be kick, lock, unlock or close")
	}
	s.mu.Lock()
	granted := slices.Contains(m.grants, grant)
	s.mu.Unlock()
	if !granted {
		return contract.Errorf(contract.CodeForbidden, "this needs the grant %q in the room token", grant)
	}
	s.background(ctx, frame.Seq, func(ctx context.Context) error { return m.change(ctx, op) })
	return nil
}

// handleRefresh renews what the member may do.
func (s *clientSession) handleRefresh(_ *envelope.Frame, f *contract.Refresh) error {
	m, err := s.in(f.Room)
	if err != nil {
		return err
	}
	claims, err := s.verify(f.Token, f.Room)
	if err != nil {
		return err
	}
	if claims.Subject != m.identity || claims.App != string(m.r.app.ID()) {
		return contract.Errorf(contract.CodeForbidden, "the token is for another identity or app")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m.follow(claims)
	m.recorder.want(func(w *wanted) { w.grants = true })
	return nil
}
