package upgrade

import (
	"bufio"
	"net"
	"net/http"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

// Upgrade makes a connection out of the request. On refusal, or if that fails,
// it has answered the request, as far as that was possible. The connection has
// no deadlines, and its first reads return what the client sent right behind
// its handshake.
func (d *Door) Upgrade(w http.ResponseWriter, r *http.Request) (net.Conn, *contract.Error) {
	if fault := d.check(r, true); fault != nil {
		fault.write(w)
		return nil, fault.err
	}
	upgrader := ws.HTTPUpgrader{
		Timeout:  handshakeTimeout,
		Protocol: func(offered string) bool { return offered == d.Subprotocol },
	}
	nc, rw, _, err := upgrader.Upgrade(r, w)
	if err != nil {
		if nc != nil {
			_ = nc.Close() // there is nothing to save
		}
		return nil, contract.Errorf(contract.CodeInternal, "the connection ended during its handshake")
	}
	if d.Adopt != nil {
		nc = d.Adopt(nc)
	}
	return withBuffered(nc, rw.Reader), nil
}

// CheckHandler answers GET /v1/check: {"ok":true}, or with its status the error
// frame that a connection would get. Browsers hide the answer to a failed
// handshake from pages; this one every page may read.
func (d *Door) CheckHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		if fault := d.check(r, r.Header.Get("Upgrade") != ""); fault != nil {
			fault.write(w)
			return
		}
		writeJSON(w, http.StatusOK, struct {
			OK bool `json:"ok"`
		}{true})
	})
}

// buffered is a connection whose first bytes the HTTP server has read already.
type buffered struct {
	net.Conn
	rest []byte // owned by the reader
}

func withBuffered(nc net.Conn, r *bufio.Reader) net.Conn {
	n := r.Buffered()
	if n == 0 {
		return nc
	}
	rest := make([]byte, n)
	copied, _ := r.Read(rest) // what is buffered comes in one piece, without an error
	return &buffered{Conn: nc, rest: rest[:copied]}
}

// Read implements net.Conn.
func (b *buffered) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		return b.Conn.Read(p)
	}
	n := copy(p, b.rest)
	if b.rest = b.rest[n:]; len(b.rest) == 0 {
		b.rest = nil
	}
	return n, nil
}

// CloseWrite ends the stream to the client, if the connection can do that.
func (b *buffered) CloseWrite() error {
	if half, ok := b.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
