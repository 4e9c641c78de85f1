package sdp

import (
	"errors"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// refused are descriptions that must not pass, with the line at fault and a part
// of the reason.
var refused = []struct {
	text   string
	line   int
	reason string
}{
	{"", 0, "empty"},
	{"\r\n", 1, "k=value"},
	{"nonsense", 1, "k=value"},
	{"{\"type\":\"offer\"}", 1, "k=value"},
	{session + "\r\n", 5, "k=value"},
	{session + "\n" + section, 5, "k=value"},
	{session + section + "a\r\n", 6, "k=value"},
	{session + section + "a:mid\r\n", 6, "k=value"},
	{session + section + " a=mid:0\r\n", 6, "k=value"},
	{session + section + "a =mid:0\r\n", 6, "k=value"},
	{session + section + "\ta=mid:0\r\n", 6, "k=value"},
	{session + section + "aa=mid:0\r\n", 6, "k=value"},

	{session + section + "y=x\r\n", 6, "unknown kind"},
	{session + section + "A=mid:0\r\n", 6, "unknown kind"},
	{session + section + "V=0\r\n", 6, "unknown kind"},
	{session + section + "\u0430=mid:0\r\n", 6, "k=value"},
	{"\ufeff" + session + section, 1, "k=value"},

	{session + section + "a=mid:0\ra=x\r\n", 6, "ASCII"},
	{session + section + "a=mid:0\r\r\n", 6, "ASCII"},
	{session + section + "a=mid:0\r", 6, "ASCII"},
	{session + section + "a=mid:\x000\r\n", 6, "ASCII"},
	{session + section + "a=mid:\t0\r\n", 6, "ASCII"},
	{session + section + "a=mid:\x0b0\r\n", 6, "ASCII"},
	{session + section + "a=mid:\x7f\r\n", 6, "ASCII"},
	{session + section + "a=mid:ä\r\n", 6, "ASCII"},
	{session + section + "a=mid:0\u2028a=candidate:1\r\n", 6, "ASCII"},
	{session + section + "a=mid:0\u0085a=candidate:1\r\n", 6, "ASCII"},
	{session + section + "a=fmtp:96 \uff11\uff10.0.0.1\r\n", 6, "ASCII"},
	{session + section + "a=unknown:ä\r\n", 6, "ASCII"},
	{"v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=a\x00b\r\nt=0 0\r\n", 3, "ASCII"},
	{"v=0\r\no=ädä 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 2, "ASCII"},

	{section + "a=mid:0\r\n", 0, "before the first m="},
	{"v=0\r\n", 1, "before the first m="},
	{"v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\n", 3, "before the first m="},
	{"v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\n" + section, 3, "before the first m="},
	{"o=- 1 2 IN IP4 0.0.0.0\r\nv=0\r\ns=-\r\nt=0 0\r\n", 1, "starts with"},
	{"v=0\r\ns=-\r\no=- 1 2 IN IP4 0.0.0.0\r\nt=0 0\r\n", 2, "starts with"},
	{"v=0\r\nt=0 0\r\n", 2, "starts with"},
	{"v=0\r\nv=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 2, "starts with"},
	{"a=mid:0\r\n", 1, "starts with"},
	{session + "s=-\r\n", 5, "out of order"},
	{session + "c=IN IP4 0.0.0.0\r\n", 5, "out of order"},
	{session + "a=group:BUNDLE 0\r\nt=0 0\r\n", 6, "out of order"},
	{session + "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 5, "out of order"},
	{session + "t=0 0\r\n", 5, "second line"},
	{"v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n", 5, "second line"},
	{"v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\na=group:BUNDLE 0\r\n", 4, "t= is missing"},
	{"v=1\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 1, "version"},
	{"v= 0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 1, "version"},
	{"v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0\r\n", 4, "time"},
	{"v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0 0\r\n", 4, "time"},
	{"v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0  0\r\n", 4, "time"},
	{"v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=now later\r\n", 4, "time"},

	{"v=0\r\no=\r\ns=-\r\nt=0 0\r\n", 2, "origin"},
	{"v=0\r\no=- 1 2 IN IP4\r\ns=-\r\nt=0 0\r\n", 2, "origin"},
	{"v=0\r\no=- 1 2 IN IP4 \r\ns=-\r\nt=0 0\r\n", 2, "origin"},
	{"v=0\r\no=- 1 2 IN IP4 0.0.0.0 x\r\ns=-\r\nt=0 0\r\n", 2, "origin"},
	{"v=0\r\no=-  1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 2, "origin"},
	{"v=0\r\no= - 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 2, "origin"},
	{"v=0\r\no=- x 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 2, "origin"},
	{"v=0\r\no=- -1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 2, "origin"},
	{"v=0\r\no=- 18446744073709551616 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 2, "origin"},
	{"v=0\r\no=- 1 2 in IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 2, "origin"},
	{"v=0\r\no=- 1 2 IN IP5 0.0.0.0\r\ns=-\r\nt=0 0\r\n", 2, "origin"},
	{"v=0\r\no=- 1 2 ATM NSAP 47\r\ns=-\r\nt=0 0\r\n", 2, "origin"},

	{session + "m=\r\n", 5, "media must be"},
	{session + "m=image 9 RTP/AVP 0\r\n", 5, "media must be"},
	{session + "m=Audio 9 RTP/AVP 0\r\n", 5, "media must be"},
	{session + "m= audio 9 RTP/AVP 0\r\n", 5, "media must be"},
	{session + "m=audio\r\n", 5, "media port"},
	{session + "m=audio 65536 RTP/AVP 0\r\n", 5, "media port"},
	{session + "m=audio -1 RTP/AVP 0\r\n", 5, "media port"},
	{session + "m=audio 9/2 RTP/AVP 0\r\n", 5, "media port"},
	{session + "m=audio 09 RTP/AVP 0\r\n", 5, "media port"},
	{session + "m=audio  9 RTP/AVP 0\r\n", 5, "media port"},
	{session + "m=audio 9\r\n", 5, "media protocol"},
	{session + "m=audio 9 TCP/MSRP *\r\n", 5, "media protocol"},
	{session + "m=audio 9 udp/tls/rtp/savpf 0\r\n", 5, "media protocol"},
	{session + "m=audio 9 10.0.0.1 0\r\n", 5, "media protocol"},
	{session + "m=audio 9 RTP/AVP\r\n", 5, "media formats"},
	{session + "m=audio 9 RTP/AVP \r\n", 5, "media formats"},
	{session + "m=audio 9 RTP/AVP 0  8\r\n", 5, "media formats"},
	{session + "m=audio 9 RTP/AVP 0 \r\n", 5, "media formats"},
	{session + "m=audio 9 RTP/AVP 10.0.0.1\r\n", 5, "media formats"},
	{session + "m=audio 9 RTP/AVP fe80::1\r\n", 5, "media formats"},
	{session + section + "c=IN IP4 0.0.0.0\r\nc=IN IP4 10.0.0.1\r\n", 7, "second c="},
	{session + section + "c=\r\n", 6, "connection"},
	{session + section + "c=IN IP4\r\n", 6, "connection"},
	{session + section + "c=IN  IP4 10.0.0.1\r\n", 6, "connection"},
	{session + section + "c=IN IP4 10.0.0.1 \r\n", 6, "connection"},
	{session + section + "c=IN IP4 10.0.0.1 10.0.0.2\r\n", 6, "connection"},
	{session + section + "c=IN ip4 10.0.0.1\r\n", 6, "connection"},
	{session + section + "t=0 0\r\n", 6, "does not belong"},
	{session + section + "o=- 1 2 IN IP4 10.0.0.1\r\n", 6, "does not belong"},
	{session + section + "v=0\r\n", 6, "does not belong"},
	{session + section + "u=http://10.0.0.1/\r\n", 6, "does not belong"},

	{session + section + "a=\r\n", 6, "attribute name"},
	{session + section + "a=:x\r\n", 6, "attribute name"},
	{session + section + "a= candidate:1 1 udp 1 10.0.0.1 5000 typ host\r\n", 6, "attribute name"},
	{session + section + "a=candidate :1 1 udp 1 10.0.0.1 5000 typ host\r\n", 6, "attribute name"},
	{session + section + "a=ice-ufrag\r\n", 6, "ice-ufrag"},
	{session + section + "a=ice-ufrag:abc\r\n", 6, "ice-ufrag"},
	{session + section + "a=ice-ufrag: abcd\r\n", 6, "ice-ufrag"},
	{session + section + "a=ice-ufrag:10.0.0.1\r\n", 6, "ice-ufrag"},
	{session + section + "a=ice-ufrag:" + strings.Repeat("a", 257) + "\r\n", 6, "ice-ufrag"},
	{session + section + "a=ice-pwd:short\r\n", 6, "ice-pwd"},
	{session + section + "a=ice-pwd:0123456789abcdefgh+/A:\r\n", 6, "ice-pwd"},
	{session + section + "a=ice-pwd:" + strings.Repeat("a", 257) + "\r\n", 6, "ice-pwd"},
	{session + section + "a=fingerprint:sha-256\r\n", 6, "fingerprint"},
	{session + section + "a=fingerprint:sha-256 \r\n", 6, "fingerprint"},
	{session + section + "a=fingerprint:sha-256 fe:80:00:00:00:00:00:01\r\n", 6, "fingerprint"},
	{session + section + "a=fingerprint:sha-256 " + digest(31) + "\r\n", 6, "fingerprint"},
	{session + section + "a=fingerprint:sha-256 " + digest(33) + "\r\n", 6, "fingerprint"},
	{session + section + "a=fingerprint:sha-256 " + digest(32) + " x\r\n", 6, "fingerprint"},
	{session + section + "a=fingerprint:sha-256 " + strings.Replace(digest(32), "F", "G", 1) + "\r\n", 6, "fingerprint"},
	{session + section + "a=fingerprint:sha-256 " + strings.Replace(digest(32), ":", "-", 1) + "\r\n", 6, "fingerprint"},
	{session + section + "a=fingerprint:sha-1 " + digest(32) + "\r\n", 6, "fingerprint"},
	{session + section + "a=setup\r\n", 6, "setup"},
	{session + section + "a=setup:ACTIVE\r\n", 6, "setup"},
	{session + "a=setup:active passive\r\n", 5, "setup"},
}

func TestSanitise_refuses(t *testing.T) {
	for _, tt := range refused {
		for _, p := range contract.Policies() {
			out, report, err := Sanitise([]byte("before"), []byte(tt.text), p, DefaultLimits())
			var got *Fault
			if !errors.As(err, &got) {
				t.Errorf("%q: got %v", tt.text, err)
				continue
			}
			if got.Line != tt.line || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("%q: got %v, want line %d, %s", tt.text, got, tt.line, tt.reason)
			}
			if string(out) != "before" || report != (Report{}) {
				t.Errorf("%q: got %q, %v beside the error", tt.text, out, report)
			}
		}
	}
}

func TestFault_Error(t *testing.T) {
	for want, f := range map[string]*Fault{
		"description: empty":                      {Reason: "empty"},
		"description: line 12: version must be 0": {Line: 12, Reason: "version must be 0"},
	} {
		if got := f.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSanitise_limits(t *testing.T) {
	text := session + section + "a=mid:0\r\n" + section + "a=mid:1\r\n"
	exact := Limits{Bytes: len(text), Lines: 8, LineBytes: len(section) - 2, Sections: 2, Candidates: 1}
	if _, _, err := Sanitise(nil, []byte(text), contract.PolicyPublic, exact); err != nil {
		t.Fatalf("at every limit: %v", err)
	}
	tests := map[string]struct {
		shrink func(*Limits)
		reason string
	}{
		"bytes":    {func(l *Limits) { l.Bytes-- }, "limit in bytes"},
		"lines":    {func(l *Limits) { l.Lines-- }, "more lines"},
		"line":     {func(l *Limits) { l.LineBytes-- }, "limit of one line"},
		"sections": {func(l *Limits) { l.Sections-- }, "more media sections"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			lim := exact
			tt.shrink(&lim)
			_, _, err := Sanitise(nil, []byte(text), contract.PolicyPublic, lim)
			if err == nil || !strings.Contains(err.Error(), tt.reason) {
				t.Errorf("got %v, want %q", err, tt.reason)
			}
		})
	}
}

func TestSanitise_limitsCandidates(t *testing.T) {
	const (
		good    = "a=candidate:1 1 udp 1 93.184.216.34 5000 typ host\r\n"
		private = "a=candidate:1 1 udp 1 10.0.0.1 5000 typ host\r\n"
	)
	lim := DefaultLimits()
	lim.Candidates = 3
	text := session + section + good + private + good + section + good + private + good
	out, report, err := Sanitise(nil, []byte(text), contract.PolicyPublic, lim)
	if err != nil {
		t.Fatal(err)
	}
	if want := session + section + good + good + section + good; string(out) != want {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
	if got := report.Count(contract.RuleTooManyCandidates); got != 1 {
		t.Errorf("counted %d, want 1", got)
	}
	if got := report.Count(contract.RulePrivateAddress); got != 2 {
		t.Errorf("counted %d private addresses, want 2", got)
	}
}

func TestReport_All(t *testing.T) {
	var r Report
	r.add(contract.RuleSDPLine)
	r.add(contract.RulePrivateAddress)
	r.add(contract.RuleSDPLine)
	var got []contract.Rule
	for rule, n := range r.All() {
		got = append(got, rule)
		if n != r.Count(rule) {
			t.Errorf("%s: All says %d, Count %d", rule, n, r.Count(rule))
		}
	}
	if len(got) != 2 || got[0] != contract.RulePrivateAddress || got[1] != contract.RuleSDPLine {
		t.Errorf("got %v", got)
	}
}

// Every rule is either countable here or one that this package never applies.
func TestReport_knowsEveryRule(t *testing.T) {
	for _, rule := range contract.Rules() {
		var r Report
		r.add(rule)
		want := 1
		if rule == contract.RuleSuperseded || rule == contract.RuleBadDescription {
			want = 0
		}
		if got := r.Count(rule); got != want {
			t.Errorf("%s: counted %d, want %d", rule, got, want)
		}
	}
}
