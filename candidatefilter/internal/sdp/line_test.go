package sdp

import (
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

const (
	session = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"
	section = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
)

// want of a line that doesn't come out.
const removed = ""

// lineTest is one line of a media section.
type lineTest struct {
	in, want string
	rule     contract.Rule // counted once; none if the line stays as it is
}

func stays(lines ...string) []lineTest {
	tests := make([]lineTest, 0, len(lines))
	for _, ln := range lines {
		tests = append(tests, lineTest{in: ln, want: ln})
	}
	return tests
}

func goes(lines ...string) []lineTest {
	tests := make([]lineTest, 0, len(lines))
	for _, ln := range lines {
		tests = append(tests, lineTest{in: ln, want: removed, rule: contract.RuleSDPLine})
	}
	return tests
}

func runLines(t *testing.T, head string, p contract.Policy, tests []lineTest) {
	t.Helper()
	for _, tt := range tests {
		out, report := sanitise(t, head+tt.in+"\r\n", p)
		got := strings.TrimSuffix(strings.TrimPrefix(out, head), "\r\n")
		if got != tt.want {
			t.Errorf("%s: %q: got %q, want %q", p, tt.in, got, tt.want)
		}
		for _, rule := range contract.Rules() {
			want := 0
			if rule == tt.rule {
				want = 1
			}
			if n := report.Count(rule); n != want {
				t.Errorf("%s: %q: counted %s %d times, want %d", p, tt.in, rule, n, want)
			}
		}
	}
}

// digest returns a digest of so many bytes.
func digest(size int) string { return strings.TrimSuffix(strings.Repeat("FE:", size), ":") }

func TestSanitise_attributesThatStay(t *testing.T) {
	for _, p := range contract.Policies() {
		runLines(t, session+section, p, stays(
			"a=ice-ufrag:EEtu",
			"a=ice-ufrag:"+strings.Repeat("a", 256),
			"a=ice-pwd:0123456789abcdefgh+/AB",
			"a=ice-options:trickle renomination",
			"a=ice-lite",
			"a=end-of-candidates",
			"a=fingerprint:sha-256 "+digest(32),
			"a=fingerprint:sha-256 "+strings.ToLower(digest(32)),
			"a=fingerprint:sha-224 "+digest(28),
			"a=fingerprint:sha-384 "+digest(48),
			"a=fingerprint:sha-512 "+digest(64),
			"a=fingerprint:sha-1 FE:80:00:00:00:00:00:01:00:00:00:00:00:00:00:00:00:00:00:01",
			"a=setup:actpass",
			"a=setup:holdconn",
			"a=mid:0",
			"a=group:BUNDLE 0 1",
			"a=group:LS a b",
			"a=msid-semantic: WMS",
			"a=msid-semantic:WMS *",
			"a=msid:- {11223344-5566-4778-899a-abbccddeeff0}",
			"a=extmap:2/recvonly urn:ietf:params:rtp-hdrext:csrc-audio-level",
			"a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
			"a=rtpmap:111 opus/48000/2",
			"a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f",
			"a=fmtp:97 sprop-parameter-sets=Z0LgH5ZUBaHogA==,aM48gA==; x-google-start-bitrate=800",
			"a=fmtp:96 v=1.2.3;w=1.2..3.4;x=4.5.6.a",
			"a=rtcp-fb:* nack pli",
			"a=ssrc:4294967295 cname:z8aoN2l/L7oiSqrJ",
			"a=ssrc:1 msid:stream video",
			"a=ssrc:1 mslabel:stream",
			"a=ssrc:1 label:video",
			"a=ssrc-group:SIM 1 2 3",
			"a=rid:q send pt=96;max-width=1280",
			"a=simulcast:send q;~h;f recv a,b",
			"a=simulcast: send rid=q;h",
			"a=imageattr:97 send [x=[480:16:800],y=[320:16:640]] recv *",
			"a=sctp-port:5000",
			"a=sctpmap:5000 webrtc-datachannel 1024",
			"a=max-message-size:262144",
			"a=ptime:20",
			"a=maxptime:60",
			"a=rtcp-mux",
			"a=rtcp-rsize",
			"a=rtcp:9",
			"a=rtcp:0",
			"a=rtcp:9 IN IP4 0.0.0.0",
			"a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive",
			"a=bundle-only",
			"a=extmap-allow-mixed",
			"a=cryptex",
			"a=tls-id:91bbf309c0990a6bec11e38ba2933cee",
			"a=packetization:96 raw",
			"b=AS:2500", "b=TIAS:2500000", "b=CT:1", "b=RS:0", "b=RR:18446744073709551615",
		))
	}
}

func TestSanitise_attributesThatGo(t *testing.T) {
	for _, p := range contract.Policies() {
		runLines(t, session+section, p, goes(
			"a=remote-candidates:1 10.0.0.1 5000",
			"a=source-filter: incl IN IP4 * 10.0.0.1",
			"a=path:msrp://10.0.0.1:7654/jshA7weztas;tcp",
			"a=altc:1 IP4 10.0.0.1 5000",
			"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
			"a=ts-refclk:ntp=10.0.0.1:123",
			"a=rtcp-remote:10.0.0.1",
			"a=x-google-flag:conference",
			"a=x-nat:10.0.0.1",
			"a=X-anything",
			"a=tool:libavformat",
			"a=unknown",
			"a=unknown:value",
			"a=Candidate:1 1 udp 1 93.184.216.34 5000 typ host",
			"a=CANDIDATE:1 1 udp 1 10.0.0.1 5000 typ host",
			"a=Ice-ufrag:abcd",
			"a=rtcp-mux:yes",
			"a=sendrecv:",
			"a=fingerprint:md5 "+digest(16),
			"a=fingerprint:fe80 fe:80:00:00:00:00:00:01",
			"a=fingerprint",
			"a=mid",
			"a=mid:",
			"a=mid:10.0.0.1",
			"a=fmtp:96 host=192.168.1.23",
			"a=fmtp:96 host=192.168.1.23:5000;x",
			"a=fmtp:96 v010.000.000.001",
			"a=fmtp:96 0100.0.0.1",
			"a=fmtp:96 0177.0.0.1",
			"a=fmtp:96 1.2.3.4.5",
			"a=fmtp:96 fe80::1",
			"a=fmtp:96 host=[fe80:0:0:0:1:2:3:4]",
			"a=fmtp:96 1:2:3:4:5:6:7:8:9",
			"a=fmtp:96 ::ffff:10.0.0.1",
			"a=fmtp:96 x::1",
			"a=fmtp:96 1::x",
			"a=extmap:3 http://10.0.0.1/",
			"a=msid:10.0.0.1 x",
			"a=ssrc:1 cname:10.0.0.1",
			"a=ssrc:1 cname:@10.0.0.1",
			"a=ssrc:1 cname:@host",
			"a=ssrc:1 cname:",
			"a=ssrc:1 cname",
			"a=ssrc:1 tool:x",
			"a=ssrc:1",
			"a=ssrc",
			"a=ssrc:01 cname:x",
			"a=ssrc:4294967296 cname:x",
			"a=rtcp:70000",
			"a=rtcp:x",
			"a=rtcp",
			"a=rtcp:9 IN IP4",
			"a=rtcp:9 IN IP4 0.0.0.0 x",
			"a=rtcp:9  IN IP4 0.0.0.0",
			"a=rtcp:9 ",
			"i=Ada's camera",
			"i=Kamera für Ada",
			"k=uri:http://10.0.0.1/key",
			"b=X-YZ:128", "b=AS:-1", "b=AS:", "b=AS", "b=AS:1.5", "b=AS:18446744073709551616",
		))
	}
}

func TestSanitise_cnameEndsAtItsHost(t *testing.T) {
	for _, p := range contract.Policies() {
		runLines(t, session+section, p, []lineTest{
			{"a=ssrc:1 cname:ada@laptop.example", "a=ssrc:1 cname:ada", contract.RuleSDPLine},
			{"a=ssrc:1 cname:x@y@z", "a=ssrc:1 cname:x", contract.RuleSDPLine},
			{"a=ssrc:1 msid:x@y z", "a=ssrc:1 msid:x@y z", ""},
		})
	}
}

func TestSanitise_locations(t *testing.T) {
	const address = contract.RuleSDPAddress
	for _, p := range []contract.Policy{"", contract.PolicyPublic, contract.PolicyRelay, "unknown"} {
		runLines(t, session+section, p, []lineTest{
			{"c=IN IP4 0.0.0.0", "c=IN IP4 0.0.0.0", ""},
			{"c=IN IP6 ::", "c=IN IP4 0.0.0.0", ""},
			{"c=IN IP4 10.0.0.1", "c=IN IP4 0.0.0.0", address},
			{"c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0", address},
			{"c=IN IP4 93.184.216.34", "c=IN IP4 0.0.0.0", address},
			{"c=IN IP6 fe80::1", "c=IN IP4 0.0.0.0", address},
			{"c=IN IP6 fe80::1%eth0", "c=IN IP4 0.0.0.0", address},
			{"c=IN IP4 224.2.1.1/127/3", "c=IN IP4 0.0.0.0", address},
			{"c=IN IP4 laptop.example", "c=IN IP4 0.0.0.0", address},
			{"c=IN IP4 2130706433", "c=IN IP4 0.0.0.0", address},
			{"a=rtcp:5001", "a=rtcp:9", address},
			{"a=rtcp:5001 IN IP4 10.0.0.1", "a=rtcp:9 IN IP4 0.0.0.0", address},
			{"a=rtcp:9 IN IP4 10.0.0.1", "a=rtcp:9 IN IP4 0.0.0.0", address},
			{"a=rtcp:5001 IN IP4 0.0.0.0", "a=rtcp:9 IN IP4 0.0.0.0", address},
			{"a=rtcp:5001 IN IP6 fd00::2", "a=rtcp:9 IN IP4 0.0.0.0", address},
			{"a=rtcp:9 IN IP6 ::", "a=rtcp:9 IN IP4 0.0.0.0", ""},
		})
		runLines(t, session, p, []lineTest{
			{"m=audio 5000 RTP/AVP 0", "m=audio 9 RTP/AVP 0", address},
			{"m=audio 1 RTP/AVP 0", "m=audio 9 RTP/AVP 0", address},
			{"m=audio 9 RTP/AVP 0", "m=audio 9 RTP/AVP 0", ""},
			{"m=audio 0 RTP/AVP 0", "m=audio 0 RTP/AVP 0", ""},
		})
	}
	runLines(t, session+section, contract.PolicyAll, []lineTest{
		{"c=IN IP4 10.0.0.1", "c=IN IP4 10.0.0.1", ""},
		{"c=IN IP4 127.0.0.1", "c=IN IP4 127.0.0.1", ""},
		{"c=IN IP6 FD00:0::2", "c=IN IP6 fd00::2", ""},
		{"c=IN IP6 ::", "c=IN IP6 ::", ""},
		{"c=IN IP6 ::ffff:10.0.0.1", "c=IN IP6 ::ffff:10.0.0.1", ""},
		{"c=IN IP4 224.2.1.1", "c=IN IP4 0.0.0.0", address},
		{"c=IN IP4 224.2.1.1/127", "c=IN IP4 0.0.0.0", address},
		{"c=IN IP4 255.255.255.255", "c=IN IP4 0.0.0.0", address},
		{"c=IN IP4 fd00::2", "c=IN IP4 0.0.0.0", address},
		{"c=IN IP6 10.0.0.1", "c=IN IP4 0.0.0.0", address},
		{"c=IN IP6 fe80::1%eth0", "c=IN IP4 0.0.0.0", address},
		{"c=IN IP4 laptop.example", "c=IN IP4 0.0.0.0", address},
		{"c=IN IP4 010.0.0.1", "c=IN IP4 0.0.0.0", address},
		{"a=rtcp:5001 IN IP4 10.0.0.1", "a=rtcp:5001 IN IP4 10.0.0.1", ""},
		{"a=rtcp:5001 IN IP4 laptop.example", "a=rtcp:5001 IN IP4 0.0.0.0", address},
	})
	runLines(t, session, contract.PolicyAll, stays("m=audio 5000 RTP/AVP 0", "m=audio 65535 RTP/AVP 0"))
}

func TestSanitise_origin(t *testing.T) {
	const (
		address = contract.RuleSDPAddress
		name    = contract.RuleSDPLine
	)
	tests := []struct {
		in, public, all     string
		publicRule, allRule contract.Rule
	}{
		{"- 1 2 IN IP4 127.0.0.1", "- 1 2 IN IP4 127.0.0.1", "- 1 2 IN IP4 127.0.0.1", "", ""},
		{"- 1 2 IN IP4 0.0.0.0", "- 1 2 IN IP4 0.0.0.0", "- 1 2 IN IP4 0.0.0.0", "", ""},
		{"- 1 2 IN IP4 192.168.1.23", "- 1 2 IN IP4 0.0.0.0", "- 1 2 IN IP4 192.168.1.23", address, ""},
		{"- 1 2 IN IP4 127.0.0.2", "- 1 2 IN IP4 0.0.0.0", "- 1 2 IN IP4 127.0.0.2", address, ""},
		{"- 1 2 IN IP6 ::1", "- 1 2 IN IP4 0.0.0.0", "- 1 2 IN IP6 ::1", address, ""},
		{"- 1 2 IN IP4 laptop.example", "- 1 2 IN IP4 0.0.0.0", "- 1 2 IN IP4 0.0.0.0", address, address},
		{"- 18446744073709551615 0 IN IP4 0.0.0.0", "- 18446744073709551615 0 IN IP4 0.0.0.0", "- 18446744073709551615 0 IN IP4 0.0.0.0", "", ""},
		{"ada 1 2 IN IP4 0.0.0.0", "- 1 2 IN IP4 0.0.0.0", "- 1 2 IN IP4 0.0.0.0", name, name},
		{"mozilla...THIS_IS_SDPARTA-99.0 1 2 IN IP4 0.0.0.0", "mozilla...THIS_IS_SDPARTA-99.0 1 2 IN IP4 0.0.0.0", "mozilla...THIS_IS_SDPARTA-99.0 1 2 IN IP4 0.0.0.0", "", ""},
		{"mozilla...THIS_IS_SDPARTA-10.0.0.1 1 2 IN IP4 0.0.0.0", "- 1 2 IN IP4 0.0.0.0", "- 1 2 IN IP4 0.0.0.0", name, name},
	}
	for _, tt := range tests {
		for p, want := range map[contract.Policy]struct {
			value string
			rule  contract.Rule
		}{
			contract.PolicyPublic: {tt.public, tt.publicRule},
			contract.PolicyRelay:  {tt.public, tt.publicRule},
			contract.PolicyAll:    {tt.all, tt.allRule},
		} {
			out, report := sanitise(t, "v=0\r\no="+tt.in+"\r\ns=-\r\nt=0 0\r\n", p)
			if got := strings.Split(out, "\r\n")[1]; got != "o="+want.value {
				t.Errorf("%s: %q: got %q, want %q", p, tt.in, got, "o="+want.value)
			}
			if want.rule != "" && report.Count(want.rule) != 1 {
				t.Errorf("%s: %q: %s is not counted", p, tt.in, want.rule)
			}
		}
	}
}

func TestSanitise_sessionLines(t *testing.T) {
	in := "v=0\no=- 1 2 IN IP4 0.0.0.0\ns=Ada's café\ni=talk\nu=http://10.0.0.1/\ne=ada@example.org\np=+44 20\n" +
		"c=IN IP4 10.0.0.1\nb=AS:500\nb=X:1\nt=0 0\nr=7d 1h 0\nz=0 1h\nk=clear:x\n" +
		"a=candidate:1 1 udp 1 93.184.216.34 5000 typ host\na=group:BUNDLE 0\na=tool:x\n"
	want := "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nb=AS:500\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
	got, report := sanitise(t, in, contract.PolicyPublic)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if n := report.Count(contract.RuleSDPLine); n != 11 {
		t.Errorf("counted %d lines, want 11", n)
	}
}

func TestSanitise_sortsTheLinesOfASection(t *testing.T) {
	in := session + section + "a=mid:0\r\nb=AS:30\r\na=sctp-port:5000\r\ni=x\r\nc=IN IP4 0.0.0.0\r\nb=TIAS:1\r\n" + section + "b=CT:1\r\n"
	want := session + section + "c=IN IP4 0.0.0.0\r\nb=AS:30\r\nb=TIAS:1\r\na=mid:0\r\na=sctp-port:5000\r\n" + section + "b=CT:1\r\n"
	if got, _ := sanitise(t, in, contract.PolicyPublic); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSanitise_candidates(t *testing.T) {
	tests := []struct {
		in   string
		rule contract.Rule
	}{
		{"1 1 udp 1 10.0.0.1 5000 typ host", contract.RulePrivateAddress},
		{"1 1 udp 1 127.0.0.1 5000 typ host", contract.RuleLoopback},
		{"1 1 udp 1 169.254.169.254 80 typ host", contract.RuleLinkLocal},
		{"1 1 udp 1 224.0.0.1 5000 typ host", contract.RuleMulticast},
		{"1 1 udp 1 255.255.255.255 5000 typ host", contract.RuleBroadcast},
		{"1 1 udp 1 0.0.0.0 5000 typ host", contract.RuleUnspecified},
		{"1 1 udp 1 192.0.2.1 5000 typ host", contract.RuleReservedAddress},
		{"1 1 udp 1 laptop.example 5000 typ host", contract.RuleHostname},
		{"1 1 udp 1 93.184.216.34 0 typ host", contract.RuleBadPort},
		{"1 1 ssltcp 1 93.184.216.34 443 typ host", contract.RuleBadCandidate},
		{"candidate:1 1 udp 1 93.184.216.34 5000 typ host", contract.RuleBadCandidate},
		{"", contract.RuleBadCandidate},
	}
	for _, tt := range tests {
		runLines(t, session+section, contract.PolicyPublic, []lineTest{{"a=candidate:" + tt.in, removed, tt.rule}})
	}
}
