package policy

import (
	"errors"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/candidatefilter/internal/candidate"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	mdns   = "4b2f1d1e-7d0e-4c7f-9a53-0f1f4f6c2b11.local"
	global = "93.184.216.34"
)

// pass in place of a rule says that the candidate goes on.
const pass contract.Rule = ""

func TestJudge_addresses(t *testing.T) {
	tests := []struct {
		address            string
		public, relay, all contract.Rule // of a relay candidate
	}{
		{global, pass, pass, pass},
		{"2606:2800:220:1::7", pass, pass, pass},
		{"64:ff9b::5db8:d822", pass, pass, pass},
		{"10.0.0.1", contract.RulePrivateAddress, contract.RulePrivateAddress, pass},
		{"100.64.0.1", contract.RulePrivateAddress, contract.RulePrivateAddress, pass},
		{"fd00::2", contract.RulePrivateAddress, contract.RulePrivateAddress, pass},
		{"::ffff:10.0.0.1", contract.RulePrivateAddress, contract.RulePrivateAddress, pass},
		{"2002:a00:1::", contract.RulePrivateAddress, contract.RulePrivateAddress, pass},
		{"127.0.0.1", contract.RuleLoopback, contract.RuleLoopback, pass},
		{"::1", contract.RuleLoopback, contract.RuleLoopback, pass},
		{"::ffff:127.0.0.1", contract.RuleLoopback, contract.RuleLoopback, pass},
		{"169.254.169.254", contract.RuleLinkLocal, contract.RuleLinkLocal, pass},
		{"fe80::1", contract.RuleLinkLocal, contract.RuleLinkLocal, pass},
		{"192.0.2.2", contract.RuleReservedAddress, contract.RuleReservedAddress, pass},
		{"240.0.0.1", contract.RuleReservedAddress, contract.RuleReservedAddress, pass},
		{"::ffff:93.184.216.34", contract.RuleReservedAddress, contract.RuleReservedAddress, pass},
		{"224.0.0.251", contract.RuleMulticast, contract.RuleMulticast, contract.RuleMulticast},
		{"ff02::fb", contract.RuleMulticast, contract.RuleMulticast, contract.RuleMulticast},
		{"::ffff:224.0.0.251", contract.RuleMulticast, contract.RuleMulticast, contract.RuleMulticast},
		{"255.255.255.255", contract.RuleBroadcast, contract.RuleBroadcast, contract.RuleBroadcast},
		{"0.0.0.0", contract.RuleUnspecified, contract.RuleUnspecified, contract.RuleUnspecified},
		{"0.1.2.3", contract.RuleUnspecified, contract.RuleUnspecified, contract.RuleUnspecified},
		{"::", contract.RuleUnspecified, contract.RuleUnspecified, contract.RuleUnspecified},
		{mdns, contract.RuleHostname, contract.RuleHostname, contract.RuleHostname},
		{"example.com", contract.RuleHostname, contract.RuleHostname, contract.RuleHostname},
		{"2130706433", contract.RuleHostname, contract.RuleHostname, contract.RuleHostname},
	}
	for _, tt := range tests {
		for p, want := range map[contract.Policy]contract.Rule{
			contract.PolicyPublic: tt.public,
			contract.PolicyRelay:  tt.relay,
			contract.PolicyAll:    tt.all,
		} {
			text := "candidate:1 1 udp 1 " + tt.address + " 5000 typ relay raddr 0.0.0.0 rport 9"
			out, v, err := AppendCandidate(nil, text, p)
			if err != nil {
				t.Errorf("%s under %s: %v", tt.address, p, err)
			}
			if v.Drop != want {
				t.Errorf("%s under %s: got %q, want %q", tt.address, p, v.Drop, want)
			}
			if got, want := len(out) > 0, want == pass; got != want {
				t.Errorf("%s under %s: written %v, want %v", tt.address, p, got, want)
			}
		}
	}
}

