package browser

import (
	"strings"
	"testing"
)

// heard are the candidates that the other side sent a tab, without the end of
// candidates.
func heard(t *testing.T, tb *tab) []string {
	t.Helper()
	return eval[[]string](t, tb, "tab.heard.filter((line) => line)")
}

// checkHeard checks that a tab heard of candidates, that all of them have the
// public address, and that none gives a private one away.
func checkHeard(t *testing.T, tb *tab, typ string) {
	t.Helper()
	lines := heard(t, tb)
	if len(lines) == 0 {
		t.Errorf("%s heard of no candidate", tb.name)
	}
	for _, line := range lines {
		fields := strings.Fields(line)
		if len(fields) < 8 || fields[4] != publicAddress || strings.Contains(line, privateAddress) || strings.Contains(line, "fe80") {
			t.Errorf("%s heard of %q, want none but %s", tb.name, line, publicAddress)
		}
		if typ != "" && len(fields) >= 8 && fields[7] != typ {
			t.Errorf("%s heard of %q, want none but typ %s", tb.name, line, typ)
		}
	}
}

// awaitPair waits until the call goes over candidates of one type and the public
// address. A candidate is peer-reflexive, without an address, until the other
// side has told it.
func awaitPair(t *testing.T, tb *tab, typ string) {
	t.Helper()
	tb.until(t, "[(await tab.facts())].every(({local, remote}) => [local, remote].every((e) => e.type === %q && e.address === %q))", typ, publicAddress)
}

// policyCall lets two tabs call each other over candidates of one type.
func policyCall(t *testing.T, w wish, typ string, args ...string) {
	t.Helper()
	d := startDev(t, args...)
	w.Room, w.Camera = "policy", true
	var tabs []*tab
	for _, w.Identity = range []string{"ada", "bob"} {
		tabs = append(tabs, d.open(t, w))
	}
	for _, tb := range tabs {
		tb.until(t, "tab.open && tab.steady")
		awaitPair(t, tb, typ)
	}
	watch(t, tabs...)
	exchange(t, tabs...)
	for _, tb := range tabs {
		checkHeard(t, tb, typ)
		noErrors(t, tb)
	}
}

// The namespace has a private address too, which Chromium gathers and the filter
// takes out.
func TestPolicy(t *testing.T) {
	t.Parallel()
	relay := []string{"--turn.listen", publicAddress + ":3478"}
	public := []string{"--candidatefilter.policy", "public", "--edge.ice_policy", "public"}
	inNamespace(t, func(t *testing.T) {
		t.Run("public connects by public addresses alone", func(t *testing.T) {
			policyCall(t, wish{}, "host", public...)
		})
		t.Run("relay connects by TURN alone", func(t *testing.T) {
			policyCall(t, wish{}, "relay", append(relay, "--candidatefilter.policy", "relay", "--edge.ice_policy", "relay")...)
		})
		t.Run("a token tightens public to relay", func(t *testing.T) {
			policyCall(t, wish{ICE: "relay"}, "relay", append(relay, public...)...)
		})
	})
}
