package edge

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"time"

	"github.com/parley-rtc/parley/edge/internal/conn"
	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// resumeTimeout bounds how long a resume may wait for the members' records.
	resumeTimeout = 5 * time.Second
	// adoptTimeout bounds it for members of another edge: a NATS server that is
	// killed stalls the records for up to 8 s.
	adoptTimeout = 9 * time.Second
)

// hello answers the first frame of a connection with a session: the one that a
// secret of the client's brings back, or a new one. It returns nil when the
// connection is closed.
func (e *Edge) hello(c *conn.Conn, text []byte) *clientSession {
	frame := envelope.Decode(text, &e.cfg.Limits)
	hello, ok := frame.Body.(*contract.Hello)
	if frame.Err == nil && !ok {
		frame.Err = contract.Errorf(contract.CodeHelloRequired, "the first frame must be hello")
	}
	if frame.Err != nil {
		refuseConn(c, frame.Err)
		return nil
	}
	var next secretHash
	raw, err := base64.RawURLEncoding.DecodeString(hello.Next)
	if err != nil || len(raw) != len(next) {
		refuseConn(c, contract.Errorf(contract.CodeBadFrame, "next must be the base64url of a SHA-256"))
		return nil
	}
	copy(next[:], raw)
	s, err := e.greet(c, hello, next)
	switch {
	case err == nil:
		return s
	case errors.Is(err, errStaleHello):
		c.Close(contract.CloseReplaced, "a newer connection of this session took over")
	default:
		slog.Warn("a session can't be resumed", "error", err)
		c.Close(contract.CloseTryLater, "the session can't be resumed now; come back")
	}
	return nil
}

// greet gives a connection its session: the one that this edge holds, those
// memberships of the hello that others hold, or a new one.
func (e *Edge) greet(c *conn.Conn, hello *contract.Hello, next secretHash) (*clientSession, error) {
	if s := e.takeOver(hello, next); s != nil {
		err := s.resume(c, hello)
		if !errors.Is(err, errMemberMoved) {
			return s, err
		}
	}
	ctx, cancel := context.WithTimeout(e.work, adoptTimeout)
	defer cancel()
	s, err := e.adopt(ctx, hello, next)
	if err != nil {
		return nil, err
	}
	if s != nil {
		resumes.WithLabelValues(resumeAdopted).Inc()
		s.arrive(c, hello)
		return s, nil
	}
	if len(hello.Resume) > 0 {
		resumes.WithLabelValues(resumeLost).Inc()
	}
	s = e.newSession(hello, next)
	s.open(c)
	return s, nil
}

// refuseConn answers a connection that has no session, and closes it.
func refuseConn(c *conn.Conn, refused *contract.Error) {
	refusedFrames.WithLabelValues(string(refused.Code)).Inc()
	text := marshal(contract.ErrorFrame{
		Type: contract.TypeError, Code: refused.Code, Status: refused.Code.Status(),
		Message: refused.Message, Retryable: refused.Code.Retryable(),
	})
	if c.Send(text) == nil {
		c.Close(contract.CloseUnsupported, refused.Message)
	}
}

// takeOver finds the session here that one of the hello's secrets resumes, for
// which only a higher attempt counts. A spent secret finds nothing.
func (e *Edge) takeOver(hello *contract.Hello, next secretHash) *clientSession {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, secret := range hello.Resume {
		raw, err := base64.RawURLEncoding.DecodeString(secret)
		if err != nil {
			continue
		}
		hash := sha256.Sum256(raw)
		found := e.bySecret[hash]
		if found == nil || !found.claim(hello, next) {
			continue
		}
		delete(e.bySecret, hash)
		e.bySecret[next] = found
		return found
	}
	return nil
}

// newSession makes a session that nobody had before.
func (e *Edge) newSession(hello *contract.Hello, next secretHash) *clientSession {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := newSession(e)
	s.next, s.attempt = next, hello.Attempt
	e.sessions[s.id], e.bySecret[next] = s, s
	return s
}

// claim takes the session for a hello, if its attempt is newer than the last and
// no other edge has held a room that it names since.
func (s *clientSession) claim(hello *contract.Hello, next secretHash) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || hello.Attempt <= s.attempt {
		return false
	}
	if s.lacks(hello) {
		return false
	}
	s.attempt, s.next = hello.Attempt, next
	s.stopAway()
	return true
}

// lacks reports whether another session has a room that a hello names: since it
// took it over, or since this one never had any, having begun with a hello that came
// late. s.mu is held.
func (s *clientSession) lacks(hello *contract.Hello) bool {
	if len(s.rooms) == 0 && len(s.lefts) == 0 && len(hello.Rooms) > 0 {
		return true
	}
	for name := range hello.Rooms {
		if s.taken[name] {
			return true
		}
	}
	return false
}

