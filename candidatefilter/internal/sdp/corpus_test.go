package sdp

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// corpus returns the descriptions of testdata by file name, with CRLF. Those of
// pion are what pion/webrtc 4.2.26 wrote, with more candidates in one of them;
// those of browsers are written after the forms that each browser uses.
func corpus(tb testing.TB) map[string]string {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.sdp")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no corpus: %v", err)
	}
	texts := make(map[string]string)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".sdp")
		texts[name] = strings.ReplaceAll(string(text), "\n", "\r\n")
	}
	return texts
}

// sanitise sanitises a text that must pass.
func sanitise(tb testing.TB, text string, p contract.Policy) (string, Report) {
	tb.Helper()
	out, report, err := Sanitise(nil, []byte(text), p, DefaultLimits())
	if err != nil {
		tb.Fatalf("%v in\n%s", err, text)
	}
	return string(out), report
}

// diff returns the lines of in that are not in out, and the other way round.
func diff(in, out string) (gone, come []string) {
	before, after := strings.Split(in, "\r\n"), strings.Split(out, "\r\n")
	for _, ln := range before {
		if i := slices.Index(after, ln); i >= 0 {
			after = slices.Delete(after, i, i+1)
		} else {
			gone = append(gone, ln)
		}
	}
	return gone, after
}

func TestSanitise_keepsClientsWordsUnderAll(t *testing.T) {
	for name, text := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			out, report := sanitise(t, text, contract.PolicyAll)
			if out != text {
				gone, come := diff(text, out)
				t.Errorf("gone %q\ncome %q", gone, come)
			}
			for rule, n := range report.All() {
				t.Errorf("reported %s %d times", rule, n)
			}
		})
	}
}

func TestSanitise_touchesOnlyAddresses(t *testing.T) {
	for name, text := range corpus(t) {
		for _, p := range []contract.Policy{contract.PolicyPublic, contract.PolicyRelay} {
			t.Run(name+"/"+string(p), func(t *testing.T) {
				out, _ := sanitise(t, text, p)
				gone, come := diff(text, out)
				for _, ln := range append(gone, come...) {
					kind, _, _ := strings.Cut(ln, ":")
					switch {
					case kind == "a=candidate", kind == "a=rtcp", ln[:2] == "c=", ln[:2] == "m=":
					default:
						t.Errorf("touched %q", ln)
					}
				}
			})
		}
	}
}

