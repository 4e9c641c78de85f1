package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

const (
	defaultPing = 20 * time.Second
	maxPing     = 5 * time.Minute
	// maxGreeting is how many frames may come before the welcome.
	maxGreeting = 8
)

var (
	errGoaway    = errors.New("the edge asked to go elsewhere")
	errBadResume = errors.New("the edge resumed at a seq that was acknowledged before")
	errSeqHole   = errors.New("the edge misses a frame")
)

// connect makes one attempt at the next address.
func (c *Client) connect(ctx context.Context) (*socket, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.connectTimeout)
	defer cancel()
	s, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	return c.introduce(ctx, s)
}

// open opens a socket at the next address.
func (c *Client) open(ctx context.Context) (*socket, error) {
	url := c.opts.urls[c.nextURL%len(c.opts.urls)]
	c.nextURL++
	return dialSocket(ctx, &c.opts, url)
}

// introduce makes an open socket the client's connection, or ends it.
func (c *Client) introduce(ctx context.Context, s *socket) (*socket, error) {
	stop := context.AfterFunc(ctx, func() { s.end(ctx.Err()) })
	w, err := c.greet(s)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = c.begin(s, w)
	}
	if err != nil {
		s.end(err)
		return nil, fmt.Errorf("connect: %w", s.cause)
	}
	return s, nil
}

// greet says hello and waits for the welcome.
func (c *Client) greet(s *socket) (*contract.Welcome, error) {
	hello, err := marshal(c.hello())
	if err != nil {
		return nil, err
	}
	s.add(ws.OpText, hello)
	late := 2 * c.opts.connectTimeout // connect ends the socket before
	if err := s.flush(late); err != nil {
		return nil, err
	}
	for range maxGreeting {
		text, err := s.read(s.limits.MessageBytes, late, func([]byte) {})
		if err != nil {
			return nil, err
		}
		switch frameType(text) {
		case contract.TypeWelcome:
			var w contract.Welcome
			if err := json.Unmarshal(text, &w); err != nil {
				return nil, fmt.Errorf("welcome: %w", err)
			}
			return &w, nil
		case contract.TypeError:
			if err := c.onError(text); err != nil {
				return nil, err
			}
		}
	}
	return nil, errors.New("no welcome")
}

// hello is the first frame of a connection.
func (c *Client) hello() *contract.Hello {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused = nil
	h := &contract.Hello{
		Type: contract.TypeHello, Acked: c.outbox.acked,
		Client: contract.ClientInfo{Name: c.opts.name, Version: Version}, Trace: c.opts.traceparent(),
	}
	h.Resume, h.Next, h.Attempt = c.secrets.propose()
	for name, r := range c.rooms {
		if r.state == roomJoined && !r.leaving {
			if h.Rooms == nil {
				h.Rooms = make(map[string]contract.ResumeRoom)
			}
			h.Rooms[name] = contract.ResumeRoom{Peer: r.self.Peer.String(), Cursor: r.cursor}
		}
	}
	return h
}

// begin takes over what the welcome says.
func (c *Client) begin(s *socket, w *contract.Welcome) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secrets.confirm()
	if w.Resumed && w.Seq < c.outbox.acked {
		c.secrets = secrets{attempt: c.secrets.attempt}
		return errBadResume
	}
	if w.Limits.Validate() != nil {
		w.Limits = contract.DefaultLimits()
	}
	first := c.stats.Connects == 0
	c.welcome = *w
	c.stats.Connects++
	ping := time.Duration(w.PingInterval) * time.Millisecond
	if ping <= 0 || ping > maxPing {
		ping = defaultPing
	}
	s.limits = w.Limits
	s.began = time.Now()
	s.idle = 2*ping + ping/2 + 2*time.Second // two pings missed, and their delay
	s.pace = newPace(w.Limits, s.began)
	if w.Resumed {
		c.stats.Resumes++
		c.stats.Resent += uint64(c.outbox.rewind(w.Seq, rand.Text()))
	} else {
		if !first {
			c.stats.Losses++
		}
		c.loseSession(w.Seq)
	}
	c.space.ring()
	c.welcomed.ring()
	c.wake()
	c.log.Info("connected", "edge", w.Edge, "session", w.Session, "resumed", w.Resumed)
	return nil
}

// loseSession reports the frames of the old session and joins its rooms again;
// c.mu is held.
func (c *Client) loseSession(seq uint64) {
	for _, f := range c.outbox.abandon(seq) {
		switch {
		case f.kind == contract.TypeJoin:
			f.finish(errSessionLost)
		case f.seq == 0:
			f.finish(ErrNotSent)
		default:
			f.finish(ErrUnknownOutcome)
		}
	}
	for _, r := range c.rooms {
		r.loseSession()
	}
}

// run serves connections, one after the other, until the session is over.
func (c *Client) run(s *socket) {
	defer close(c.done)
	for s != nil {
		successor, cause := c.serve(s)
		if time.Since(s.began) >= stableAfter {
			c.failures = 0
		}
		old := s
		s = c.succeed(successor, cause)
		old.end(errGoaway)
	}
}

// succeed makes the connection after one that is over: by the socket that was
// opened meanwhile, if there is one. It returns nil if there must be none.
func (c *Client) succeed(successor *socket, cause error) *socket {
	if successor == nil {
		return c.comeBack(cause)
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.opts.connectTimeout)
	defer cancel()
	s, err := c.introduce(ctx, successor)
	if err != nil {
		return c.comeBack(err)
	}
	return s
}

// comeBack makes the next connection; nil if there must be none.
func (c *Client) comeBack(cause error) *socket {
	for {
		if c.ctx.Err() != nil {
			return nil
		}
		if final := c.final(cause); final != nil {
			c.log.Warn("session is over", "cause", final)
			c.shutdown(final)
			return nil
		}
		var wait time.Duration
		if c.rest(cause) {
			c.failures = 0
		} else {
			wait = c.backOff()
		}
		c.log.Info("connection is down", "cause", cause, "wait", wait)
		if !sleep(c.ctx, wait) {
			return nil
		}
		s, err := c.connect(c.ctx)
		if err == nil {
			return s
		}
		cause = err
	}
}

// final tells the causes after which a client must not come back.
func (c *Client) final(cause error) error {
	var closed *closeError
	if !errors.As(cause, &closed) || closed.code == codeNoStatus || closed.code.ComeBack() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return &ClosedError{Code: closed.code, Reason: closed.reason, Cause: c.refused}
}

// rest waits, after the edge closed a connection that was in no room, until
// there is something to come back for. It reports whether it was so.
func (c *Client) rest(cause error) bool {
	var closed *closeError
	if !errors.As(cause, &closed) || closed.code != contract.CloseTooLate || !c.idle() {
		return false
	}
	c.log.Info("resting until the next join")
	for c.idle() {
		select {
		case <-c.kick:
		case <-c.ctx.Done():
			return true
		}
	}
	return true
}

func (c *Client) idle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.rooms) == 0 && len(c.outbox.frames) == 0 && c.closed == nil
}