func TestJudge_types(t *testing.T) {
	tests := []struct {
		text               string
		public, relay, all contract.Rule
	}{
		{"1 1 udp 1 " + global + " 5000 typ host", pass, contract.RuleNotRelay, pass},
		{"1 1 udp 1 " + global + " 5000 typ srflx", pass, contract.RuleNotRelay, pass},
		{"1 1 udp 1 " + global + " 5000 typ prflx", pass, contract.RuleNotRelay, pass},
		{"1 1 udp 1 " + mdns + " 5000 typ host", pass, contract.RuleNotRelay, pass},
		{"1 1 udp 1 " + mdns + " 5000 typ srflx", contract.RuleHostname, contract.RuleNotRelay, contract.RuleHostname},
		{"1 1 udp 1 " + global + " 0 typ relay", contract.RuleBadPort, contract.RuleBadPort, contract.RuleBadPort},
		{"1 1 udp 1 " + mdns + " 0 typ host", contract.RuleBadPort, contract.RuleNotRelay, contract.RuleBadPort},
		{"1 1 udp 1 " + global + " 1 typ relay", pass, pass, pass},
		{"1 1 tcp 1 " + global + " 9 typ host tcptype active", pass, contract.RuleNotRelay, pass},
		{"1 1 tcp 1 " + global + " 80 typ host tcptype active", contract.RuleBadPort, contract.RuleNotRelay, contract.RuleBadPort},
		{"1 1 tcp 1 " + global + " 443 typ relay tcptype passive", pass, pass, pass},
	}
	for _, tt := range tests {
		for p, want := range map[contract.Policy]contract.Rule{
			"":                    tt.public,
			contract.PolicyPublic: tt.public,
			contract.PolicyRelay:  tt.relay,
			"newer":               tt.relay,
			contract.PolicyAll:    tt.all,
		} {
			if _, v, err := AppendCandidate(nil, tt.text, p); err != nil || v.Drop != want {
				t.Errorf("%s under %q: got %q, %v, want %q", tt.text, p, v.Drop, err, want)
			}
		}
	}
}

func TestJudge_relatedAddress(t *testing.T) {
	tests := []struct {
		name, in, want string
		blanked        bool
	}{
		{"a private one is blanked", global + " 5000 typ srflx raddr 192.168.1.23 rport 5000", global + " 5000 typ srflx raddr 0.0.0.0 rport 9", true},
		{"a public one is blanked", global + " 5000 typ relay raddr 151.101.1.69 rport 5000", global + " 5000 typ relay raddr 0.0.0.0 rport 9", true},
		{"a name is blanked", global + " 5000 typ srflx raddr " + mdns + " rport 9", global + " 5000 typ srflx raddr 0.0.0.0 rport 9", true},
		{"a port alone is blanked", global + " 5000 typ srflx raddr 0.0.0.0 rport 5000", global + " 5000 typ srflx raddr 0.0.0.0 rport 9", true},
		{"the family is the candidate's", "2606:2800:220:1::7 5000 typ prflx raddr 10.0.0.1 rport 5000", "2606:2800:220:1::7 5000 typ prflx raddr :: rport 9", true},
		{"Chrome's blank is told to nobody", global + " 5000 typ srflx raddr 0.0.0.0 rport 0", global + " 5000 typ srflx raddr 0.0.0.0 rport 9", false},
		{"a blank stays", global + " 5000 typ relay raddr 0.0.0.0 rport 9", global + " 5000 typ relay raddr 0.0.0.0 rport 9", false},
		{"a missing one is added", global + " 5000 typ srflx generation 0", global + " 5000 typ srflx raddr 0.0.0.0 rport 9 generation 0", false},
		{"a host has none", global + " 5000 typ host generation 0", global + " 5000 typ host generation 0", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, v, err := AppendCandidate(nil, "candidate:1 1 udp 1 "+tt.in, contract.PolicyPublic)
			if err != nil || v.Drop != "" {
				t.Fatalf("got %q, %v", v.Drop, err)
			}
			if got, want := string(out), "candidate:1 1 udp 1 "+tt.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if v.Blanked != tt.blanked {
				t.Errorf("got blanked %v, want %v", v.Blanked, tt.blanked)
			}
		})
	}
}

func TestJudge_leavesTheRelatedAddressUnderAll(t *testing.T) {
	for _, text := range []string{
		"candidate:1 1 udp 1 10.0.0.1 5000 typ srflx raddr 192.168.1.23 rport 5000",
		"candidate:1 1 udp 1 10.0.0.1 5000 typ relay",
		"candidate:1 1 udp 1 10.0.0.1 5000 typ prflx raddr 0.0.0.0 rport 0",
	} {
		out, v, err := AppendCandidate(nil, text, contract.PolicyAll)
		if err != nil || v != (Verdict{}) || string(out) != text {
			t.Errorf("got %s, %+v, %v\nwant %s", out, v, err, text)
		}
	}
}

