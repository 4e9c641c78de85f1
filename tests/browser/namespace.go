package browser

import (
	"testing"

	"github.com/parley-rtc/parley/tests/netns"
)

const (
	// publicAddress is of a prefix that is routed on the Internet, which is what
	// the policy `public` asks for. Nothing leaves the namespace, so nobody there
	// hears of it. privateAddress must never reach another peer.
	publicAddress  = "5.45.0.1"
	privateAddress = "10.9.0.1"
)

// inNamespace runs a test in a network namespace of its own, with a loopback
// interface, one with a public and one with a private address.
func inNamespace(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	netns.Run(t, func(t *testing.T) {
		address(t)
		test(t)
	})
}

// address gives the namespace its interfaces.
func address(t *testing.T) {
	t.Helper()
	for _, line := range []string{
		"link set lo up",
		"link add public type veth peer name private",
		"address add " + publicAddress + "/24 dev public",
		"address add " + privateAddress + "/24 dev private",
		"link set public up",
		"link set private up",
		// As on the Internet, no way leads from the private network to the public address but through a NAT that isn't
		// there. The rule must stand before the one for local addresses.
		"rule add pref 1 lookup local",
		"rule add pref 0 from " + privateAddress + " to " + publicAddress + " prohibit",
		"rule del pref 0 lookup local",
	} {
		netns.IP(t, line)
	}
}
