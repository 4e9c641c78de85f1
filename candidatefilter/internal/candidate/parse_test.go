package candidate

import (
	"bufio"
	"net/netip"
	"os"
	"strings"
	"testing"
)

// sample is a candidate of testdata/good.txt.
type sample struct{ writer, text string }

func corpus(tb testing.TB) []sample {
	tb.Helper()
	f, err := os.Open("testdata/good.txt")
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	var good []sample
	for lines := bufio.NewScanner(f); lines.Scan(); {
		writer, text, ok := strings.Cut(lines.Text(), " ")
		if ok && writer != "#" {
			good = append(good, sample{writer, text})
		}
	}
	return good
}

func TestParse_keepsWhatClientsWrite(t *testing.T) {
	for _, s := range corpus(t) {
		t.Run(s.writer, func(t *testing.T) {
			c, err := Parse(s.text)
			if err != nil {
				t.Fatalf("%s: %v", s.text, err)
			}
			if got := string(c.Append(nil)); got != s.text {
				t.Errorf("got  %s\nwant %s", got, s.text)
			}
		})
	}
}

func TestParse_fillsEveryField(t *testing.T) {
	got, err := Parse("candidate:8+/a 2 TCP 1518280447 2001:DB8::1 9 typ srflx raddr 10.1.2.3 rport 5000 " +
		"tcptype active network-id 7 ufrag aB+/ pwd secret generation 3 unknown x network-cost 999")
	if err != nil {
		t.Fatal(err)
	}
	want := Candidate{
		Foundation:  "8+/a",
		Component:   2,
		Transport:   TCP,
		Priority:    1518280447,
		Address:     Address{IP: netip.MustParseAddr("2001:db8::1")},
		Port:        9,
		Type:        ServerReflexive,
		Related:     Address{IP: netip.MustParseAddr("10.1.2.3")},
		RelatedPort: 5000,
		TCPType:     Active,
		Generation:  3,
		Ufrag:       "aB+/",
		NetworkID:   7,
		NetworkCost: 999,
		upper:       true,
		order:       [extensionCount]Extension{ExtTCPType, ExtNetworkID, ExtUfrag, ExtGeneration, ExtNetworkCost},
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParse_readsWithAndWithoutPrefix(t *testing.T) {
	const value = "1 1 udp 1 93.184.216.34 5000 typ host"
	for _, prefix := range []string{"", "candidate:", "a=candidate:"} {
		c, err := Parse(prefix + value)
		if err != nil {
			t.Errorf("%q: %v", prefix, err)
			continue
		}
		if got, want := string(c.Append(nil)), "candidate:"+value; got != want {
			t.Errorf("%q: got %s, want %s", prefix, got, want)
		}
	}
}

func TestParse_forwardsNothingUnknown(t *testing.T) {
	tests := map[string]struct{ in, want string }{
		"the ICE password": {
			in:   "candidate:1 1 udp 1 93.184.216.34 5000 typ host ufrag abcd pwd 0123456789012345678901",
			want: "candidate:1 1 udp 1 93.184.216.34 5000 typ host ufrag abcd",
		},
		"an unknown extension": {
			in:   "candidate:1 1 udp 1 93.184.216.34 5000 typ host x-host 10.0.0.1 generation 0",
			want: "candidate:1 1 udp 1 93.184.216.34 5000 typ host generation 0",
		},
		"another spelling of an IPv6 address": {
			in:   "candidate:1 1 udp 1 2606:2800:0220:0001:0:0:0:9 5000 typ host",
			want: "candidate:1 1 udp 1 2606:2800:220:1::9 5000 typ host",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := Parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(c.Append(nil)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestCandidate_Has(t *testing.T) {
	c, err := Parse("candidate:1 1 udp 1 93.184.216.34 5000 typ host generation 0")
	if err != nil {
		t.Fatal(err)
	}
	if !c.Has(ExtGeneration) || c.Has(ExtUfrag) {
		t.Errorf("got generation %v, ufrag %v, want true, false", c.Has(ExtGeneration), c.Has(ExtUfrag))
	}
}

func TestParse_limitsTheText(t *testing.T) {
	text := "candidate:1 1 udp 1 93.184.216.34 5000 typ host "
	fill := strings.Repeat("x", MaxBytes-len(text)-2)
	if _, err := Parse(text + "x " + fill); err != nil {
		t.Errorf("%d bytes: %v", MaxBytes, err)
	}
	if _, err := Parse(text + "x " + fill + "x"); err != error(errTooLong) {
		t.Errorf("%d bytes: got %v, want %v", MaxBytes+1, err, errTooLong)
	}
}

func TestParse_allocatesNothing(t *testing.T) {
	const text = "candidate:842163049 1 udp 1677729535 2606:2800:220:1::7 46154 typ srflx raddr fd12::2 rport 40123 " +
		"generation 0 ufrag EEtu network-id 3 network-cost 10"
	buffer := make([]byte, 0, MaxBytes)
	got := testing.AllocsPerRun(100, func() {
		c, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		buffer = c.Append(buffer[:0])
	})
	if got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

func BenchmarkParse(b *testing.B) {
	const text = "candidate:842163049 1 udp 1677729535 93.184.216.34 46154 typ srflx raddr 0.0.0.0 rport 0 " +
		"generation 0 ufrag EEtu network-id 3 network-cost 10"
	buffer := make([]byte, 0, MaxBytes)
	b.ReportAllocs()
	for b.Loop() {
		c, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		buffer = c.Append(buffer[:0])
	}
}
