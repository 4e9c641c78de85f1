package contract

import (
	"fmt"
	"strings"
)

// Policy says which ICE addresses may pass from one peer to another. An app,
// a room and a token may each hold an opinion; the strictest one counts, see
// [Stricter]. The empty Policy is "no opinion" and never a setting of its own:
// whoever has none in the end uses [PolicyPublic].
type Policy string

const (
	// PolicyPublic is the default. Only globally reachable addresses and mDNS
	// names pass, and the related address of a reflexive or relayed candidate
	// is blanked, so neither side learns, or is aimed at, a private network.
	PolicyPublic Policy = "public"

	// PolicyRelay passes only relayed candidates on globally reachable
	// addresses: peers learn nothing of each other but their TURN servers.
	PolicyRelay Policy = "relay"

	// PolicyAll passes every well-formed unicast address, private, link-local
	// and loopback ones included. It is for development and for closed
	// networks whose peers may know each other's addresses.
	PolicyAll Policy = "all"
)

// Policies returns every policy, the most permissive first.
func Policies() []Policy { return []Policy{PolicyAll, PolicyPublic, PolicyRelay} }

// ParsePolicy returns the policy named s. The comparison is exact; the empty
// string is not a policy. The error lists the allowed values and is safe to
// show to a client.
func ParsePolicy(s string) (Policy, error) {
	names := make([]string, 0, 3)
	for _, p := range Policies() {
		if s == string(p) {
			return p, nil
		}
		names = append(names, string(p))
	}
	return "", fmt.Errorf("unknown ICE policy: use one of %s", strings.Join(names, ", "))
}

// Stricter returns the stricter of two policies: all < public < relay. An empty
// policy gives way to the other one. A value that is not a policy counts as
// [PolicyRelay], so a document written by a newer version fails closed.
func Stricter(a, b Policy) Policy {
	if a.strictness() >= b.strictness() {
		return a.closed()
	}
	return b.closed()
}

// strictness orders policies; the empty one is below all, an unknown one on top.
func (p Policy) strictness() int {
	switch p {
	case "":
		return 0
	case PolicyAll:
		return 1
	case PolicyPublic:
		return 2
	default:
		return 3
	}
}

// closed replaces an unknown value by the strictest policy.
func (p Policy) closed() Policy {
	if p.strictness() == 3 {
		return PolicyRelay
	}
	return p
}
