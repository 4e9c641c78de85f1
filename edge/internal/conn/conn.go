package conn

import (
	"net"
	"sync"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

// direct is a socket that also does without waiting what it can, as those of
// edge/internal/poll.
type direct interface {
	TryRead(b []byte) (int, error)  // what is there now; 0 without an error: nothing
	AwaitRead() error               // until TryRead may find something
	TryWrite(b []byte) (int, error) // what it takes now
}

// defaultWriteTimeout is Options.WriteTimeout if it is 0.
const defaultWriteTimeout = 10 * time.Second

// Options bound a connection.
type Options struct {
	MessageBytes   int           // one message, assembled from its fragments
	OutboundFrames int           // texts that may wait for the peer
	OutboundBytes  int           // bytes of texts that may wait for the peer
	WriteTimeout   time.Duration // one write, and all that a Close writes; 0: 10 s
	ReadTimeout    time.Duration // without a frame for so long, or up to deadlineSlack longer, the peer is dead; 0: for ever

	// SlowAfter is how long a write must wait for the peer before OutboundFrames
	// and OutboundBytes count; 0: 50 ms. A burst that comes before the flusher
	// had its turn isn't the peer's fault.
	SlowAfter time.Duration

	// Allow, if not nil, is asked by Read (on its goroutine) for each frame
	// that isn't a whole message: pings, pongs and fragments, with the frame's
	// length. Whole messages are for the caller to count. False closes the
	// connection with contract.CloseRate.
	Allow func(bytes int) bool
}

// Conn is one connection. All methods but Read may be called by any goroutine.
type Conn struct {
	// Static.
	nc     net.Conn
	direct direct // nc, or nil if it isn't one
	o      Options
	done   chan struct{} // closed with the socket
	wg     sync.WaitGroup

	// Owned by Read.
	in       *input
	pushed   time.Time // when the read deadline was set
	lent     int       // bytes of in that the caller of Read has borrowed
	message  []byte    // of fragments, or longer than in
	checked  int       // bytes of message that are known to be UTF-8
	fragment bool      // a message has begun and not ended
	ended    *CloseError

	mu sync.Mutex

	// Guarded by mu.
	state      state
	reading    bool          // Read is under way
	ender      ender         // who waits for the peer's close, to close the socket
	flushing   bool          // somebody writes
	promised   bool          // somebody will call Flush
	out        *outbox       // what waits; nil while nothing does
	writing    time.Time     // when the write under way began; zero while there is none
	frames     int           // texts of Send that are queued or being written
	bytes      int           // of these texts
	paced      int           // bytes of texts of SendPaced that are queued or being written
	room       chan struct{} // closed when some of them were written; nil while nobody waits
	peerClosed bool          // the peer's close frame came, or its end of the stream
	closed     CloseError    // how it ended: of the first Close, or of the socket's failure before
}

// state of a connection. It only rises.
type state byte

const (
	open    state = iota
	closing       // the close frame is queued, nothing comes behind it
	shut          // the socket is closed
)

// ender is who closes the socket after the close frame was written.
type ender byte

const (
	nobody  ender = iota // it isn't written yet
	reader               // Read, which was under way then
	flusher              // the flusher itself; Read must not touch the socket any more
)

// New takes over nc, whose WebSocket handshake is done and whose deadlines are
// clear. The caller must end the Conn by Close, or read until Read fails, and
// then Wait.
func New(nc net.Conn, o Options) *Conn {
	if o.WriteTimeout == 0 {
		o.WriteTimeout = defaultWriteTimeout
	}
	if o.SlowAfter == 0 {
		o.SlowAfter = defaultSlowAfter
	}
	c := &Conn{nc: nc, o: o, done: make(chan struct{})}
	c.direct, _ = nc.(direct)
	return c
}

// Done is closed when the socket is closed.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Wait returns when the socket is closed and no goroutine of the Conn is left.
func (c *Conn) Wait() {
	<-c.done
	c.wg.Wait()
}

// Close begins to end the connection and returns at once: what is queued goes
// out, then a close frame with code and reason (cut to 123 bytes), all within
// WriteTimeout; then the peer has 500 ms for its own close. Only the first
// Close counts.
func (c *Conn) Close(code contract.CloseCode, reason string) {
	c.close(CloseError{Code: code, Reason: reason})
}

// close queues the close frame as the last one.
func (c *Conn) close(why CloseError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peerClosed = c.peerClosed || why.Remote
	if c.state != open {
		return
	}
	c.state, c.closed = closing, why
	o := c.outbox()
	o.takeTail()
	o.frame(ws.OpClose, why.frame())
	// One deadline for all that is left to write, so that a dead peer ends
	// after it however much there is.
	_ = c.nc.SetWriteDeadline(time.Now().Add(c.o.WriteTimeout)) // fails only on a closed socket
	c.wake()
	c.promised = false // it has no time to wait for that
	c.flush()
}

// shutNow closes the socket; every way to end a connection ends here. why is
// how it ended, unless a Close has said so already.
func (c *Conn) shutNow(why CloseError) {
	c.mu.Lock()
	if c.state == shut {
		c.mu.Unlock()
		return
	}
	if c.state == open {
		c.closed = why
	}
	c.state = shut
	c.wake()
	c.mu.Unlock()
	_ = c.nc.Close() // under TLS it may wait, so nothing is locked; what it can't write was given up
	close(c.done)
}

// wake wakes everyone who waits for room. mu must be held.
func (c *Conn) wake() {
	if c.room != nil {
		close(c.room)
		c.room = nil
	}
}
