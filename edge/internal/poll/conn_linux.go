package poll

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Conn is an adopted TCP connection. Like any net.Conn it may be used by several
// goroutines; one may read and one write at a time.
type Conn struct {
	// Static after construction.
	p             *Poller
	fd            int
	local, remote net.Addr

	readable, writable waiter
	ended              atomic.Bool // the peer's end, or a fault, was seen by the kernel

	reading sync.Mutex // held during a system call on fd, so that Close doesn't pull it away

	// Guarded by reading.
	drained bool // the last read took all that there was

	writing sync.Mutex // as reading
	closed  atomic.Bool
}

// happened takes note of what the kernel saw on the socket.
func (c *Conn) happened(events uint32, b *batch) {
	if events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		c.ended.Store(true)
	}
	if events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		c.readable.wake(b)
	}
	if events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		c.writable.wake(nil)
	}
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	for {
		if n, err := c.TryRead(b); n > 0 || err != nil {
			return n, err
		}
		if err := c.AwaitRead(); err != nil {
			return 0, err
		}
	}
}

// AwaitRead returns when something has happened since a TryRead found nothing.
// It is for who holds no buffer while it waits.
func (c *Conn) AwaitRead() error {
	if err := c.readable.wait(); err != nil {
		return c.fault("read", err)
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	c.drained = false
	return nil
}

// TryRead reads what the socket has now; 0 without an error is nothing. It
// doesn't ask the kernel if the last read has emptied the socket: then that tells
// when there is more.
func (c *Conn) TryRead(b []byte) (int, error) {
	if c.readable.late() {
		return 0, c.fault("read", os.ErrDeadlineExceeded)
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	switch {
	case c.closed.Load():
		return 0, c.fault("read", net.ErrClosed)
	case c.drained && !c.ended.Load():
		return 0, nil
	}
	n, err := read(c.fd, b)
	for errors.Is(err, unix.EINTR) {
		n, err = read(c.fd, b)
	}
	switch {
	case errors.Is(err, unix.EAGAIN):
		c.drained = true
		return 0, nil
	case err != nil:
		return 0, c.fault("read", os.NewSyscallError("read", err))
	case n == 0:
		return 0, io.EOF
	}
	c.drained = n < len(b)
	return n, nil
}

// Write implements net.Conn.
func (c *Conn) Write(b []byte) (int, error) {
	for done := 0; ; {
		n, err := c.TryWrite(b[done:])
		done += n
		switch {
		case err != nil:
			return done, err
		case done == len(b):
			return done, nil
		}
		if err := c.writable.wait(); err != nil {
			return done, c.fault("write", err)
		}
	}
}

// TryWrite writes what the socket takes now.
func (c *Conn) TryWrite(b []byte) (int, error) {
	if c.writable.late() {
		return 0, c.fault("write", os.ErrDeadlineExceeded)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	for done := 0; done < len(b); {
		if c.closed.Load() {
			return done, c.fault("write", net.ErrClosed)
		}
		n, err := write(c.fd, b[done:])
		switch {
		case err == nil:
			done += n
		case errors.Is(err, unix.EAGAIN):
			return done, nil
		case !errors.Is(err, unix.EINTR):
			return done, c.fault("write", os.NewSyscallError("write", err))
		}
	}
	return len(b), nil
}

// CloseWrite ends the stream to the peer.
func (c *Conn) CloseWrite() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.closed.Load() {
		return c.fault("close", net.ErrClosed)
	}
	if err := unix.Shutdown(c.fd, unix.SHUT_WR); err != nil {
		return c.fault("close", os.NewSyscallError("shutdown", err))
	}
	return nil
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return c.fault("close", net.ErrClosed)
	}
	c.p.forget(c)
	c.readable.close()
	c.writable.close()
	c.reading.Lock()
	defer c.reading.Unlock()
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := unix.Close(c.fd); err != nil {
		return c.fault("close", os.NewSyscallError("close", err))
	}
	return nil
}

// LocalAddr implements net.Conn.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.deadline(&c.readable, t) }

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.deadline(&c.writable, t) }

func (c *Conn) deadline(w *waiter, t time.Time) error {
	if c.closed.Load() {
		return c.fault("set", net.ErrClosed)
	}
	w.setDeadline(t)
	return nil
}

// SyscallConn lets nobody at the descriptor.
func (c *Conn) SyscallConn() (syscall.RawConn, error) { return nil, errors.ErrUnsupported }

func (c *Conn) fault(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}
