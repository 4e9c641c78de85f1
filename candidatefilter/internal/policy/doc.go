// Package policy owns the judgement of ICE addresses: which part of the address
// space an address is in, and whether a candidate on it may pass from one peer
// to another.
//
// Start at [Judge]; [Classify] is the table behind it, [Read] and
// [AppendCandidate] are both of them behind one text.
//
// A candidate is judged for two people at once. Its sender must not reveal a
// private network without meaning to. Its receiver must not be made to send
// checks into their own network, to themselves, to a group or to a metadata
// service (RFC 8445 section 19.5). Both ask for the same: public addresses only.
//
// What the three policies do:
//
//	                          public           relay            all
//	port 0, active TCP not 9  dropped          dropped          dropped
//	multicast, broadcast,     dropped          dropped          dropped
//	  unspecified
//	private, link-local,      dropped          dropped          passes
//	  loopback, reserved
//	globally reachable        passes           relay only       passes
//	mDNS name                 host only        dropped          host only
//	raddr and rport           blanked, added   blanked, added   stay
//
// A related address is blanked as RFC 8839 section 5.1 asks for the sake of
// privacy: to 0.0.0.0 or ::, and port 9. It is added where it is missing,
// because that section demands it and parsers differ about its absence. An mDNS
// name passes for host candidates only, since nothing else ever gets one
// (draft-ietf-mmusic-mdns-ice-candidates section 3.1), and since a browser asks
// the network about it.
//
// It never resolves a name and never looks at the address of this machine.
package policy
