package edge

import (
	"bytes"
	"context"
	"time"

	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/services/contract"
)

// handle does what a frame asks. It returns an error to refuse the frame. held
// means that a link holds the frame's seq from now on, in the handler's stead. A
// handler that goes on in the background holds the seq until it is done, and may
// keep the frame.
func (s *clientSession) handle(w *workspace, frame *envelope.Frame) (held bool, err error) {
	ctx, span := startReceive(s.e.work, frame)
	defer endSpan(span)
	if signal, ok := frame.Body.(*envelope.Signal); ok {
		if span != nil {
			frame.Trace = []byte(traceOf(ctx, frame))
		}
		return s.handleSignal(w, frame, signal)
	}
	kept := *frame
	kept.Trace = bytes.Clone(frame.Trace)
	return false, s.handleOther(ctx, &kept)
}

// handleOther does what a frame asks that isn't relayed.
func (s *clientSession) handleOther(ctx context.Context, frame *envelope.Frame) error {
	switch body := frame.Body.(type) {
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
		return nil, errNotJoined()
	}
	return m, nil
}

func errNotJoined() *contract.Error {
	return contract.Errorf(contract.CodeNotInRoom, "join the room first; a frame that came before `joined` comes too early")
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
