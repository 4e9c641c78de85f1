package installation

import (
	"net/netip"
	"strings"
)

// settings is the text of .env. What they mean stands in compose.yaml, whose
// defaults are the careful ones: without this file nobody but this machine gets
// in, and no private address passes.
func settings(host string) string {
	lines := []string{"# Made by parley init; docker compose reads it.", "PARLEY_HOST=" + host}
	if isLocal(host) {
		lines = append(lines,
			"# On one machine only private addresses exist, and only its user opens the demo.",
			"PARLEY_ICE_POLICY=all", "PARLEY_DEMO_TOKENS=true")
	} else {
		lines = append(lines,
			"# Signaling stays on the loopback address, for a proxy with TLS on this machine. TURN is for everybody.",
			"PARLEY_TURN_LISTEN=0.0.0.0")
	}
	return strings.Join(lines, "\n") + "\n"
}

// isLocal reports whether a host is the machine itself.
func isLocal(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && address.IsLoopback()
}
