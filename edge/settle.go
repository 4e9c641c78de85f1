package edge

import (
	"errors"
	"log/slog"
	"strconv"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// life is the link.Waiter of a session's frames from one rewind to the next:
// what was sent before a rewind settles nothing after it.
type life struct{ s *clientSession }

// release ends one hold on a frame, and tells the client what is settled; s.mu
// is held.
func (s *clientSession) release(seq uint64) {
	if s.seq.Release(seq) {
		s.room.Broadcast()
		s.sendAcked()
	}
}

// sendAcked tells what is settled, after everything else that waits; s.mu is held.
func (s *clientSession) sendAcked() {
	if s.conn != nil {
		var text [maxAcked]byte
		// A closed connection takes none; the client hears it when it is back.
		_ = s.conn.SetTail(appendAcked(text[:0], s.seq.Acked()))
	}
}

// queueAcked is sendAcked for who calls acks.flush soon; s.mu is held.
func (s *clientSession) queueAcked() {
	if s.conn != nil {
		var text [maxAcked]byte
		if flush, _ := s.conn.QueueTail(appendAcked(text[:0], s.seq.Acked())); flush { // as above
			s.e.acks.owe(s.conn)
		}
	}
}

// ackedHead is how a contract.Acked begins as JSON.
const ackedHead = `{"type":"` + contract.TypeAcked + `","seq":`

// maxAcked is how long that is at most: a uint64 has 20 digits.
const maxAcked = len(ackedHead) + 20 + 1

// appendAcked is marshal of a contract.Acked, which is as frequent as signals.
func appendAcked(dst []byte, seq uint64) []byte {
	dst = append(dst, ackedHead...)
	dst = strconv.AppendUint(dst, seq, 10)
	return append(dst, '}')
}

// Settled implements link.Waiter. Its caller must call acks.flush soon.
func (l *life) Settled(seq uint64, o link.Outcome) {
	s := l.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life != l {
		return
	}
	switch {
	case o.Err == nil:
		s.tellVerdicts(seq, o.Verdicts)
	case errors.Is(o.Err, link.ErrFull):
		s.answerError(seq, contract.Errorf(contract.CodeUnavailable, "the signal log is full; send it again later"), "")
	default:
		s.rewind(o.Err)
		return
	}
	if s.seq.Release(seq) {
		s.room.Broadcast()
		s.queueAcked()
	}
}

// tellVerdicts passes on what the filter said of a frame; s.mu is held.
func (s *clientSession) tellVerdicts(seq uint64, verdicts []contract.Verdict) {
	for i := range verdicts {
		v := &verdicts[i]
		if v.Refused {
			s.answerError(seq, &contract.Error{Code: v.Code, Message: v.Message}, v.Rule)
			continue
		}
		s.send(marshal(contract.Filtered{Type: contract.TypeFiltered, Re: seq, Rule: v.Rule, Count: v.Count}))
	}
}

// rewind forgets what isn't settled, since nobody knows what became of it, and
// closes the socket: the client will come back and send it again; s.mu is held.
func (s *clientSession) rewind(why error) {
	slog.Warn("frames have an unknown outcome; their session is closed to send them again", "session", s.id, "error", why)
	s.forgetUnsettled()
	code := contract.CloseTryLater
	if errors.Is(why, link.ErrClosed) {
		code = contract.CloseRestart
	}
	s.drop(code, "some frames could not be committed; reconnect and send them again")
}

// forgetUnsettled ends what the session sent: from now on nothing of it settles
// anything; s.mu is held.
func (s *clientSession) forgetUnsettled() {
	for _, m := range s.rooms {
		m.noteEnded()
	}
	s.life, s.rewound = &life{s}, true
	s.seq.Rewind()
	s.room.Broadcast()
}

// noteEnded has other edges be told that what the member has sent counts up to
// what is settled now; session.mu is held.
func (m *membership) noteEnded() {
	m.r.e.rewounds.note(m.r.key, m.peer, m.recorder.began.Load(), m.s.seq.Acked())
}

// waitRoom blocks while too much of the client is unsettled: it is not read
// from, and TCP tells it to wait.
func (s *clientSession) waitRoom() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.crowded() && s.e.work.Err() == nil {
		s.room.Wait()
	}
}

func (s *clientSession) crowded() bool {
	frames, bytes := s.seq.Unsettled()
	return frames >= s.e.cfg.Limits.UnsettledCount || bytes >= s.e.cfg.Limits.UnsettledBytes
}
