package edge

import (
	"context"
	"errors"
	"time"

	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/services/contract"
)

// handleJoin checks the token and the session's rooms at once, and joins in the
// background: the member's record, then roomsvc's commit, then, when the roster
// takes it in, `joined`.
func (s *clientSession) handleJoin(ctx context.Context, frame *envelope.Frame, join *contract.Join) error {
	claims, err := s.verify(join.Token, join.Room)
	if err != nil {
		return err
	}
	app, err := contract.ParseID(claims.App)
	if err != nil {
		return contract.Errorf(contract.CodeBadToken, "the token's app: %v", err)
	}
	name, err := contract.ParseID(join.Room)
	if err != nil {
		return contract.Errorf(contract.CodeBadID, "room: %v", err)
	}
	s.mu.Lock()
	joined := s.rooms[join.Room]
	full := len(s.rooms) >= s.e.cfg.Limits.Rooms
	secret, attempt := s.next, s.attempt
	s.mu.Unlock()
	switch {
	case joined != nil && joined.joinSeq == frame.Seq:
		joined.tellJoined() // sent again after a rewind
		return nil
	case joined != nil:
		return contract.Errorf(contract.CodeAlreadyJoined, "this connection is in the room, or joining it")
	case full:
		return contract.Errorf(contract.CodeTooManyRooms, "a connection may be in %d rooms; leave one first", s.e.cfg.Limits.Rooms)
	}
	r := s.e.enter(app.Token(), name.Token())
	m := newMembership(s, r, join, frame.Seq, claims)
	s.mu.Lock()
	s.rooms[join.Room] = m
	s.mu.Unlock()
	r.mu.Lock()
	r.locals[m.peerText] = m
	r.mu.Unlock()
	began := time.Now()
	s.background(ctx, frame.Seq, func(ctx context.Context) error {
		defer func() { joinSeconds.Observe(time.Since(began).Seconds()) }()
		return m.join(ctx, claims, join, traceOf(ctx, frame), secret, attempt)
	})
	s.mu.Lock()
	s.seq.Hold(frame.Seq) // until the roster takes the member in, see begin
	s.mu.Unlock()
	return nil
}

func (m *membership) join(ctx context.Context, claims *contract.Claims, join *contract.Join, trace string, secret secretHash, attempt uint64) error {
	iceAsked := m.askICEMeanwhile(ctx)
	err := m.recorder.create(ctx, secret, attempt)
	iceAsked()
	if err == nil {
		err = m.change(ctx, contract.RoomOp{
			Kind: contract.OpJoin, Peer: m.peer, Identity: m.identity, Presence: join.Presence,
			Capabilities: join.Capabilities, Trace: trace,
		})
	}
	if err == nil {
		err = m.awaitAnswer(ctx)
	}
	if err == nil {
		err = m.admitted(claims)
	}
	if err != nil {
		m.abandon(err)
	}
	return err
}

// eventDue is how long a join waits for its event, which is in the log, before
// the document is read.
const eventDue = time.Second

// awaitAnswer waits until the committed join is applied.
func (m *membership) awaitAnswer(ctx context.Context) error {
	due := time.NewTimer(eventDue)
	defer due.Stop()
	for {
		select {
		case <-m.answered:
			return nil
		case <-due.C:
			m.r.mu.Lock()
			m.r.resync(m.r.wanted, nil)
			m.r.mu.Unlock()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// admitted is nil if the member was taken in, and the end of its join's frame
// if it left before anyone could know.
func (m *membership) admitted(claims *contract.Claims) error {
	m.r.mu.Lock()
	in := m.epoch != 0
	m.r.mu.Unlock()
	if !in {
		return contract.Errorf(contract.CodeIdentityTaken, "the membership ended before it began: the identity joined again elsewhere, or a moderator ended it")
	}
	if claims.MaxStay > 0 {
		m.endAfter(time.Duration(claims.MaxStay) * time.Second)
	}
	return nil
}

// endAfter ends the membership when maxStay is over.
func (m *membership) endAfter(d time.Duration) {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.stay = time.AfterFunc(d, func() {
		m.r.e.goWork(func(ctx context.Context) { m.leave(ctx, contract.ReasonExpired) })
	})
}

// abandon ends a join that failed. If its outcome is unknown the member leaves,
// in case it is in.
func (m *membership) abandon(why error) {
	m.r.mu.Lock()
	began := m.epoch != 0
	if !began {
		delete(m.r.locals, m.peerText)
		m.finish(0, contract.ReasonLeft)
	}
	m.r.mu.Unlock()
	if !began {
		m.s.mu.Lock()
		m.s.release(m.joinSeq)
		m.s.mu.Unlock()
	}
	var refused *contract.Error
	if !errors.As(why, &refused) || refused.Code == contract.CodeUnavailable || refused.Code == contract.CodeInternal {
		m.r.e.goWork(func(ctx context.Context) { m.leave(ctx, contract.ReasonLeft) })
	}
}

// leave ends the membership, by a commit; it tries until that is done or the
// edge ends. Should the edge end first, roomsvc does it when its lease is out.
func (m *membership) leave(ctx context.Context, reason contract.LeaveReason) {
	for ctx.Err() == nil {
		err := m.change(ctx, contract.RoomOp{Kind: contract.OpLeave, Peer: m.peer, Reason: reason})
		var refused *contract.Error
		if err == nil || errors.As(err, &refused) {
			return
		}
		pause(ctx, time.Second)
	}
}
