package turn

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"

	"github.com/pion/turn/v5"
)

// portTries is how many ports of the range are tried for one allocation.
const portTries = 32

// relays makes the sockets that relay.
type relays struct {
	host     string // to bind to
	public   netip.Addr
	min, max int // ports; 0: any
}

// Validate implements turn.RelayAddressGenerator.
func (r *relays) Validate() error { return nil }

// AllocatePacketConn makes a UDP socket and says how it is reached.
func (r *relays) AllocatePacketConn(ask turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	var err error
	for range portTries {
		port := ask.RequestedPort
		if port == 0 && r.min > 0 {
			port = r.min + rand.IntN(r.max-r.min+1)
		}
		var conn net.PacketConn
		if conn, err = net.ListenPacket(ask.Network, net.JoinHostPort(r.host, strconv.Itoa(port))); err != nil { //nolint:noctx // binds at once
			if ask.RequestedPort != 0 || r.min == 0 {
				break
			}
			continue
		}
		local, ok := conn.LocalAddr().(*net.UDPAddr)
		if !ok {
			return nil, nil, errors.Join(errors.New("relay: the socket isn't UDP"), conn.Close())
		}
		return conn, &net.UDPAddr{IP: r.public.AsSlice(), Port: local.Port}, nil
	}
	return nil, nil, fmt.Errorf("relay: no port is free: %w", err)
}

// errNoTCP refuses to relay TCP (RFC 6062): WebRTC never asks for it, and it
// would be a way to any server that the relay can reach.
var errNoTCP = errors.New("relay: TCP isn't relayed")

// AllocateListener implements turn.RelayAddressGenerator.
func (r *relays) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCP
}

// AllocateConn implements turn.RelayAddressGenerator.
func (r *relays) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errNoTCP }

// permits reports whether the relay may send to a peer: to nobody who is nearer
// to it than its own clients are, so that it is no way into its machine or its
// network.
func (r *relays) permits(_ net.Addr, peer net.IP) bool {
	address, ok := netip.AddrFromSlice(peer)
	far := reach(address.Unmap())
	return ok && far != reachNone && far >= reach(r.public)
}

// How far an address reaches.
const (
	reachNone    = iota // no one host: unspecified, multicast
	reachMachine        // its machine
	reachLink           // its link
	reachNetwork        // a private network
	reachAll
)

func reach(a netip.Addr) int {
	switch {
	case !a.IsValid() || a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return reachNone
	case a.IsLoopback():
		return reachMachine
	case a.IsLinkLocalUnicast():
		return reachLink
	case a.IsPrivate() || carrier.Contains(a):
		return reachNetwork
	default:
		return reachAll
	}
}

// carrier is shared by providers and their customers (RFC 6598).
var carrier = netip.MustParsePrefix("100.64.0.0/10")
