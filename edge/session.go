package edge

import (
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"github.com/parley-rtc/parley/edge/internal/conn"
	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/edge/internal/limit"
	"github.com/parley-rtc/parley/edge/internal/session"
	"github.com/parley-rtc/parley/services/contract"
)

// secretHash is the SHA-256 of a resume secret; the edge never keeps the secret.
type secretHash = [sha256.Size]byte

// clientSession is what a client must not lose with its socket.
type clientSession struct {
	// Static after construction.
	e  *Edge
	id string

	mu        sync.Mutex
	conn      *conn.Conn // nil while the client is away
	replaying bool       // live signals are left to the replay
	over      bool       // it can't be resumed any more
	next      secretHash // of the secret that resumes it
	attempt   uint64
	seq       session.Sequence
	room      *sync.Cond // of mu: a frame was settled
	life      *life      // who waits for what was sent since the last rewind
	rewound   bool       // the members' records must tell of that before anything is sent
	rooms     map[string]*membership
	refusals  []refusal         // the newest ones, in case their socket is lost
	lefts     map[string][]byte // `left` frames that no socket took, by room
	taken     map[string]bool   // rooms whose members other edges have taken over
	arrival   *arrival          // brings its members up to date
	away      *time.Timer       // the resume window's; nil: it doesn't run
	absences  int               // the windows until now
	since     time.Time         // when it came to have no room
	pinged    time.Duration
	frames    limit.Bucket
	bytes     limit.Bucket
	abuse     limit.Bucket
	badTexts  limit.Bucket
}

// refusal is an error frame whose seq the client may ask about again.
type refusal struct {
	seq  uint64
	text []byte
}

// keepRefusals is how many error frames a session remembers.
const keepRefusals = 256

func newSession(e *Edge) *clientSession {
	s := &clientSession{e: e, id: contract.NewSessionID(), rooms: map[string]*membership{}, since: time.Now()}
	s.room = sync.NewCond(&s.mu)
	s.life = &life{s}
	return s
}

// live reports whether signals go to the client as they come; s.mu is held.
func (s *clientSession) live() bool { return s.conn != nil && !s.replaying }

// send gives a text to the client if it is there; s.mu is held. A client that
// doesn't read loses its connection, and nothing else.
func (s *clientSession) send(text []byte) {
	if s.conn == nil {
		return
	}
	if len(text) > s.e.cfg.Limits.PartBytes {
		s.sendPaced(text)
		return
	}
	if err := s.conn.Send(text); errors.Is(err, conn.ErrSlow) {
		s.drop(contract.CloseSlowConsumer, "you read too slowly: "+err.Error())
	}
}

// queue is send for a frame that is delivered with others; s.mu is held, and the
// client is there.
func (s *clientSession) queue(out *delivery) {
	if len(out.text) > s.e.cfg.Limits.PartBytes {
		s.sendPaced(out.text)
		return
	}
	flush, err := s.conn.Queue(out.text)
	if flush {
		out.owed = append(out.owed, s.conn)
	}
	if errors.Is(err, conn.ErrSlow) {
		s.drop(contract.CloseSlowConsumer, "you read too slowly: "+err.Error())
	}
}

// sendNow is send for who doesn't hold s.mu.
func (s *clientSession) sendNow(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live() {
		s.send(text)
	}
}

// sendPaced sends what doesn't count as queued, in parts if it is long; s.mu
// is held.
func (s *clientSession) sendPaced(text []byte) {
	if s.conn == nil {
		return
	}
	for _, part := range envelope.Split(text, s.e.cfg.Limits.PartBytes, contract.NewSessionID()) {
		if err := s.conn.SendExempt(part); err != nil {
			return
		}
	}
}

// sendLeft tells that a room is over, now or when the client comes back; s.mu is
// held.
func (s *clientSession) sendLeft(room string, text []byte) {
	if s.conn != nil {
		s.send(text)
		return
	}
	if s.lefts == nil {
		s.lefts = map[string][]byte{}
	}
	s.lefts[room] = text
}

