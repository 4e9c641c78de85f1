package browser

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/tests/netns"
)

const (
	// insideVar tells the test program that it runs in the namespace.
	insideVar = "PARLEY_TEST_NAMESPACE"

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
	isolated(t, func(t *testing.T) {
		address(t)
		test(t)
	})
}

// isolated runs a test in an empty network namespace of its own. The test's own
// process is started once more for that, with Chromium and Parley below it.
func isolated(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	if os.Getenv(insideVar) != "" {
		test(t)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "-test.v", "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), insideVar+"=1")
	netns.Isolate(cmd)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("in the namespace: %v (needs root or unprivileged user namespaces)\n%s", err, out)
	}
	if !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Fatalf("in the namespace it didn't run:\n%s", out)
	}
}

// address gives the namespace its interfaces.
func address(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Fatal("there is no ip: apt-get install iproute2")
	}
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
		ip(t, line)
	}
}

// ip runs iproute2, in the namespace.
func ip(t *testing.T, line string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", line, err, out)
	}
}
