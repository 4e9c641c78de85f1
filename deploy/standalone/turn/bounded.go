package turn

import (
	"errors"
	"net"
	"sync"
	"time"
)

// idleTimeout ends a TCP connection over which nothing comes for longer than an
// allocation lives without a refresh (RFC 8656 section 3.2).
const idleTimeout = 11 * time.Minute

// bounded is a listener with at most so many connections at once: others are
// closed as they come. Its own end is theirs, too.
type bounded struct {
	net.Listener
	most int

	mu     sync.Mutex
	closed bool
	open   map[*counted]bool
}

func newBounded(l net.Listener, most int) *bounded {
	return &bounded{Listener: l, most: most, open: map[*counted]bool{}}
}

// Accept returns the next connection that there is room for.
func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if c := b.admit(conn); c != nil {
			return c, nil
		}
		_ = conn.Close() // there are too many, or it is the end
	}
}

func (b *bounded) admit(conn net.Conn) *counted {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || len(b.open) >= b.most {
		return nil
	}
	c := &counted{Conn: conn, of: b}
	b.open[c] = true
	return c
}

// Close closes the listener and every connection.
func (b *bounded) Close() error {
	b.mu.Lock()
	b.closed = true
	all := b.open
	b.open = nil
	b.mu.Unlock()
	faults := []error{b.Listener.Close()}
	for c := range all {
		faults = append(faults, c.Conn.Close())
	}
	return errors.Join(faults...)
}

// counted is a connection of a bounded listener.
type counted struct {
	net.Conn
	of *bounded
}

// Read fails when nothing came for idleTimeout.
func (c *counted) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(idleTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Close gives the place back.
func (c *counted) Close() error {
	c.of.mu.Lock()
	delete(c.of.open, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
