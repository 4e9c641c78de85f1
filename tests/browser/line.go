package browser

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
)

// line is a tab's way to an edge, which can be cut.
type line struct {
	address string // for the tab
	edge    string // where it leads, as host:port

	mu     sync.Mutex
	conns  map[net.Conn]bool
	copies sync.WaitGroup
}

// newLine leads to an edge's WebSocket until the test ends.
func newLine(t testing.TB, edge string) *line {
	t.Helper()
	to, err := url.Parse(edge)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // binds at once
	if err != nil {
		t.Fatal(err)
	}
	l := &line{edge: to.Host, conns: map[net.Conn]bool{}}
	to.Host = listener.Addr().String()
	l.address = to.String()
	l.copies.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the test ends
			}
			l.copies.Go(func() { l.carry(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close() // no new ones
		l.cut()
		l.copies.Wait()
	})
	return l
}

// carry copies both ways until either end closes.
func (l *line) carry(tab net.Conn) {
	edge, err := net.Dial("tcp", l.edge) //nolint:noctx // an address of this machine, which answers at once
	if err != nil {
		_ = tab.Close() // as if the edge had refused it
		return
	}
	l.set(true, tab, edge)
	defer l.set(false, tab, edge)
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(tab, edge) // whatever ends it, both end
		closeBoth(tab, edge)
	})
	_, _ = io.Copy(edge, tab)
	closeBoth(tab, edge)
	back.Wait()
}

func closeBoth(a, b net.Conn) {
	_ = a.Close() // either may be closed already
	_ = b.Close()
}

func (l *line) set(open bool, conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range conns {
		if open {
			l.conns[conn] = true
		} else {
			delete(l.conns, conn)
		}
	}
}

// cut closes all that it carries, without a word.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		_ = conn.Close() // it may be closed already
	}
}
