//go:build !linux

package poll

import "net"

// Poller does nothing here: there is no epoll.
type Poller struct{}

// Start returns a poller, which must be closed.
func Start(Options) (*Poller, error) { return &Poller{}, nil }

// Adopt gives the connection back.
func (p *Poller) Adopt(nc net.Conn) net.Conn { return nc }

// Close ends the poller.
func (p *Poller) Close() {}