// tellLeft tells a client that came back that it isn't in a room any more; s.mu
// is held.
func (s *clientSession) tellLeft(room string) {
	text := s.lefts[room]
	if text == nil {
		text = marshal(contract.Left{Type: contract.TypeLeft, Room: room, Reason: contract.ReasonExpired})
	}
	delete(s.lefts, room)
	s.send(text)
}

// drop closes the connection in the background; s.mu is held. The session stays
// and can be resumed.
func (s *clientSession) drop(code contract.CloseCode, reason string) {
	c := s.conn
	if c == nil {
		return
	}
	c.Close(code, reason)
}

// answerError tells the client that a frame, or the connection if seq is 0,
// was refused; s.mu is held.
func (s *clientSession) answerError(seq uint64, err error, rule contract.Rule) {
	refused := asError(err)
	refusedFrames.WithLabelValues(string(refused.Code)).Inc()
	text := marshal(contract.ErrorFrame{
		Type: contract.TypeError, Re: seq, Code: refused.Code, Status: refused.Code.Status(),
		Message: refused.Message, Retryable: refused.Code.Retryable(), RetryAfter: refused.RetryAfter, Rule: rule,
	})
	if seq != 0 {
		if len(s.refusals) == keepRefusals {
			s.refusals = append(s.refusals[:0], s.refusals[1:]...)
		}
		s.refusals = append(s.refusals, refusal{seq, text})
	}
	s.send(text)
}

// detach notes that the socket is gone: the members are away, and leave when
// the resume window is over.
func (s *clientSession) detach(c *conn.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return
	}
	s.conn = nil
	connections.Dec()
	if s.over {
		return
	}
	s.awaitReturn()
	for _, m := range s.rooms {
		m.recorder.want(func(w *wanted) { w.state = contract.StateAway })
	}
}

// awaitReturn begins the resume window; s.mu is held.
func (s *clientSession) awaitReturn() {
	s.absences++
	this := s.absences
	s.away = time.AfterFunc(s.e.cfg.ResumeWindow, func() {
		s.e.wg.Go(func() { s.expire(this) })
	})
}

// expire ends the session if the client didn't come back from an absence: it may
// have, after the time was up and before this was called.
func (s *clientSession) expire(absence int) {
	s.mu.Lock()
	expired := s.away != nil && s.absences == absence
	if expired {
		s.over, s.away = true, nil
	}
	s.mu.Unlock()
	if expired {
		s.leaveAll(contract.ReasonExpired)
	}
}

// end makes the session impossible to resume and leaves every room.
func (s *clientSession) end(reason contract.LeaveReason) {
	s.mu.Lock()
	over := s.over
	s.over = true
	s.stopAway()
	s.mu.Unlock()
	if !over {
		s.leaveAll(reason)
	}
}

// leaveAll takes a session that is over out of the edge and its rooms.
func (s *clientSession) leaveAll(reason contract.LeaveReason) {
	s.e.removeSession(s)
	for _, m := range s.memberships() {
		m.depart(reason)
	}
}

// memberships are those that the session has now.
func (s *clientSession) memberships() []*membership {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*membership, 0, len(s.rooms))
	for _, m := range s.rooms {
		all = append(all, m)
	}
	return all
}

// stopAway ends the resume window; s.mu is held.
func (s *clientSession) stopAway() {
	if s.away != nil {
		s.away.Stop()
		s.away = nil
	}
}

// forget takes a membership that is over out of the session and then tells the
// client, which may join again at once.
func (s *clientSession) forget(m *membership, left []byte, reason contract.LeaveReason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m.stay != nil {
		m.stay.Stop()
	}
	if s.rooms[m.roomName] == m {
		delete(s.rooms, m.roomName)
		s.since = time.Now()
	}
	if left == nil {
		return
	}
	s.sendLeft(m.roomName, left)
	if len(s.rooms) == 0 && reason == contract.ReasonKicked {
		s.drop(contract.CloseKicked, "a moderator took you out of your only room")
	}
}

func (s *clientSession) goaway(after time.Duration, reason string) {
	s.sendNow(marshal(contract.Goaway{Type: contract.TypeGoaway, After: after.Milliseconds(), Reason: reason}))
}
