package edge

import (
	"context"
	"time"

	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/services/contract"
)

// handle does what a frame asks. It returns an error to refuse the frame. A
// handler that goes on in the background holds the frame's seq until it is done.
func (s *clientSession) handle(frame *envelope.Frame) error {
	ctx, span := startReceive(s.e.work, frame)
	defer endSpan(span)
	switch body := frame.Body.(type) {
	case *contract.Describe:
		return s.handleDescribe(ctx, frame, body)
	case *contract.Trickle:
		return s.handleTrickle(ctx, frame, body)
	case *contract.Message:
		return s.handleMessage(ctx, frame, body)
	case *contract.SetPresence:
		return s.handlePresence(ctx, frame, body)
	case *contract.Join:
		return s.handleJoin(ctx, frame, body)
	case *contract.Leave:
		return s.handleLeave(ctx, frame, body)
	case *contract.Moderate:
		return s.handleModerate(ctx, frame, body)
	case *contract.Refresh:
		return s.handleRefresh(frame, body)
	default:
		return contract.Errorf(contract.CodeUnknownType, "a frame of this type has no seq")
	}
}

// repeat answers a frame that was handled before, of which the answer may be
// lost: a join is answered with the room as it is now.
func (s *clientSession) repeat(frame *envelope.Frame) {
	join, ok := frame.Body.(*contract.Join)
	if !ok {
		return
	}
	s.mu.Lock()
	m := s.rooms[join.Room]
	s.mu.Unlock()
	if m != nil && m.joinSeq == frame.Seq {
		m.tellJoined()
	}
}

// in finds the membership that a frame speaks of.
func (s *clientSession) in(roomName string) (*membership, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.rooms[roomName]
	if m == nil {
		return nil, contract.Errorf(contract.CodeNotInRoom, "join the room first; a frame that came before `joined` comes too early")
	}
	return m, nil
}

// hold keeps a frame unsettled until done is called with its outcome.
func (s *clientSession) hold(seq uint64) (done func(error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seq.Hold(seq)
	l := s.life
	return func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.life != l {
			return
		}
		if err != nil {
			s.answerError(seq, err, "")
		}
		s.release(seq)
	}
}

// background runs what asks other services, bounded in time.
func (s *clientSession) background(ctx context.Context, seq uint64, do func(ctx context.Context) error) {
	done := s.hold(seq)
	s.e.wg.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, s.e.cfg.RequestTimeout+time.Second)
		defer cancel()
		done(do(ctx))
	})
}