func TestAppendCandidate_onlyAppends(t *testing.T) {
	before := []byte("before ")
	for text, want := range map[string]string{
		"candidate:1 1 udp 1 " + global + " 5000 typ host": "before candidate:1 1 udp 1 " + global + " 5000 typ host",
		"candidate:1 1 udp 1 10.0.0.1 5000 typ host":       "before ",
		"candidate:1 1 udp 1 example.com 5000 typ host":    "before ",
		"nonsense": "before ",
	} {
		if got, _, _ := AppendCandidate(before, text, contract.PolicyPublic); string(got) != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func TestAppendCandidate_tellsGrammarFromPolicy(t *testing.T) {
	_, v, err := AppendCandidate(nil, "candidate:1 1 udp 1 example.com 5000 typ host", contract.PolicyAll)
	if err != nil || v.Drop != contract.RuleHostname {
		t.Errorf("a host name: got %q, %v, want %q", v.Drop, err, contract.RuleHostname)
	}
	_, v, err = AppendCandidate(nil, "candidate:1 1 udp 1 fe80::1%eth0 5000 typ host", contract.PolicyAll)
	var fault *candidate.Fault
	if !errors.As(err, &fault) || fault.Rule != contract.RuleBadCandidate || v != (Verdict{}) {
		t.Errorf("a zone: got %+v, %v", v, err)
	}
}

func TestAppendCandidate_allocatesNothing(t *testing.T) {
	buffer := make([]byte, 0, candidate.MaxBytes)
	for name, text := range map[string]string{
		"passes":  "candidate:842163049 1 udp 1677729535 " + global + " 46154 typ srflx raddr 192.168.1.23 rport 46154 generation 0 ufrag EEtu network-id 3 network-cost 10",
		"IPv6":    "candidate:842163049 1 udp 1677729535 2606:2800:220:1::7 46154 typ relay raddr fd00::2 rport 46154 generation 0 ufrag EEtu",
		"mDNS":    "candidate:0 1 UDP 2122252543 " + mdns + " 54925 typ host",
		"dropped": "candidate:1467250027 1 udp 2122260223 192.168.1.23 46243 typ host generation 0 ufrag EEtu network-id 1 network-cost 10",
	} {
		for _, p := range contract.Policies() {
			got := testing.AllocsPerRun(100, func() {
				if _, _, err := AppendCandidate(buffer[:0], text, p); err != nil {
					t.Fatal(err)
				}
			})
			if got != 0 {
				t.Errorf("%s under %s: got %v allocations, want 0", name, p, got)
			}
		}
	}
}

// localText are texts of addresses that must not come through in any spelling.
var localText = []string{"10.0.0.1", "192.168.1.23", "127.0.0.1", "169.254.169.254", "fd00::2", "fe80::1"}

func FuzzAppendCandidate(f *testing.F) {
	for _, address := range append(localText, global, mdns, "2606:2800:220:1::7", "64:ff9b::a00:1", "::ffff:10.0.0.1", "0x7f000001") {
		for _, typ := range []string{"host", "srflx raddr 10.0.0.1 rport 5000", "relay raddr :: rport 0", "prflx"} {
			f.Add("candidate:1 1 udp 1 "+address+" 5000 typ "+typ+" generation 0 ufrag EEtu", "public")
			f.Add("candidate:1 1 TCP 1 "+address+" 9 typ "+typ+" tcptype active", "relay")
		}
	}
	f.Fuzz(func(t *testing.T, text, name string) {
		p := contract.Policy(name)
		out, v, err := AppendCandidate(nil, text, p)
		if err != nil || v.Drop != "" {
			if len(out) != 0 {
				t.Fatalf("wrote %q of a candidate that doesn't pass", out)
			}
			return
		}
		again, w, err := AppendCandidate(nil, string(out), p)
		if err != nil || string(again) != string(out) || w.Blanked {
			t.Fatalf("not a fixed point: %q, then %q, %+v, %v", out, again, w, err)
		}
		if p == contract.PolicyAll {
			return
		}
		for _, field := range strings.Fields(string(out)) {
			for _, local := range localText {
				if field == local {
					t.Errorf("%s in %q", local, out)
				}
			}
		}
		c, err := candidate.Parse(string(out))
		if err != nil {
			t.Fatal(err)
		}
		if c.Address.IP.IsValid() && (Classify(c.Address.IP) != Global || obviouslyLocal(c.Address.IP)) {
			t.Errorf("%q under %q", out, p)
		}
		if c.Related.Valid() && !c.Related.IP.IsUnspecified() {
			t.Errorf("related address in %q under %q", out, p)
		}
	})
}
