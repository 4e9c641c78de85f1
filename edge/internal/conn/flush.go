package conn

import (
	"io"
	"time"
)

// promise reports whether the caller must Flush: nobody else writes or will
// write what is queued. mu must be held.
func (c *Conn) promise() bool {
	if c.flushing || c.promised {
		return false
	}
	c.promised = true
	return true
}

// Flush writes what is queued. It doesn't wait for the peer: what a direct
// socket doesn't take at once, and all for another one, is left to a goroutine.
func (c *Conn) Flush() {
	c.mu.Lock()
	c.promised = false
	now := c.direct != nil && c.state == open && !c.flushing && c.out != nil
	if !now {
		c.flush()
		c.mu.Unlock()
		return
	}
	c.flushing = true
	c.mu.Unlock()
	for {
		o, last := c.take()
		if o == nil {
			return
		}
		if last || !c.push(o) {
			c.leave(o, last)
			return
		}
		c.written(o)
	}
}

// flush starts the flusher unless somebody writes already, or will. mu must be
// held.
func (c *Conn) flush() {
	if c.flushing || c.promised || c.out == nil || c.state == shut {
		return
	}
	c.flushing = true
	c.wg.Add(1)
	go c.runFlusher(nil, false)
}

// leave gives what is left of an outbox to a flusher.
func (c *Conn) leave(o *outbox, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == shut { // whoever shut it may not wait for us
		c.flushing = false
		return
	}
	c.wg.Add(1)
	go c.runFlusher(o, last)
}

// runFlusher writes until nothing waits, o first; after the close frame it ends
// the connection.
func (c *Conn) runFlusher(o *outbox, last bool) {
	defer c.wg.Done()
	for {
		if o == nil {
			o, last = c.take()
		}
		if o == nil {
			return
		}
		if !c.push(o) {
			if err := c.writeWaiting(o); err != nil {
				c.shutNow(CloseError{Code: closeAbnormal, Err: err})
				return
			}
		}
		c.written(o)
		if last {
			c.awaitPeerClose()
			return
		}
		o = nil
	}
}

// take returns what must be written now, or nil if there is nothing and who
// writes must end. last: the close frame is in it.
func (c *Conn) take() (o *outbox, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out == nil || c.state == shut {
		c.flushing = false
		return nil, false
	}
	o, c.out = c.out, nil
	o.takeTail()
	return o, c.state == closing
}

// push writes what a direct socket takes without waiting, and reports whether
// that was all. What fails is left to the write that waits, and fails there.
func (c *Conn) push(o *outbox) bool {
	if c.direct == nil {
		return false
	}
	n, _ := c.direct.TryWrite(o.data[o.done:])
	o.done += n
	return o.done == len(o.data)
}

// writeWaiting writes the rest of an outbox, at most for WriteTimeout.
func (c *Conn) writeWaiting(o *outbox) error {
	c.mu.Lock()
	c.writing = time.Now()
	c.setWriteDeadline(c.writing.Add(c.o.WriteTimeout))
	c.mu.Unlock()
	_, err := c.nc.Write(o.data[o.done:])
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = time.Time{}
	if c.direct != nil {
		c.setWriteDeadline(time.Time{}) // no push may meet this one
	}
	return err
}

// setWriteDeadline does so unless the end of the connection has set its own. mu
// must be held.
func (c *Conn) setWriteDeadline(t time.Time) {
	if c.state == open {
		_ = c.nc.SetWriteDeadline(t) // fails only on a closed socket
	}
}

// written gives back the room that o took.
func (c *Conn) written(o *outbox) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frames -= o.frames
	c.bytes -= o.bytes
	c.paced -= o.paced
	c.wake()
	o.release()
}

// awaitPeerClose gives the peer peerCloseTimeout to read our close frame and to
// answer it, then closes the socket. A Read that is under way does it in its
// stead.
func (c *Conn) awaitPeerClose() {
	c.mu.Lock()
	_ = c.nc.SetReadDeadline(time.Now().Add(peerCloseTimeout)) // fails only on a closed socket
	c.ender = flusher
	if c.reading {
		c.ender = reader
	}
	mine := c.ender == flusher
	c.mu.Unlock()
	if mine {
		c.finish()
	}
}

// finish closes the socket once the peer has nothing more to say: to close one
// with unread data in it resets the connection, and the peer may lose our close
// frame (RFC 6455 section 7.1.1). What still comes may be no frames at all, so
// it is only read past, and the end of our stream tells the peer to end its own.
func (c *Conn) finish() {
	c.mu.Lock()
	over := c.peerClosed
	c.mu.Unlock()
	half, can := c.nc.(interface{ CloseWrite() error })
	if can {
		_ = half.CloseWrite() // it has the write deadline
	}
	if can || !over {
		_, _ = io.Copy(io.Discard, c.nc) // it has the read deadline
	}
	c.shutNow(CloseError{})
}
