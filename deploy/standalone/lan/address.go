package lan

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// ErrNoNetwork says that the machine is in no network.
var ErrNoNetwork = errors.New("this machine has no address in a network")

// Addresses returns the addresses of this machine that others can reach, the one
// first that it would use itself.
func Addresses() ([]netip.Addr, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("addresses of this machine: %w", err)
	}
	return usable(all, outgoing())
}

// usable picks the addresses that others can reach; first stands first if it is
// one of them, and IPv4, which every network has, before IPv6.
func usable(all []net.Addr, first netip.Addr) ([]netip.Addr, error) {
	var found []netip.Addr
	for _, one := range all {
		prefix, err := netip.ParsePrefix(one.String())
		if err != nil {
			continue
		}
		if a := prefix.Addr().Unmap(); a.IsGlobalUnicast() {
			found = append(found, a)
		}
	}
	if len(found) == 0 {
		return nil, ErrNoNetwork
	}
	rank := func(a netip.Addr) int {
		switch {
		case a == first:
			return 0
		case a.Is4():
			return 1
		default:
			return 2
		}
	}
	slices.SortStableFunc(found, func(a, b netip.Addr) int { return rank(a) - rank(b) })
	return slices.Compact(found), nil
}

// outgoing is the address that packets to elsewhere leave from, or the zero
// address. Nothing is sent: connecting UDP only looks the route up, here of an
// address that is nobody's (RFC 5737).
func outgoing() netip.Addr {
	conn, err := net.Dial("udp4", "192.0.2.1:9") //nolint:noctx // does nothing that could wait
	if err != nil {
		return netip.Addr{}
	}
	defer conn.Close()
	local, ok := conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.Addr{}
	}
	return local.AddrPort().Addr().Unmap()
}

// Names returns the host names that others may know this machine by, in lower
// case: its own, and that in the local network (RFC 6762).
func Names() []string {
	name, err := os.Hostname()
	if err != nil || name == "" || strings.ContainsAny(name, " /:") {
		return nil
	}
	name = strings.ToLower(name)
	if strings.Contains(name, ".") {
		return []string{name}
	}
	return []string{name, name + ".local"}
}
