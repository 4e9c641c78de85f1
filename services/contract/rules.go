package contract

// Rule is the reason why the candidate filter took something out of a frame, or
// refused the frame. It travels in `filtered` and `error` frames, in the
// verdicts of a stored entry, and is the label of the filter's counters; so the
// list is closed, and a rule's text never changes once released.
type Rule string

// Rules about an address: the candidate that carries it is dropped.
const (
	// RulePrivateAddress is an address of a private network: RFC 1918, shared
	// address space (RFC 6598), unique local (RFC 4193), site local (RFC 3879).
	RulePrivateAddress Rule = "private_address"

	// RuleLoopback is an address of the host itself (127.0.0.0/8, ::1).
	RuleLoopback Rule = "loopback"

	// RuleLinkLocal is an address valid on one link only (169.254.0.0/16,
	// fe80::/10). Cloud metadata services live here.
	RuleLinkLocal Rule = "link_local"

	// RuleMulticast is a group address (224.0.0.0/4, ff00::/8).
	RuleMulticast Rule = "multicast"

	// RuleBroadcast is the limited broadcast address 255.255.255.255.
	RuleBroadcast Rule = "broadcast"

	// RuleUnspecified is an address of "this network" (0.0.0.0/8, ::), which
	// many hosts route to themselves.
	RuleUnspecified Rule = "unspecified"

	// RuleReservedAddress is any other address that is not globally reachable:
	// documentation, benchmarking, protocol assignments, unallocated space, and
	// IPv6 forms that only carry an IPv4 address.
	RuleReservedAddress Rule = "reserved_address"

	// RuleHostname is a name where an address must be. A browser would resolve
	// it, so only the mDNS name of a host candidate may pass.
	RuleHostname Rule = "hostname"
)

// Rules about one candidate: it is dropped, except under RuleRelatedAddress.
const (
	// RuleNotRelay is a candidate that is not relayed, under [PolicyRelay].
	RuleNotRelay Rule = "not_relay"

	// RuleBadPort is a port to which no check may go: 0, or one other than 9 on
	// an active TCP candidate (RFC 6544 section 4.5).
	RuleBadPort Rule = "bad_port"

	// RuleRelatedAddress says that the candidate went on with its related
	// address and port blanked (RFC 8839 section 5.1).
	RuleRelatedAddress Rule = "related_address"

	// RuleTooManyCandidates is a candidate over the limit of one negotiation or
	// one description.
	RuleTooManyCandidates Rule = "too_many_candidates"

	// RuleSuperseded is a candidate that belongs to a description which a newer
	// one has replaced.
	RuleSuperseded Rule = "superseded"

	// RuleBadCandidate is a candidate that the grammar of RFC 8839 section 5.1
	// does not allow.
	RuleBadCandidate Rule = "bad_candidate"
)

// Rules about a description.
const (
	// RuleSDPAddress says that an address or port outside a candidate was
	// blanked: in c=, o=, m= or a=rtcp. The description went on.
	RuleSDPAddress Rule = "sdp_address"

	// RuleSDPLine says that a line, or a part of one, was removed because it
	// names a person, a host or an address. The description went on.
	RuleSDPLine Rule = "sdp_line"

	// RuleBadDescription is a description that does not parse, or is over a
	// limit. It never goes on.
	RuleBadDescription Rule = "bad_description"
)

// Rules returns every rule, in the order of their declaration.
func Rules() []Rule {
	return []Rule{
		RulePrivateAddress, RuleLoopback, RuleLinkLocal, RuleMulticast,
		RuleBroadcast, RuleUnspecified, RuleReservedAddress, RuleHostname,
		RuleNotRelay, RuleBadPort, RuleRelatedAddress, RuleTooManyCandidates,
		RuleSuperseded, RuleBadCandidate,
		RuleSDPAddress, RuleSDPLine, RuleBadDescription,
	}
}

// Known reports whether r is one of [Rules]. Check it before a rule from
// outside the process becomes a metric's label.
func (r Rule) Known() bool {
	for _, k := range Rules() {
		if r == k {
			return true
		}
	}
	return false
}
