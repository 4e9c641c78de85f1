package policy

import "net/netip"

// block is one row of a special-purpose table.
type block struct {
	prefix netip.Prefix
	class  Class
}

func row(prefix string, class Class) block { return block{netip.MustParsePrefix(prefix), class} }

// special4 is the IANA IPv4 Special-Purpose Address Registry as of October 2024
// with the multicast space; of two that overlap, the narrower block is first.
//
// Some blocks are marked globally reachable there: AS112, AMT, and once the
// 6to4 relays. They hold sinks and anycast services, never a peer, so a check
// sent there is noise at best and amplification at worst: Reserved, like the
// documentation blocks.
var special4 = [...]block{
	row("0.0.0.0/8", Unspecified),        // RFC 791 section 3.2, "this network"
	row("10.0.0.0/8", Private),           // RFC 1918
	row("100.64.0.0/10", Private),        // RFC 6598, behind a carrier's NAT
	row("127.0.0.0/8", Loopback),         // RFC 1122 section 3.2.1.3
	row("169.254.0.0/16", LinkLocal),     // RFC 3927; cloud metadata answers here
	row("172.16.0.0/12", Private),        // RFC 1918
	row("192.0.0.0/24", Reserved),        // RFC 6890, protocol assignments
	row("192.0.2.0/24", Reserved),        // RFC 5737, documentation
	row("192.31.196.0/24", Reserved),     // RFC 7535, AS112
	row("192.52.193.0/24", Reserved),     // RFC 7450, AMT
	row("192.88.99.0/24", Reserved),      // RFC 7526, 6to4 relays
	row("192.168.0.0/16", Private),       // RFC 1918
	row("192.175.48.0/24", Reserved),     // RFC 7534, AS112
	row("198.18.0.0/15", Reserved),       // RFC 2544, benchmarking
	row("198.51.100.0/24", Reserved),     // RFC 5737, documentation
	row("203.0.113.0/24", Reserved),      // RFC 5737, documentation
	row("224.0.0.0/4", Multicast),        // RFC 5771, 233.252.0.0/24 of RFC 6676 in it
	row("255.255.255.255/32", Broadcast), // RFC 919 section 7
	row("240.0.0.0/4", Reserved),         // RFC 1112 section 4
}

// special6 is the IANA IPv6 Special-Purpose Address Registry as of October
// 2024, less the two single addresses and the carriers, and closed with what
// IANA has not given out: only 2000::/3 is global unicast (RFC 4291 section 2.4).
//
// 2001::/23 is taken whole, though single services in it are globally reachable
// (PCP and TURN anycast, AMT, AS112, DRIP, ORCHIDv2): none of them is a peer.
var special6 = [...]block{
	row("64:ff9b:1::/48", Reserved),    // RFC 8215, translation inside one network
	row("100::/64", Reserved),          // RFC 6666, discard only
	row("100:0:0:1::/64", Reserved),    // RFC 9780, dummy prefix
	row("2001::/23", Reserved),         // RFC 2928, protocol assignments
	row("2001:db8::/32", Reserved),     // RFC 3849, documentation
	row("2620:4f:8000::/48", Reserved), // RFC 7534, AS112
	row("3fff::/20", Reserved),         // RFC 9637, documentation
	row("5f00::/16", Reserved),         // RFC 9602, segment routing
	row("fc00::/7", Private),           // RFC 4193
	row("fe80::/10", LinkLocal),        // RFC 4291 section 2.5.6
	row("fec0::/10", Private),          // RFC 3879, site local
	row("ff00::/8", Multicast),         // RFC 4291 section 2.7
	row("::/3", Reserved),              // not allocated
	row("4000::/2", Reserved),          // not allocated
	row("8000::/1", Reserved),          // not allocated
}

// carriers are the IPv6 forms of an IPv4 address, other than ISATAP's.
var carriers = [...]carrier{
	{prefix: netip.MustParsePrefix("::/96"), at: 12},                      // RFC 4291 section 2.5.5.1, compatible
	{prefix: netip.MustParsePrefix("::ffff:0:0/96"), at: 12},              // RFC 4291 section 2.5.5.2, mapped
	{prefix: netip.MustParsePrefix("::ffff:0:0:0/96"), at: 12},            // RFC 2765 section 2.1, translated
	{prefix: netip.MustParsePrefix("64:ff9b::/96"), at: 12, routed: true}, // RFC 6052 section 2.1, NAT64
	{prefix: netip.MustParsePrefix("2002::/16"), at: 2, routed: true},     // RFC 3056 section 2, 6to4
	{prefix: netip.MustParsePrefix("2001::/32"), at: 12, mask: 0xff},      // RFC 4380 section 4, Teredo
}
