package client

import (
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

// batchBytes is about what one write to the socket carries when more waits.
const batchBytes = 32 << 10

// serve reads and writes one connection until it ends, and returns why. If the
// client moves, it returns the socket that it moves to instead, and the
// connection is given up but still open.
func (c *Client) serve(s *socket) (successor *socket, cause error) {
	quit, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(written)
		c.write(s, quit)
	}()
	c.announce()
	err := c.read(s)
	close(quit)
	_ = s.conn.SetWriteDeadline(time.Now().Add(farewellTime)) // a write that hangs must not hold us
	<-written
	if next := c.endMove(s, err); next != nil {
		return next, nil
	}
	s.farewell(err)
	s.end(err)
	return nil, s.cause
}

// announce tells the rooms that were resumed.
func (c *Client) announce() {
	c.mu.Lock()
	var resumed []*Room
	for _, r := range c.rooms {
		if c.welcome.Resumed && r.state == roomJoined {
			resumed = append(resumed, r)
		}
	}
	c.mu.Unlock()
	for _, r := range resumed {
		c.deliver(r, Resumed{}, 0)
	}
}

// read handles messages until the connection ends.
func (c *Client) read(s *socket) error {
	onPing := func(payload []byte) {
		c.mu.Lock()
		defer c.mu.Unlock()
		s.queue(ws.OpPong, payload)
		c.wake()
	}
	for {
		limit, idle := c.bounds(s)
		text, err := s.read(limit, idle, onPing)
		if err != nil {
			return err
		}
		if err := c.receive(s, text); err != nil {
			return err
		}
	}
}

// bounds are those of the next message: its bytes, and how long it may take.
func (c *Client) bounds(s *socket) (limit int, idle time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed != nil {
		return s.limits.MessageBytes, farewellTime
	}
	return s.limits.MessageBytes, s.idle
}

// write writes what waits until quit is closed or the connection ends.
func (c *Client) write(s *socket, quit <-chan struct{}) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		wait, bye := c.batch(s, time.Now())
		if s.out.Len() > 0 {
			if err := s.flush(writeTimeout); err != nil {
				s.end(err)
				return
			}
		}
		if bye {
			// The reader takes what still comes, so that no reset of the
			// connection overtakes the bye, but not for long.
			_ = s.conn.SetReadDeadline(time.Now().Add(farewellTime))
			return
		}
		if wait > 0 {
			timer.Reset(wait)
		}
		select {
		case <-quit:
			return
		case <-s.ended:
			return
		case <-c.kick:
		case <-timer.C:
		}
	}
}

// batch fills the socket's next write. It returns when to look again if nothing
// wakes the writer before (0: no time), and whether this is the last write.
func (c *Client) batch(s *socket, now time.Time) (wait time.Duration, bye bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range s.control {
		s.add(f.op, f.payload)
	}
	s.control = s.control[:0]
	if c.closed != nil {
		text, _ := marshal(contract.Bye{Type: contract.TypeBye})
		s.add(ws.OpText, text)
		s.add(ws.OpClose, closeBody(contract.CloseNormal, "bye"))
		return 0, true
	}
	for s.out.Len() < batchBytes {
		f := c.outbox.peek(s.limits.UnsettledCount, s.limits.UnsettledBytes)
		if f == nil {
			return 0, false
		}
		if pause := s.pace.take(now, 1+f.size()/s.limits.PartBytes, f.size()); pause > 0 {
			return pause, false
		}
		c.stats.Sent++
		text := c.outbox.take().text()
		for _, message := range splitParts(text, s.limits.PartBytes, contract.NewSessionID()) {
			s.add(ws.OpText, message)
		}
	}
	c.wake() // there may be more
	return 0, false
}
