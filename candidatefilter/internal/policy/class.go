package policy

import (
	"net/netip"

	"github.com/parley-rtc/parley/services/contract"
)

// Class is the part of the address space that an address belongs to.
type Class uint8

// The classes. Only Global is globally reachable in the sense of RFC 8190.
const (
	Global Class = iota
	Private
	Loopback
	LinkLocal
	Multicast
	Broadcast
	Unspecified
	Reserved
)

var classRules = [...]contract.Rule{
	Global:      "",
	Private:     contract.RulePrivateAddress,
	Loopback:    contract.RuleLoopback,
	LinkLocal:   contract.RuleLinkLocal,
	Multicast:   contract.RuleMulticast,
	Broadcast:   contract.RuleBroadcast,
	Unspecified: contract.RuleUnspecified,
	Reserved:    contract.RuleReservedAddress,
}

// Rule returns the rule by which an address of the class is refused; none for
// Global.
func (c Class) Rule() contract.Rule { return classRules[c] }

// Unicast reports whether a host can have an address of the class at all.
func (c Class) Unicast() bool { return c != Multicast && c != Broadcast && c != Unspecified }

// Classify returns the class of an address. An IPv6 address that carries an
// IPv4 one is what that one is, or Reserved where the form has no place on the
// public Internet; so no detour makes a private address look public. An address
// with a zone, and the zero Addr, are Reserved.
func Classify(ip netip.Addr) Class {
	switch {
	case !ip.IsValid() || ip.Zone() != "":
		return Reserved
	case ip.Is4():
		return lookup(special4[:], ip)
	case ip == netip.IPv6Unspecified(): // RFC 4291 section 2.5.2
		return Unspecified
	case ip == netip.IPv6Loopback(): // RFC 4291 section 2.5.3
		return Loopback
	}
	b := ip.As16()
	for i := range carriers {
		if c := &carriers[i]; c.prefix.Contains(ip) {
			return c.classify(b)
		}
	}
	class := lookup(special6[:], ip)
	if class == Global && isISATAP(b) {
		return lookup(special4[:], netip.AddrFrom4([4]byte(b[12:])))
	}
	return class
}

// lookup returns the class of the first block that holds ip, else Global.
func lookup(table []block, ip netip.Addr) Class {
	for i := range table {
		if table[i].prefix.Contains(ip) {
			return table[i].class
		}
	}
	return Global
}

// isISATAP reports whether the interface identifier is ::0:5efe:a.b.c.d or
// ::200:5efe:a.b.c.d (RFC 5214 section 6.1). It may stand behind any prefix.
func isISATAP(b [16]byte) bool {
	return b[8]&^0x02 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}

// carrier is an IPv6 block whose addresses hold an IPv4 address.
type carrier struct {
	prefix netip.Prefix
	at     int  // index of the IPv4 address's first byte
	mask   byte // what each of its bytes is combined with by exclusive or
	routed bool // packets to a global IPv4 address really get there this way
}

func (c *carrier) classify(b [16]byte) Class {
	v4 := [4]byte(b[c.at:])
	for i := range v4 {
		v4[i] ^= c.mask
	}
	class := lookup(special4[:], netip.AddrFrom4(v4))
	if class == Global && !c.routed {
		return Reserved
	}
	return class
}