func (e *Edge) removeSession(s *clientSession) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.sessions, s.id)
	s.mu.Lock()
	next := s.next
	s.mu.Unlock()
	if e.bySecret[next] == s {
		delete(e.bySecret, next)
	}
}

func (e *Edge) closeSessions(code contract.CloseCode, reason string) {
	e.eachSession(func(s *clientSession) {
		s.mu.Lock()
		s.drop(code, reason)
		s.room.Broadcast()
		s.mu.Unlock()
	})
}

// open begins a new session on a connection.
func (s *clientSession) open(c *conn.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = c
	s.pinged = time.Since(s.e.started)
	connections.Inc()
	s.send(s.welcome(false))
}

func (s *clientSession) welcome(resumed bool) []byte {
	return marshal(contract.Welcome{
		Type: contract.TypeWelcome, Session: s.id, Resumed: resumed, Seq: s.seq.Next() - 1,
		ResumeWindow: s.e.cfg.ResumeWindow.Milliseconds(), PingInterval: s.e.cfg.PingInterval.Milliseconds(),
		Limits: s.e.cfg.Limits, Features: []string{}, Edge: s.e.id.String(),
	})
}

// resume brings the session to a new connection: its members' records first,
// then what it missed, then what is settled.
func (s *clientSession) resume(c *conn.Conn, hello *contract.Hello) error {
	if err := s.recordTakeover(hello.Attempt); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.conn == nil && s.away == nil && !s.over {
			s.awaitReturn()
		}
		return err
	}
	arrives := s.mustArrive(hello)
	s.mu.Lock()
	switch {
	case s.attempt != hello.Attempt:
		s.mu.Unlock()
		return errStaleHello
	case s.over, s.lacks(hello):
		s.mu.Unlock()
		return errMemberMoved // another edge took it meanwhile; or its window is over
	}
	resumes.WithLabelValues(resumeHere).Inc()
	s.stopAway() // the old socket may have begun to wait meanwhile
	if old := s.conn; old != nil {
		old.Close(contract.CloseReplaced, "a newer connection of this session took over")
	} else {
		connections.Inc()
	}
	s.conn, s.replaying = c, !arrives
	s.pinged = time.Since(s.e.started)
	s.send(s.welcome(true))
	for _, one := range s.refusals {
		if one.seq > hello.Acked {
			s.send(one.text)
		}
	}
	if arrives {
		s.sendAcked()
	}
	s.mu.Unlock()
	if arrives {
		s.tellLost(hello)
		s.catchUp(c, hello)
	} else {
		s.e.goWork(func(ctx context.Context) { s.replay(ctx, c, hello) })
	}
	return nil
}

// mustArrive reports whether members of a client that comes back have been on other
// edges, and has them be told what they missed with the same judgement as what came
// live: the log alone doesn't show what is to be dropped.
func (s *clientSession) mustArrive(hello *contract.Hello) (arrives bool) {
	rooms := s.memberships()
	cursors := make([]contract.Cursor, len(rooms))
	for i, m := range rooms {
		known := hello.Rooms[m.roomName]
		cursor, err := contract.ParseCursor(known.Cursor)
		if err != nil || known.Peer != m.peerText {
			cursor = contract.Cursor{Edge: s.e.id, Epoch: s.e.log.Epoch(s.e.id), Revision: s.e.reader.position.Load(), App: m.r.app}
		}
		cursors[i] = cursor
		arrives = arrives || m.came != nil
	}
	if arrives {
		for i, m := range rooms {
			m.beginBacklog(cursors[i], hello.Attempt) // or resume finds that it is late
		}
	}
	return arrives
}

// recordTakeover writes a new incarnation of every member, and waits for it. After
// a rewind that begins another session: what was sent before it counts only as far
// as it is settled.
func (s *clientSession) recordTakeover(attempt uint64) error {
	s.mu.Lock()
	next, rewound, settled := s.next, s.rewound, s.seq.Acked()
	written := make(chan error, len(s.rooms))
	waiting := 0
	for _, m := range s.rooms {
		if m.recorder.want(func(w *wanted) {
			w.state, w.attempt, w.secret = contract.StateHere, attempt, next
			w.begins, w.acked = rewound, settled
			w.written = append(w.written, func(err error) { written <- err })
		}) {
			waiting++
		}
	}
	s.mu.Unlock()
	timeout := time.NewTimer(resumeTimeout)
	defer timeout.Stop()
	for range waiting {
		select {
		case err := <-written:
			if err != nil && !errors.Is(err, errMemberGone) {
				return err
			}
		case <-timeout.C:
			return context.DeadlineExceeded
		}
	}
	if rewound {
		s.mu.Lock()
		s.rewound = false
		s.mu.Unlock()
	}
	return nil
}
