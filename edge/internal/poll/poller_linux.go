package poll

import (
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// harvestSize is how many sockets are taken from the kernel at once.
const harvestSize = 512

// interest is what a socket is watched for; edge-triggered, so that nothing has
// to be said to the kernel after this.
const interest = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET

// Poller waits for sockets.
//
// The sockets are in one epoll, and that is in another one, which Go's own
// poller waits for. The outer one hears of the inner one once and is then deaf
// until it is armed again: so a busy poller sleeps through a tick whatever
// happens on the sockets.
type Poller struct {
	// Static after construction.
	o     Options
	inner int
	outer *os.File
	raw   syscall.RawConn
	began time.Time
	done  chan struct{} // closed when run has ended

	// Owned by run.
	arm   unix.EpollEvent
	one   [1]unix.EpollEvent
	armed bool

	mu     sync.Mutex
	closed bool
	conns  map[int32]*Conn // by descriptor
}

// Start returns a poller, which must be closed after its connections.
func Start(o Options) (*Poller, error) {
	inner, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an epoll: %w", err)
	}
	p := &Poller{o: o, inner: inner, began: time.Now(), done: make(chan struct{}), conns: map[int32]*Conn{}}
	if err := p.nest(); err != nil {
		_ = unix.Close(inner)
		return nil, fmt.Errorf("make an epoll of an epoll: %w", err)
	}
	go p.run()
	return p, nil
}

// nest puts the inner epoll into an outer one that Go's poller knows.
func (p *Poller) nest() error {
	outer, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	if err = unix.SetNonblock(outer, true); err == nil { // or os.NewFile takes it for a file to block on
		err = unix.EpollCtl(outer, unix.EPOLL_CTL_ADD, p.inner, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT})
	}
	if err != nil {
		_ = unix.Close(outer)
		return err
	}
	p.outer = os.NewFile(uintptr(outer), "epoll")
	p.raw, err = p.outer.SyscallConn()
	return err
}

// Adopt takes over a TCP connection: the caller uses what it returns instead,
// and must close that. Any other connection comes back as it is.
func (p *Poller) Adopt(nc net.Conn) net.Conn {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nc
	}
	fd, err := duplicate(tcp)
	if err != nil {
		return nc
	}
	c := &Conn{p: p, fd: fd, local: nc.LocalAddr(), remote: nc.RemoteAddr()}
	c.readable.init()
	c.writable.init()
	if !p.add(c) {
		_ = unix.Close(fd)
		return nc
	}
	_ = nc.Close() // the socket lives on in fd
	return c
}

// duplicate is a descriptor of the same socket that Go's poller doesn't know.
func duplicate(tcp *net.TCPConn) (fd int, err error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	var failed error
	err = raw.Control(func(own uintptr) { fd, failed = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0) })
	if err == nil {
		err = failed
	}
	return fd, err
}

func (p *Poller) add(c *Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.conns[int32(c.fd)] = c
	if unix.EpollCtl(p.inner, unix.EPOLL_CTL_ADD, c.fd, &unix.EpollEvent{Events: interest, Fd: int32(c.fd)}) != nil {
		delete(p.conns, int32(c.fd))
		return false
	}
	return true
}

// forget is called before a connection's descriptor is closed.
func (p *Poller) forget(c *Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conns[int32(c.fd)] == c {
		delete(p.conns, int32(c.fd))
	}
}

// Close ends the poller. Its connections should be closed by then: whoever reads
// one would wait for ever.
func (p *Poller) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	_ = p.outer.Close()
	<-p.done
	_ = unix.Close(p.inner)
}

// run wakes readers and writers until the poller is closed.
func (p *Poller) run() {
	defer close(p.done)
	events := make([]unix.EpollEvent, harvestSize)
	pace, ask := pace{tick: p.o.Tick}, p.ask
	for p.await(ask) {
		for {
			n, err := harvest(p.inner, events)
			if err != nil {
				n = 0 // only a signal can interrupt it
			}
			p.wake(events[:n])
			if n == len(events) {
				continue
			}
			wait := pace.note(time.Since(p.began), n)
			if wait == 0 {
				break
			}
			time.Sleep(wait)
		}
	}
}

// await waits until a socket has something. False means that the poller is
// closed. ask is p.ask: bound once, it costs no memory each time.
func (p *Poller) await(ask func(uintptr) bool) bool {
	p.armed = false
	return p.raw.Read(ask) == nil
}

// ask arms the outer epoll if it is asked for the first time, and reports whether
// it has heard of the inner one.
func (p *Poller) ask(outer uintptr) bool {
	if !p.armed {
		p.armed = true
		p.arm = unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT}
		if unix.EpollCtl(int(outer), unix.EPOLL_CTL_MOD, p.inner, &p.arm) != nil {
			return true
		}
	}
	n, err := harvest(int(outer), p.one[:])
	return err == nil && n > 0
}

// batch counts the readers that were woken together and don't wait again yet.
// The last to leave gives it to the next tick.
type batch struct {
	left atomic.Int32
	end  func()
}

var batches = sync.Pool{New: func() any { return new(batch) }}

func (b *batch) leave() {
	if b.left.Add(-1) > 0 {
		return
	}
	if b.end != nil {
		b.end()
	}
	batches.Put(b)
}

// wake wakes who waits for a socket that has something.
func (p *Poller) wake(events []unix.EpollEvent) {
	if len(events) == 0 {
		return
	}
	b, ok := batches.Get().(*batch)
	if !ok {
		panic("poll: internal error: the pool holds something else")
	}
	b.end = p.o.End
	b.left.Store(1) // our own, until all are woken
	if p.o.Begin != nil {
		p.o.Begin()
	}
	p.mu.Lock()
	for i := range events {
		if c := p.conns[events[i].Fd]; c != nil {
			c.happened(events[i].Events, b)
		}
	}
	p.mu.Unlock()
	b.leave()
}