func TestSanitise_corpus(t *testing.T) {
	const (
		mdnsHost = "a=candidate:1510613869 1 udp 2113937151 4b2f1d1e-7d0e-4c7f-9a53-0f1f4f6c2b11.local 60843 typ host generation 0 network-cost 999"
		srflx    = "a=candidate:1853887674 1 udp 1677729535 93.184.216.34 36768 typ srflx raddr 0.0.0.0 rport 0 generation 0 network-cost 999"
		relay    = "a=candidate:2157334355 1 udp 33562367 151.101.1.69 54000 typ relay raddr 93.184.216.34 rport 36768 generation 0 network-cost 999"
	)
	tests := []struct {
		file       string
		policy     contract.Policy
		gone, come []string
		counts     map[contract.Rule]int
		candidates int
	}{
		{
			file: "chrome-data-offer", policy: contract.PolicyPublic,
			gone: []string{"m=application 36768 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 93.184.216.34", srflx, relay},
			come: []string{
				"m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0",
				strings.Replace(srflx, "rport 0", "rport 9", 1),
				strings.Replace(relay, "raddr 93.184.216.34 rport 36768", "raddr 0.0.0.0 rport 9", 1),
			},
			counts:     map[contract.Rule]int{contract.RuleSDPAddress: 2, contract.RuleRelatedAddress: 1},
			candidates: 3,
		},
		{
			file: "chrome-data-offer", policy: contract.PolicyRelay,
			gone: []string{"m=application 36768 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 93.184.216.34", mdnsHost, srflx, relay},
			come: []string{
				"m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0",
				strings.Replace(relay, "raddr 93.184.216.34 rport 36768", "raddr 0.0.0.0 rport 9", 1),
			},
			counts:     map[contract.Rule]int{contract.RuleSDPAddress: 2, contract.RuleNotRelay: 2, contract.RuleRelatedAddress: 1},
			candidates: 1,
		},
		{
			file: "firefox-av-offer", policy: contract.PolicyPublic,
			gone: []string{
				"m=audio 54925 UDP/TLS/RTP/SAVPF 109 9 0 8 101",
				"c=IN IP4 192.168.8.221",
				"a=candidate:0 1 UDP 2122252543 192.168.8.221 54925 typ host",
				"a=candidate:4 1 TCP 2105524479 192.168.8.221 9 typ host tcptype active",
				"a=candidate:0 2 UDP 2122252542 192.168.8.221 56890 typ host",
				"a=candidate:4 2 TCP 2105524478 192.168.8.221 9 typ host tcptype active",
				"a=candidate:1 1 UDP 1686052863 93.184.216.34 54925 typ srflx raddr 192.168.8.221 rport 54925",
				"a=candidate:1 2 UDP 1686052862 93.184.216.34 56890 typ srflx raddr 192.168.8.221 rport 56890",
				"a=rtcp:56890 IN IP4 192.168.8.221",
			},
			come: []string{
				"m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101",
				"a=candidate:1 1 UDP 1686052863 93.184.216.34 54925 typ srflx raddr 0.0.0.0 rport 9",
				"a=candidate:1 2 UDP 1686052862 93.184.216.34 56890 typ srflx raddr 0.0.0.0 rport 9",
				"a=rtcp:9 IN IP4 0.0.0.0",
				"c=IN IP4 0.0.0.0",
			},
			counts: map[contract.Rule]int{
				contract.RuleSDPAddress: 3, contract.RulePrivateAddress: 4, contract.RuleRelatedAddress: 2,
			},
			candidates: 2,
		},
		{
			file: "pion-data-offer", policy: contract.PolicyRelay,
			gone: []string{
				"a=candidate:2070692838 1 udp 2130706431 192.0.2.2 40056 typ host ufrag NtOZMMiNOCkmuIwP generation 0",
				"a=candidate:2070692838 2 udp 2130706431 192.0.2.2 40056 typ host ufrag NtOZMMiNOCkmuIwP generation 0",
				"a=candidate:3932658255 1 udp 2130706431 fd00::2 41407 typ host ufrag NtOZMMiNOCkmuIwP generation 0",
				"a=candidate:3932658255 2 udp 2130706431 fd00::2 41407 typ host ufrag NtOZMMiNOCkmuIwP generation 0",
				"a=candidate:3769337065 1 udp 1694498815 93.184.216.34 58317 typ srflx raddr 0.0.0.0 rport 58317 ufrag NtOZMMiNOCkmuIwP generation 0",
				"a=candidate:848194626 1 udp 16777215 151.101.1.69 50000 typ relay raddr 93.184.216.34 rport 5000 ufrag NtOZMMiNOCkmuIwP generation 0",
				"a=candidate:1052353102 1 tcp 2128609279 192.168.0.196 8443 typ host tcptype passive ufrag NtOZMMiNOCkmuIwP generation 0",
			},
			come: []string{
				"a=candidate:848194626 1 udp 16777215 151.101.1.69 50000 typ relay raddr 0.0.0.0 rport 9 ufrag NtOZMMiNOCkmuIwP generation 0",
			},
			counts:     map[contract.Rule]int{contract.RuleNotRelay: 6, contract.RuleRelatedAddress: 1},
			candidates: 1,
		},
	}
	texts := corpus(t)
	for _, tt := range tests {
		t.Run(tt.file+"/"+string(tt.policy), func(t *testing.T) {
			out, report := sanitise(t, texts[tt.file], tt.policy)
			gone, come := diff(texts[tt.file], out)
			slices.Sort(come)
			slices.Sort(tt.come)
			if !slices.Equal(gone, tt.gone) {
				t.Errorf("gone\n got %q\nwant %q", gone, tt.gone)
			}
			if !slices.Equal(come, tt.come) {
				t.Errorf("come\n got %q\nwant %q", come, tt.come)
			}
			for _, rule := range contract.Rules() {
				if got, want := report.Count(rule), tt.counts[rule]; got != want {
					t.Errorf("%s: got %d, want %d", rule, got, want)
				}
			}
			if report.Candidates != tt.candidates {
				t.Errorf("got %d candidates, want %d", report.Candidates, tt.candidates)
			}
		})
	}
}

func TestSanitise_takesEveryLineEnd(t *testing.T) {
	text := corpus(t)["firefox-av-offer"]
	want, _ := sanitise(t, text, contract.PolicyPublic)
	bare := strings.ReplaceAll(text, "\r\n", "\n")
	for name, in := range map[string]string{
		"LF":             bare,
		"mixed":          strings.Replace(bare, "\n", "\r\n", 7),
		"CRLF, no last":  strings.TrimSuffix(text, "\r\n"),
		"LF, no last":    strings.TrimSuffix(bare, "\n"),
		"CRLF as it was": text,
	} {
		if got, _ := sanitise(t, in, contract.PolicyPublic); got != want {
			t.Errorf("%s: got another result than with CRLF", name)
		}
	}
}

func TestSanitise_mayWriteOverItsInput(t *testing.T) {
	text := corpus(t)["chrome-av-offer"]
	want, _ := sanitise(t, text, contract.PolicyPublic)
	in := make([]byte, len(text), 2*len(text))
	copy(in, text)
	got, _, err := Sanitise(in[:0], in, contract.PolicyPublic, DefaultLimits())
	if err != nil || string(got) != want {
		t.Errorf("got %v and another result than into a new slice", err)
	}
}

func TestSanitise_allocatesOnlyTheText(t *testing.T) {
	text := []byte(corpus(t)["chrome-av-offer"])
	buffer := make([]byte, 0, 2*len(text))
	got := testing.AllocsPerRun(20, func() {
		if _, _, err := Sanitise(buffer, text, contract.PolicyPublic, DefaultLimits()); err != nil {
			t.Fatal(err)
		}
	})
	if got > 1 {
		t.Errorf("got %v allocations, want at most 1", got)
	}
}

func BenchmarkSanitise(b *testing.B) {
	for _, name := range []string{"chrome-data-offer", "pion-simulcast-offer"} {
		b.Run(name, func(b *testing.B) {
			text := []byte(corpus(b)[name])
			buffer := make([]byte, 0, 2*len(text))
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Sanitise(buffer, text, contract.PolicyPublic, DefaultLimits()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
