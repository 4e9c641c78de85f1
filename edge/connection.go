package edge

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/parley-rtc/parley/edge/internal/conn"
	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/edge/internal/limit"
	"github.com/parley-rtc/parley/edge/internal/session"
	"github.com/parley-rtc/parley/edge/internal/upgrade"
	"github.com/parley-rtc/parley/services/contract"
)

// The paths that clients use. Front doors for other protocols get their own.
const (
	pathSocket = "/v1/ws"
	pathCheck  = "/v1/check"
)

// headerTimeout and maxHeaderBytes bound the handshake.
const (
	headerTimeout  = 5 * time.Second
	maxHeaderBytes = 8 << 10
)

// What a connection may do wrong before it is closed.
const (
	maxBadTexts   = 2                // texts that aren't JSON, in badTextWindow
	badTextWindow = 10 * time.Second //
	maxRefusals   = 200              // frames over the rate, refilled at a tenth a second
)

// handler is what the edge answers over HTTP.
func (e *Edge) handler() http.Handler {
	door := &upgrade.Door{
		Origins: e.cfg.Origins, Subprotocol: contract.Subprotocol, Adopt: e.poller.Adopt,
		Closed: func() bool { return !e.opened.Load() || e.draining.Load() },
	}
	mux := http.NewServeMux()
	mux.HandleFunc(pathSocket, func(w http.ResponseWriter, r *http.Request) { e.accept(door, w, r) })
	mux.Handle(pathCheck, door.CheckHandler())
	return mux
}

// accept makes a connection of a request and serves it on a goroutine of its
// own, so that the memory of the handshake is free again.
func (e *Edge) accept(door *upgrade.Door, w http.ResponseWriter, r *http.Request) {
	socket, refused := door.Upgrade(w, r)
	if refused != nil {
		handshakes.WithLabelValues(string(refused.Code)).Inc()
		return
	}
	handshakes.WithLabelValues("ok").Inc()
	limits := &e.cfg.Limits
	var control limit.Bucket // of pings, pongs and fragments, which cost a client nothing else
	c := conn.New(socket, conn.Options{
		MessageBytes: limits.MessageBytes, OutboundFrames: limits.OutboundFrames, OutboundBytes: limits.OutboundBytes,
		WriteTimeout: writeTimeout, ReadTimeout: 2*e.cfg.PingInterval + writeTimeout,
		Allow: func(int) bool {
			_, ok := control.Take(time.Since(e.started), 1, limits.FrameRate, limits.FrameBurst)
			return ok
		},
	})
	e.wg.Go(func() {
		defer c.Wait()
		e.serveConn(c)
		countEnd(c)
	})
}

// countEnd counts how a connection ended: by what the first to close it said.
func countEnd(c *conn.Conn) {
	c.Close(contract.CloseNormal, "") // without effect if it is closed
	var end *conn.CloseError
	if _, err := c.Read(); errors.As(err, &end) {
		closed.WithLabelValues(closeLabel(end.Code)).Inc()
	}
}

// writeTimeout is the most that one write to a client may take.
const writeTimeout = 10 * time.Second

// serveConn reads one connection to its end.
func (e *Edge) serveConn(c *conn.Conn) {
	stop := context.AfterFunc(e.work, func() { c.Close(contract.CloseRestart, "the edge stops") })
	defer stop()
	late := time.AfterFunc(e.cfg.HelloTimeout, func() { c.Close(contract.CloseTooLate, "no hello in time") })
	text, err := c.Read()
	if !late.Stop() || err != nil {
		c.Close(contract.CloseTooLate, "no hello in time")
		return
	}
	s := e.hello(c, text)
	if s == nil {
		return
	}
	var parts envelope.Assembler
	for err == nil {
		s.waitRoom()
		if text, err = c.Read(); err == nil {
			err = s.receive(c, &parts, text)
		}
	}
	c.Close(contract.CloseNormal, "")
	s.detach(c)
}

// errBye ends a connection whose client said bye.
var errBye = errors.New("bye")

// receive handles one text. An error ends the connection.
func (s *clientSession) receive(c *conn.Conn, parts *envelope.Assembler, text []byte) error {
	w := newWorkspace()
	defer w.release()
	return s.receiveIn(w, c, parts, text)
}

// receiveIn is receive with the memory that it needs.
func (s *clientSession) receiveIn(w *workspace, c *conn.Conn, parts *envelope.Assembler, text []byte) error {
	limits, cost := &s.e.cfg.Limits, len(text)
	frame := w.reader.Read(text, limits)
	if part, ok := frame.Body.(*contract.Part); ok {
		whole, done, refused := parts.Add(part, limits.FrameBytes)
		switch {
		case refused != nil:
			frame = w.reader.Read(whole, limits) // tells the seq that the frame has used
			frame.Err, frame.Body = refused, nil
		case !done:
			return s.chargePart(c, cost)
		default:
			frame = w.reader.Read(whole, limits)
			text = whole
		}
		if frame.Type == contract.TypePart {
			frame.Err, frame.Body = contract.Errorf(contract.CodeBadPart, "parts can't hold a part"), nil
		}
	}
	countReceived(frame.Type)
	switch {
	case frame.Seq != 0:
		return s.receiveCounted(c, w, frame, len(text), cost)
	case frame.Err != nil && frame.Err.Code == contract.CodeBadJSON:
		return s.badText(c, frame.Err)
	default:
		return s.receiveUncounted(c, frame, cost)
	}
}

