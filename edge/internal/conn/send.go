package conn

import (
	"context"
	"time"

	"github.com/gobwas/ws"
)

// peerCloseTimeout is how long the peer may take for its own close after ours.
const peerCloseTimeout = 500 * time.Millisecond

// defaultSlowAfter is Options.SlowAfter if it is 0.
const defaultSlowAfter = 50 * time.Millisecond

// burst is by how many times the limits of Send may be passed while no write is
// stuck.
const burst = 8

// Send queues a copy of text as one message. It never waits: it returns ErrSlow
// when OutboundFrames or OutboundBytes would be passed while the peer doesn't
// read, or passed many times over; or ErrClosed.
func (c *Conn) Send(text []byte) error { return c.send(ws.OpText, text) }

// send queues a frame that counts: also pongs do, so that a peer that only
// pings can't fill the memory.
func (c *Conn) send(op ws.OpCode, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.queue(op, payload); err != nil {
		return err
	}
	c.flush()
	return nil
}

// Queue is Send for who has more to send, to this connection or to others: it
// doesn't write. The caller must Flush soon if flush is true.
func (c *Conn) Queue(text []byte) (flush bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.queue(ws.OpText, text); err != nil {
		return false, err
	}
	return c.promise(), nil
}

// queue puts a frame that counts into the outbox. mu must be held.
func (c *Conn) queue(op ws.OpCode, payload []byte) error {
	if c.state != open {
		return ErrClosed
	}
	if c.over(len(payload), 1) && (c.stuck() || c.over(len(payload), burst)) {
		return ErrSlow
	}
	o := c.outbox()
	o.frame(op, payload)
	o.frames++
	o.bytes += len(payload)
	c.frames++
	c.bytes += len(payload)
	return nil
}

// over reports whether so many times the limits would be passed. mu must be held.
func (c *Conn) over(more, times int) bool {
	return c.frames+1 > times*c.o.OutboundFrames || c.bytes+more > times*c.o.OutboundBytes
}

// stuck reports whether a write waits for the peer. mu must be held.
func (c *Conn) stuck() bool { return !c.writing.IsZero() && time.Since(c.writing) >= c.o.SlowAfter }

// SendPaced queues a copy of text when there is room for it, and waits until
// then. What it queues doesn't count against the limits of Send. It is for
// replays, and for a first frame that may be longer than all limits. It returns
// ErrClosed or the context's error.
func (c *Conn) SendPaced(ctx context.Context, text []byte) error {
	for {
		room, err := c.trySendPaced(text)
		if room == nil {
			return err
		}
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// SendExempt queues a copy of text whatever waits already, and counts like
// SendPaced. It is for who can't wait and sends a bounded amount: one roster.
func (c *Conn) SendExempt(text []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return ErrClosed
	}
	c.queuePaced(text)
	return nil
}

// trySendPaced returns what to wait for if there is no room. A text longer than
// the room that there can ever be goes when it is alone.
func (c *Conn) trySendPaced(text []byte) (room chan struct{}, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != open {
		return nil, ErrClosed
	}
	if c.paced > 0 && c.paced+len(text) > c.o.OutboundBytes {
		if c.room == nil {
			c.room = make(chan struct{})
		}
		return c.room, nil
	}
	c.queuePaced(text)
	return nil, nil
}

// queuePaced queues a text that doesn't count against the limits of Send. mu
// must be held.
func (c *Conn) queuePaced(text []byte) {
	o := c.outbox()
	o.frame(ws.OpText, text)
	o.paced += len(text)
	c.paced += len(text)
	c.flush()
}

// SetTail replaces the tail: one text that goes out with the next write, after
// everything that is queued by then. It counts against no limit, and only
// ErrClosed refuses it. It is for frames of which only the last matters.
func (c *Conn) SetTail(text []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.setTail(text); err != nil {
		return err
	}
	c.flush()
	return nil
}

// QueueTail is to SetTail what Queue is to Send.
func (c *Conn) QueueTail(text []byte) (flush bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.setTail(text); err != nil {
		return false, err
	}
	return c.promise(), nil
}

func (c *Conn) setTail(text []byte) error {
	if c.state != open {
		return ErrClosed
	}
	o := c.outbox()
	o.tail, o.hasTail = append(o.tail[:0], text...), true
	return nil
}

// outbox is where frames go. mu must be held.
func (c *Conn) outbox() *outbox {
	if c.out == nil {
		c.out = newOutbox()
	}
	return c.out
}
