//go:build linux

package driver

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// readBytes is the most that one read takes.
const readBytes = 256 << 10

// wakes is the number of events taken at once.
const wakes = 512

// conn is one connection. All of it belongs to the loop's goroutine.
type conn struct {
	fd     int
	index  int
	in     []byte // the beginning of a frame
	out    []byte // what the socket didn't take yet
	closed bool
}

// loop reads and writes connections on the goroutine that calls step.
type loop struct {
	epoll, timer int
	conns        []*conn
	events       []unix.EpollEvent
	buffer       []byte
	receive      func(c *conn, payload []byte) // one text
	lost         func(c *conn, why error)      // the connection is closed
}

// stepTimeout is how often the caller of step gets to look at its context.
const stepTimeout = 50 * time.Millisecond

// timerToken stands for the timer among the events.
const timerToken = -1

func newLoop() (*loop, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		_ = unix.Close(epoll) // nothing is in it
		return nil, fmt.Errorf("timer: %w", err)
	}
	l := &loop{epoll: epoll, timer: timer, events: make([]unix.EpollEvent, wakes), buffer: make([]byte, readBytes)}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: timerToken}
	if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, timer, &event); err != nil {
		return nil, errors.Join(fmt.Errorf("timer: %w", err), l.close())
	}
	return l, nil
}

// tick makes step return at each interval; 0: never again.
func (l *loop) tick(interval time.Duration) error {
	spec := unix.ItimerSpec{
		Interval: unix.NsecToTimespec(interval.Nanoseconds()), Value: unix.NsecToTimespec(interval.Nanoseconds()),
	}
	if err := unix.TimerfdSettime(l.timer, 0, &spec, nil); err != nil {
		return fmt.Errorf("timer: %w", err)
	}
	return nil
}

// add takes a connected socket.
func (l *loop) add(fd, index int) (*conn, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	c := &conn{fd: fd, index: index}
	event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(index)}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	l.conns = append(l.conns, c)
	return c, nil
}

// step waits for something to read or for the timer, at most stepTimeout, and
// reads all there is.
func (l *loop) step() error {
	n, err := wait(l.epoll, l.events)
	if errors.Is(err, unix.EINTR) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, event := range l.events[:n] {
		if event.Fd == timerToken {
			_, _ = read(l.timer, l.buffer[:8]) // which sets the timer again; how often it ran out is of no use
			continue
		}
		c := l.conns[event.Fd]
		if event.Events&unix.EPOLLOUT != 0 {
			l.flush(c)
		}
		if event.Events&^unix.EPOLLOUT != 0 {
			l.read(c)
		}
	}
	return nil
}

func (l *loop) read(c *conn) {
	if c.closed {
		return
	}
	n, err := read(c.fd, l.buffer)
	switch {
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR):
		return
	case err != nil:
		l.drop(c, err)
		return
	case n == 0:
		l.drop(c, errors.New("the server ended it"))
		return
	}
	l.take(c, l.buffer[:n])
}

// take handles all whole frames among the bytes that came.
func (l *loop) take(c *conn, data []byte) {
	if len(c.in) > 0 {
		c.in = append(c.in, data...)
		data = c.in
	}
	for !c.closed {
		op, payload, size, err := cutFrame(data)
		if err != nil {
			l.drop(c, err)
			return
		}
		if size == 0 {
			break
		}
		data = data[size:]
		l.frame(c, op, payload)
	}
	c.in = append(c.in[:0], data...)
	if len(c.in) == 0 {
		c.in = nil // most connections hold nothing
	}
}

// send writes bytes, or keeps what the socket doesn't take.
func (l *loop) send(c *conn, data []byte) {
	if c.closed {
		return
	}
	if len(c.out) > 0 {
		c.out = append(c.out, data...)
		return
	}
	n, err := write(c.fd, data)
	if err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
		l.drop(c, err)
		return
	}
	if n == len(data) {
		return
	}
	c.out = append(c.out, data[n:]...)
	l.watch(c, unix.EPOLLIN|unix.EPOLLOUT)
}

func (l *loop) flush(c *conn) {
	if c.closed || len(c.out) == 0 {
		return
	}
	n, err := write(c.fd, c.out)
	if err != nil && !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
		l.drop(c, err)
		return
	}
	c.out = append(c.out[:0], c.out[n:]...)
	if len(c.out) == 0 {
		c.out = nil
		l.watch(c, unix.EPOLLIN)
	}
}

func (l *loop) watch(c *conn, events uint32) {
	event := unix.EpollEvent{Events: events, Fd: int32(c.index)}
	if err := unix.EpollCtl(l.epoll, unix.EPOLL_CTL_MOD, c.fd, &event); err != nil {
		l.drop(c, err)
	}
}

// drop closes a connection and tells why.
func (l *loop) drop(c *conn, why error) {
	if c.closed {
		return
	}
	l.shut(c)
	l.lost(c, why)
}

// shut closes a connection by a reset, which leaves no trace in the kernel.
func (l *loop) shut(c *conn) {
	c.closed = true
	_ = unix.SetsockoptLinger(c.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // a slower end is no fault
	_ = unix.Close(c.fd)                                                                     // which takes it out of the epoll set
}

// close closes everything.
func (l *loop) close() error {
	for _, c := range l.conns {
		if c != nil && !c.closed {
			l.shut(c)
		}
	}
	return errors.Join(unix.Close(l.timer), unix.Close(l.epoll))
}
