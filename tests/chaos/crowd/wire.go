//go:build linux

package crowd

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/parley-rtc/parley/tests/chaos/schedule"
)

// linger is how long a socket stays open after a silent cut.
const linger = 30 * time.Second

var errUnplugged = errors.New("unplugged")

// wire is the network of one client.
type wire struct {
	now func() time.Duration

	mu        sync.Mutex
	conn      net.Conn
	unplugged bool          // for good
	cutNext   bool          // as soon as the client is back
	retry     time.Duration // of the first attempt since the connection was lost; 0: none
}

// dial is the client's dialer.
func (w *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	if w.retry == 0 {
		w.retry = w.now()
	}
	unplugged := w.unplugged
	w.mu.Unlock()
	if unplugged {
		return nil, errUnplugged
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = &cable{Conn: conn}
	return w.conn, nil
}

// cable is a connection that can be cut in several ways.
type cable struct {
	net.Conn

	mu     sync.Mutex
	silent bool
}

// Close closes it; after a silent cut that comes later.
func (c *cable) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent {
		return nil
	}
	return c.Conn.Close()
}

// SetDeadline keeps the past deadline of a silent cut.
func (c *cable) SetDeadline(t time.Time) error { return c.limit(c.Conn.SetDeadline, t) }

// SetReadDeadline is as SetDeadline.
func (c *cable) SetReadDeadline(t time.Time) error { return c.limit(c.Conn.SetReadDeadline, t) }

// SetWriteDeadline is as SetDeadline.
func (c *cable) SetWriteDeadline(t time.Time) error { return c.limit(c.Conn.SetWriteDeadline, t) }

func (c *cable) limit(set func(time.Time) error, t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent {
		return net.ErrClosed
	}
	return set(t)
}

// silence ends all reads and writes, and leaves the socket open for a while.
func (c *cable) silence() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.silent {
		return
	}
	c.silent = true
	_ = c.Conn.SetDeadline(time.Unix(1, 0)) // it fails if it is closed, which is as good
	time.AfterFunc(linger, func() { _ = c.Conn.Close() })
}

func (c *cable) cut(how schedule.Cut) {
	switch how {
	case schedule.Reset:
		if tcp, ok := c.Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // the close below counts
		}
		_ = c.Close()
	case schedule.Silent:
		c.silence()
	case schedule.Close:
		_ = c.Close()
	}
}

// cut cuts the socket.
func (w *wire) cut(how schedule.Cut) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.conn.(*cable); ok {
		c.cut(how)
	}
}

// unplug cuts the socket and lets no other one come.
func (w *wire) unplug() {
	w.mu.Lock()
	w.unplugged = true
	w.mu.Unlock()
	w.cut(schedule.Close)
}

// moveOn cuts the socket as soon as the client is back.
func (w *wire) moveOn() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cutNext = true
}

// back notes that the client has its session, or a new one. It returns when it
// first tried, and whether it must move on.
func (w *wire) back() (retry time.Duration, moveOn bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	retry, moveOn = w.retry, w.cutNext
	w.retry, w.cutNext = 0, false
	return retry, moveOn
}

// firstTry is when the client first tried to come back.
func (w *wire) firstTry() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.retry
}
