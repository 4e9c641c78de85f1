package upgrade

import (
	"net"
	"net/http"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// handshakeTimeout bounds the writing of an answer to a handshake.
const handshakeTimeout = 5 * time.Second

// closedRetry is when a client may come again that was refused by an edge which
// starts or stops; it then meets another one.
const closedRetry = time.Second

// Door decides who may connect. Its fields must not change while it is used.
type Door struct {
	// Origins are the pages that may connect, as scheme://host or
	// scheme://host:port, or the single "*" for all. The origin that the door
	// itself is reached under is always allowed, and so are programs that send
	// no Origin. ValidOrigin checks an entry.
	Origins []string

	// Subprotocol must be among those that the client offers.
	Subprotocol string

	// Closed, if not nil, tells that no connection may begin now.
	Closed func() bool

	// Adopt, if not nil, is given each connection after its handshake, and
	// returns the one to use in its stead.
	Adopt func(net.Conn) net.Conn
}

// Check returns why the request may not become a connection, or nil. What only
// a WebSocket handshake has is checked if the request asks for an upgrade.
func (d *Door) Check(r *http.Request) *contract.Error {
	if fault := d.check(r, r.Header.Get("Upgrade") != ""); fault != nil {
		return fault.err
	}
	return nil
}

// check judges the request, as a handshake or as a question about one.
func (d *Door) check(r *http.Request, handshake bool) *refusal {
	if r.Method != http.MethodGet {
		return &refusal{
			err:    contract.Errorf(contract.CodeBadFrame, "the method must be GET"),
			status: http.StatusMethodNotAllowed,
			header: [2]string{"Allow", http.MethodGet},
		}
	}
	if r.ContentLength != 0 {
		return refuse(contract.CodeBadFrame, "the request has a body, send none")
	}
	if q := r.URL.Query(); q.Has("token") || q.Has("access_token") {
		return refuse(contract.CodeBadFrame, "a token stands in the URL, where logs keep it: send it in the join frame, and make a new one")
	}
	if !d.allows(r) {
		return refuse(contract.CodeForbidden, "pages of this origin may not connect: add it to the edge's origins as scheme://host:port")
	}
	if handshake {
		if fault := d.checkHandshake(r); fault != nil {
			return fault
		}
	}
	if d.Closed != nil && d.Closed() {
		err := contract.Errorf(contract.CodeUnavailable, "this edge takes no connections now: connect again, to another one")
		err.RetryAfter = closedRetry.Milliseconds()
		return &refusal{err: err}
	}
	return nil
}