// chargePart takes a part that makes no frame yet from the connection's rates.
func (s *clientSession) chargePart(c *conn.Conn, size int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.charge(c, 0, size)
}

// badText answers what isn't JSON; who only sends such is closed.
func (s *clientSession) badText(c *conn.Conn, refused *contract.Error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != c {
		return errBye // a newer connection took the session over
	}
	s.answerError(0, refused, "")
	if _, ok := s.badTexts.Take(time.Since(s.e.started), int(badTextWindow.Seconds()), 1, maxBadTexts*int(badTextWindow.Seconds())); !ok {
		c.Close(contract.CloseUnsupported, "this is no JSON; speak "+contract.Subprotocol)
		return errBye
	}
	return nil
}

// receiveUncounted handles a frame without seq.
func (s *clientSession) receiveUncounted(c *conn.Conn, frame *envelope.Frame, size int) error {
	if err := s.chargePart(c, size); err != nil {
		return err
	}
	switch body := frame.Body.(type) {
	case nil:
		s.refuse(0, frame.Err)
	case *contract.Ping:
		s.handlePing(body)
	case *contract.Bye:
		s.end(contract.ReasonLeft)
		c.Close(contract.CloseNormal, "bye")
		return errBye
	case *contract.Hello:
		s.refuse(0, contract.Errorf(contract.CodeHelloRequired, "hello is the first frame of a connection, and only the first"))
	}
	return nil
}

// receiveCounted handles a frame with seq: once, in order. size is the frame's,
// cost what its last message takes from the rates.
func (s *clientSession) receiveCounted(c *conn.Conn, w *workspace, frame *envelope.Frame, size, cost int) error {
	fresh, err := s.accept(c, w, frame, size, cost)
	if !fresh {
		return err
	}
	held := false
	if err == nil {
		held, err = s.handle(w, frame)
	}
	if held || errors.Is(err, errBye) {
		return err
	}
	if err != nil && s.e.work.Err() != nil {
		c.Close(contract.CloseRestart, "the edge stops") // nothing takes frames any more: the client sends it again elsewhere
		return errBye
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.answerError(frame.Seq, err, "")
	}
	s.release(frame.Seq)
	return nil
}

// accept judges a frame by its seq and by the rates. Of a fresh one, which it
// holds, err is why it is refused; of others what ends the connection.
func (s *clientSession) accept(c *conn.Conn, w *workspace, frame *envelope.Frame, size, cost int) (fresh bool, err error) {
	s.mu.Lock()
	if s.conn != c {
		s.mu.Unlock()
		return false, errBye // a newer connection took the session over
	}
	verdict := s.seq.Accept(frame.Seq, size)
	w.life = s.life
	switch verdict {
	case session.Hole:
		s.answerError(0, contract.Errorf(contract.CodeSeqHole, "seq %d came, but %d is the next one", frame.Seq, s.seq.Next()), "")
	case session.Repeated:
		s.sendAcked()
	case session.Fresh:
		if err = s.charge(c, frame.Seq, cost); err == nil && frame.Err != nil {
			err = frame.Err
		}
	}
	s.mu.Unlock()
	if verdict == session.Repeated {
		s.repeat(frame)
	}
	return verdict == session.Fresh, err
}

// charge takes a frame from the connection's rates; s.mu is held. It returns a
// *contract.Error for one over them, and errBye when the client doesn't heed it
// at all, or when it is on another connection.
func (s *clientSession) charge(c *conn.Conn, seq uint64, size int) error {
	if s.conn != c {
		return errBye
	}
	limits, now := &s.e.cfg.Limits, time.Since(s.e.started)
	wait, ok := s.frames.Take(now, 1, limits.FrameRate, limits.FrameBurst)
	if ok {
		wait, ok = s.bytes.Take(now, size, limits.ByteRate, limits.ByteBurst)
	}
	if ok {
		return nil
	}
	if _, mild := s.abuse.Take(now, 1, maxRefusals/10, maxRefusals); !mild {
		c.Close(contract.CloseRate, "far over the rate limits; see welcome.limits")
		return errBye
	}
	refused := contract.Errorf(contract.CodeRateLimited, "over the rate limits of welcome.limits; wait and send it as a new frame")
	refused.RetryAfter = max(1, wait.Milliseconds())
	if seq == 0 {
		s.answerError(0, refused, "")
		return nil
	}
	return refused
}

// refuse is answerError for who doesn't hold s.mu.
func (s *clientSession) refuse(seq uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answerError(seq, err, "")
}
