package sdp

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/pion/ice/v4"
	pion "github.com/pion/sdp/v3"

	"github.com/parley-rtc/parley/candidatefilter/internal/policy"
	"github.com/parley-rtc/parley/services/contract"
)

// roomy lets the result of one pass, which may be longer, through a second one.
var roomy = Limits{Bytes: 1 << 24, Lines: 1 << 20, LineBytes: 1 << 20, Sections: 1 << 16, Candidates: 1 << 20}

func FuzzSanitise(f *testing.F) {
	for _, text := range corpus(f) {
		f.Add([]byte(text))
	}
	for _, tt := range refused {
		f.Add([]byte(tt.text))
	}
	for _, ln := range []string{
		"a=fmtp:96 192.168.1.23", "a=ssrc:1 cname:ada@10.0.0.1", "a=rtcp:5001 IN IP6 fd00::2", "c=IN IP6 fe80::1",
		"a=candidate:1 1 udp 1 ::ffff:10.0.0.1 5000 typ srflx raddr 10.0.0.1 rport 5000", "b=AS:1", "k=x", "i=é",
	} {
		f.Add([]byte(session + section + "a=mid:0\n" + ln + "\n" + section))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, p := range contract.Policies() {
			checkSanitise(t, text, p)
		}
	})
}

// FuzzLine puts one line of anything into a description that is otherwise good,
// where a mutation reaches the rules sooner than in a whole offer.
func FuzzLine(f *testing.F) {
	for _, text := range corpus(f) {
		for _, ln := range strings.Split(text, "\r\n") {
			f.Add(ln, uint8(len(ln)))
		}
	}
	for _, tt := range refused {
		_, ln, _ := strings.Cut(tt.text, section)
		f.Add(strings.TrimSpace(ln), uint8(0))
	}
	f.Fuzz(func(t *testing.T, ln string, place uint8) {
		texts := [...]string{
			session + section + "a=mid:0\r\n" + ln + "\r\na=setup:active\r\n" + section,
			session + ln + "\r\n" + section,
			session + ln + "\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n",
			"v=0\r\n" + ln + "\r\ns=-\r\nt=0 0\r\n" + section,
			"v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\n" + ln + "\r\nt=0 0\r\n" + section,
		}
		for _, p := range contract.Policies() {
			checkSanitise(t, []byte(texts[int(place)%len(texts)]), p)
		}
	})
}

// checkSanitise holds every promise of the package against one input.
func checkSanitise(t *testing.T, text []byte, p contract.Policy) {
	t.Helper()
	lim := DefaultLimits()
	out, report, err := Sanitise(nil, text, p, lim)
	if err != nil {
		if len(out) != 0 {
			t.Fatalf("%s: wrote %q beside %v", p, out, err)
		}
		return
	}
	if most := len(text) + Growth*strings.Count(string(out), "\r\n"); len(out) > most {
		t.Errorf("%s: grew from %d to %d bytes, at most %d are allowed", p, len(text), len(out), most)
	}
	if report.Candidates > lim.Candidates || report.Sections > lim.Sections {
		t.Errorf("%s: %d candidates, %d sections", p, report.Candidates, report.Sections)
	}
	again, second, err := Sanitise(nil, out, p, roomy)
	if err != nil {
		t.Fatalf("%s: %v in the result %q", p, err, out)
	}
	if string(again) != string(out) {
		t.Errorf("%s: not a fixed point: %q, then %q", p, out, again)
	}
	for rule, n := range second.All() {
		t.Errorf("%s: second pass reports %s %d times on %q", p, rule, n, out)
	}
	checkBytes(t, string(out))
	checkPion(t, p, out)
	if p != contract.PolicyAll {
		checkAddresses(t, p, string(out))
	}
}

// checkBytes: lines end in CRLF and hold printable ASCII.
func checkBytes(t *testing.T, out string) {
	t.Helper()
	body, ok := strings.CutSuffix(out, "\r\n")
	if !ok {
		t.Fatalf("no line end at the end of %q", out)
	}
	for _, ln := range strings.Split(body, "\r\n") {
		for i := 0; i < len(ln); i++ {
			if ln[i] < ' ' || ln[i] > '~' {
				t.Fatalf("byte %#x in line %q", ln[i], ln)
			}
		}
	}
}

// checkPion: a parser that isn't ours reads the result and its candidates.
func checkPion(t *testing.T, p contract.Policy, out []byte) {
	t.Helper()
	var d pion.SessionDescription
	if err := d.Unmarshal(out); err != nil {
		t.Fatalf("%s: pion: %v in %q", p, err, out)
	}
	for _, a := range d.Attributes {
		if a.Key == "candidate" {
			t.Errorf("%s: candidate in the session part", p)
		}
	}
	for _, m := range d.MediaDescriptions {
		for _, a := range m.Attributes {
			if a.Key != "candidate" {
				continue
			}
			c, err := ice.UnmarshalCandidate(a.Value)
			if err != nil {
				t.Errorf("%s: pion: %v in %q", p, err, a.Value)
			} else if p == contract.PolicyRelay && c.Type() != ice.CandidateTypeRelay {
				t.Errorf("relay: %s in the result", a.Value)
			}
		}
	}
}

// quad finds dotted quads by other means than the code does.
var quad = regexp.MustCompile(`[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}`)

// checkAddresses: what reads as an address is a blank one, or a candidate's and
// globally reachable.
func checkAddresses(t *testing.T, p contract.Policy, out string) {
	t.Helper()
	for _, ln := range strings.Split(out, "\r\n") {
		candidate := strings.HasPrefix(ln, "a=candidate:")
		var found []string
		for _, text := range quad.FindAllString(ln, -1) {
			if _, err := netip.ParseAddr(text); err == nil {
				found = append(found, text)
			}
		}
		for _, text := range strings.FieldsFunc(ln, func(r rune) bool { return strings.ContainsRune(" =[]()/;,@\"'<>%", r) }) {
			if ip, err := netip.ParseAddr(text); err == nil && ip.Is6() {
				found = append(found, text)
			}
		}
		for _, text := range found {
			ip := netip.MustParseAddr(text)
			switch {
			case text == "0.0.0.0", text == "::":
			case text == "127.0.0.1" && strings.HasPrefix(ln, "o="):
			case candidate && !ip.Is6() && strings.Contains(ln, ":"+text):
				// the IPv4 part of an IPv6 address, judged as that
			case !candidate:
				t.Errorf("%s: address in %q", p, ln)
			case policy.Classify(ip) != policy.Global || ip.IsPrivate() || ip.IsLoopback():
				t.Errorf("%s: %s in %q", p, text, ln)
			}
		}
	}
}
