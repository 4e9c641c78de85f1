package lan

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
)

// recordHandshake is the first byte of a TLS connection (RFC 8446 section 5.1);
// no HTTP request begins with it.
const recordHandshake = 0x16

// maxRedirected is how much of a plain request is read to answer it, in bytes.
const maxRedirected = 8 << 10

// NewListener serves https on a listener and, from this machine, http too.
// Others who come with http are sent to https and don't get further. Each
// connection decides that with its first byte, on the goroutine that reads it.
func NewListener(l net.Listener, cert tls.Certificate) net.Listener {
	return &listener{l, &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"}, // a WebSocket handshake needs it
	}}
}

type listener struct {
	net.Listener
	config *tls.Config
}

// Accept returns the next connection.
func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, config: l.config}, nil
}

// conn is a connection that becomes a plain or a TLS one when it is first read.
type conn struct {
	net.Conn // the bare one; deadlines are its
	config   *tls.Config
	first    sync.Once
	chosen   atomic.Pointer[net.Conn]
	err      error // of choosing
}

// Read waits for the first byte, if it hasn't come, and reads.
func (c *conn) Read(p []byte) (int, error) {
	c.first.Do(func() {
		var chosen net.Conn
		if chosen, c.err = c.choose(); c.err == nil {
			c.chosen.Store(&chosen)
		}
	})
	if c.err != nil {
		return 0, c.err
	}
	return (*c.chosen.Load()).Read(p)
}

// Write fails until something was read: who connects to a web server speaks
// first.
func (c *conn) Write(p []byte) (int, error) {
	chosen := c.chosen.Load()
	if chosen == nil {
		return 0, net.ErrClosed
	}
	return (*chosen).Write(p)
}

// Close ends a TLS connection as TLS wants it (RFC 8446 section 6.1).
func (c *conn) Close() error {
	if chosen := c.chosen.Load(); chosen != nil {
		return (*chosen).Close()
	}
	return c.Conn.Close()
}

func (c *conn) choose() (net.Conn, error) {
	var first [1]byte
	if _, err := io.ReadFull(c.Conn, first[:]); err != nil {
		return nil, err
	}
	whole := &unread{Conn: c.Conn, first: first[:]}
	if first[0] == recordHandshake {
		return tls.Server(whole, c.config), nil
	}
	if isLocal(c.RemoteAddr()) {
		return whole, nil
	}
	redirect(whole)
	return nil, io.EOF
}

// unread is a connection whose first bytes were looked at.
type unread struct {
	net.Conn
	first []byte
}

func (u *unread) Read(p []byte) (int, error) {
	if len(u.first) == 0 {
		return u.Conn.Read(p)
	}
	n := copy(p, u.first)
	u.first = u.first[n:]
	return n, nil
}

// isLocal reports whether a connection comes from this machine. One that it made
// to its own address in the network counts as from there.
func isLocal(a net.Addr) bool {
	from, err := netip.ParseAddrPort(a.String())
	return err == nil && from.Addr().Unmap().IsLoopback()
}

// redirect answers one plain request with where https is: the same host, which
// is the one that the client reached.
func redirect(c net.Conn) {
	r, err := http.ReadRequest(bufio.NewReader(io.LimitReader(c, maxRedirected)))
	if err != nil || r.Host == "" {
		return // it isn't HTTP, and there is nobody to tell
	}
	to := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	_, _ = fmt.Fprintf(c, "HTTP/1.1 308 Permanent Redirect\r\nLocation: %s\r\nCache-Control: no-store\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", to.String())
}
