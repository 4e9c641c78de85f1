package client

import (
	"context"
	"math/rand/v2"
	"time"
)

// maxGoaway bounds how long a client stays after it was asked to go.
const maxGoaway = time.Hour

// move takes a session away from an edge that is going to stop. The connection
// there is used until a socket is open elsewhere, and closed when that one is
// welcomed: nobody sees its members away, and a place that can't be reached
// costs nothing.
type move struct {
	cancel    context.CancelFunc
	done      chan struct{}
	successor *socket // static when done is closed; nil: none was opened
}

// beginMove begins to look for another place, at a random moment within after,
// so that an edge's clients don't come to the next one all at once. Only the
// reader calls it.
func (c *Client) beginMove(s *socket, after time.Duration) {
	if s.move != nil {
		return
	}
	ctx, cancel := context.WithCancel(c.ctx)
	m := &move{cancel: cancel, done: make(chan struct{})}
	s.move = m
	wait := time.Duration(rand.Float64() * float64(min(max(0, after), maxGoaway)))
	go func() {
		defer close(m.done)
		if time.Since(s.began) < stableAfter {
			wait += c.backOff() // an edge that sends everyone away at once
		}
		if m.successor = c.openElsewhere(ctx, wait); m.successor != nil {
			s.leave()
		}
	}()
}

// openElsewhere opens a socket after wait; it tries until ctx ends.
func (c *Client) openElsewhere(ctx context.Context, wait time.Duration) *socket {
	for sleep(ctx, wait) {
		attempt, cancel := context.WithTimeout(ctx, c.opts.connectTimeout)
		s, err := c.open(attempt)
		cancel()
		if err == nil {
			return s
		}
		wait = c.backOff()
		c.log.InfoContext(ctx, "no other place yet", "cause", err, "wait", wait)
	}
	return nil
}

// endMove ends the search for another place and returns the socket that it
// found, if it still matters after cause ended the connection.
func (c *Client) endMove(s *socket, cause error) *socket {
	if s.move == nil {
		return nil
	}
	s.move.cancel()
	<-s.move.done
	next := s.move.successor
	if next == nil || c.ctx.Err() == nil && c.final(cause) == nil {
		return next
	}
	next.end(cause)
	return nil
}
