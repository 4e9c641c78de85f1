package negotiation

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"

	"github.com/parley-rtc/parley/services/contract"
)

func sdp(ufrags ...string) []byte {
	b := "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
	for _, u := range ufrags {
		b += "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:" + u + "\r\na=ice-pwd:secret\r\n"
	}
	return []byte(b)
}

const most = 64

// rule is what one candidate gets.
func rule(t *testing.T, p *Pair, negotiation, ufrag string) contract.Rule {
	t.Helper()
	r, err := p.Candidate([]byte(negotiation), []byte(ufrag), most, 1)
	if err != nil {
		t.Fatalf("candidate of %s: %v", negotiation, err)
	}
	return r
}

// offer sends an offer that no glare can stop.
func offer(p *Pair, negotiation string, ufrags ...string) {
	if err := p.SendOffer([]byte(negotiation), sdp(ufrags...), false, true); err != nil {
		panic(err)
	}
}

func TestPair_Candidate_is_superseded(t *testing.T) {
	const dropped, passed = contract.RuleSuperseded, contract.Rule("")
	for _, test := range []struct {
		name       string
		before     func(p *Pair)
		n, ufrag   string
		want       contract.Rule
		wantWithno contract.Rule // without a fragment
	}{
		{"never when nothing is known", func(*Pair) {}, "n1", "u1", passed, passed},
		{"not of an open offer", func(p *Pair) { offer(p, "n1", "u1") }, "n1", "u1", passed, passed},
		{"not of their open offer", func(p *Pair) { p.ReceiveOffer([]byte("n1")) }, "n1", "u1", passed, passed},
		{"when a new offer replaced the open one", func(p *Pair) {
			offer(p, "n1", "u1")
			offer(p, "n2", "u2")
		}, "n1", "u1", dropped, dropped},
		{"not when the new offer kept the fragment", func(p *Pair) {
			offer(p, "n1", "u1")
			offer(p, "n2", "u1")
		}, "n1", "u1", passed, passed},
		{"not while the offer of a restart is open", func(p *Pair) {
			offer(p, "n1", "u1")
			p.ReceiveAnswer([]byte("n1"))
			offer(p, "n2", "u2")
		}, "n1", "u1", passed, passed},
		{"when the offer of a restart was answered", func(p *Pair) {
			offer(p, "n1", "u1")
			p.ReceiveAnswer([]byte("n1"))
			offer(p, "n2", "u2")
			p.ReceiveAnswer([]byte("n2"))
		}, "n1", "u1", dropped, dropped},
		{"not when a renegotiation kept the fragment", func(p *Pair) {
			offer(p, "n1", "u1")
			p.ReceiveAnswer([]byte("n1"))
			offer(p, "n2", "u1")
			p.ReceiveAnswer([]byte("n2"))
		}, "n1", "u1", passed, passed},
		{"when they restarted and we answered", func(p *Pair) {
			p.ReceiveOffer([]byte("n1"))
			p.SendAnswer([]byte("n1"), sdp("u1"))
			p.ReceiveOffer([]byte("n2"))
			p.SendAnswer([]byte("n2"), sdp("u2"))
		}, "n1", "u1", dropped, dropped},
		{"not before we answered their restart", func(p *Pair) {
			p.ReceiveOffer([]byte("n1"))
			p.SendAnswer([]byte("n1"), sdp("u1"))
			p.ReceiveOffer([]byte("n2"))
		}, "n1", "u1", passed, passed},
		{"when we rolled our offer back to answer theirs", func(p *Pair) {
			offer(p, "n1", "u1")
			p.ReceiveOffer([]byte("n2"))
			p.SendAnswer([]byte("n2"), sdp("u2"))
		}, "n1", "u1", dropped, dropped},
		{"when they rolled their offer back to answer ours", func(p *Pair) {
			p.ReceiveOffer([]byte("n1"))
			offer(p, "n2", "u2")
			p.ReceiveAnswer([]byte("n2"))
		}, "n1", "u1", dropped, dropped},
		{"not by the answer to a replaced offer", func(p *Pair) {
			offer(p, "n1", "u1")
			offer(p, "n2", "u2")
			p.ReceiveAnswer([]byte("n1"))
		}, "n2", "u2", passed, passed},
		{"not when our answer crossed their new offer", func(p *Pair) {
			p.ReceiveOffer([]byte("n1"))
			p.ReceiveOffer([]byte("n2"))
			p.SendAnswer([]byte("n1"), sdp("u1"))
		}, "n1", "u1", passed, passed},
		{"not when another edge saw our description", func(p *Pair) {
			p.ReceiveAnswer([]byte("n1"))
			p.ReceiveAnswer([]byte("n2"))
		}, "n1", "u1", passed, passed},
		{"of a description with two fragments, not while one is current", func(p *Pair) {
			offer(p, "n1", "u1", "u2")
			p.ReceiveAnswer([]byte("n1"))
			offer(p, "n2", "u3", "u2")
			p.ReceiveAnswer([]byte("n2"))
		}, "n1", "u2", passed, passed},
		{"not when the fragments were too many to keep", func(p *Pair) {
			offer(p, "n1", "u1")
			offer(p, "n2", "u2", "u3", "u4")
		}, "n1", "u1", passed, passed},
		{"not when a description had no fragment", func(p *Pair) {
			offer(p, "n1", "u1")
			offer(p, "n2")
		}, "n1", "u1", passed, passed},
	} {
		t.Run(test.name, func(t *testing.T) {
			var p Pair
			test.before(&p)
			if got := rule(t, &p, test.n, test.ufrag); got != test.want {
				t.Errorf("with its fragment: rule %q, want %q", got, test.want)
			}
			if got := rule(t, &p, test.n, ""); got != test.wantWithno {
				t.Errorf("without a fragment: rule %q, want %q", got, test.wantWithno)
			}
		})
	}
}

func TestPair_Candidate_forgets_the_oldest(t *testing.T) {
	var p Pair
	for i := range maxReplaced + 2 {
		offer(&p, fmt.Sprintf("n%d", i), fmt.Sprintf("u%d", i))
	}
	if got, want := rule(t, &p, "n0", "u0"), contract.Rule(""); got != want {
		t.Errorf("the fifth replaced: rule %q, want %q", got, want)
	}
	if got, want := rule(t, &p, "n1", "u1"), contract.RuleSuperseded; got != want {
		t.Errorf("the fourth replaced: rule %q, want %q", got, want)
	}
}

func TestPair_Candidate_limit(t *testing.T) {
	pass := func(t *testing.T, p *Pair, negotiation string, n int) {
		t.Helper()
		if _, err := p.Candidate([]byte(negotiation), []byte("u"), most, n); err != nil {
			t.Fatalf("%d of %s: %v", n, negotiation, err)
		}
	}
	refused := func(t *testing.T, p *Pair, negotiation string, n int) {
		t.Helper()
		if _, err := p.Candidate([]byte(negotiation), []byte("u"), most, n); err == nil || err.Code != contract.CodeTooManyCands {
			t.Fatalf("%d of %s: error %v, want %s", n, negotiation, err, contract.CodeTooManyCands)
		}
	}
	t.Run("the last one passes and the next doesn't", func(t *testing.T) {
		var p Pair
		offer(&p, "n1", "u")
		pass(t, &p, "n1", most-1)
		refused(t, &p, "n1", 2)
		pass(t, &p, "n1", 1)
		refused(t, &p, "n1", 1)
	})
	t.Run("each negotiation has its own", func(t *testing.T) {
		var p Pair
		offer(&p, "n1", "u")
		pass(t, &p, "n1", most)
		p.ReceiveAnswer([]byte("n1"))
		offer(&p, "n2", "u")
		pass(t, &p, "n2", most)
		refused(t, &p, "n1", 1)
	})
	t.Run("unknown negotiations share one", func(t *testing.T) {
		var p Pair
		pass(t, &p, "x1", most/2)
		pass(t, &p, "x2", most/2)
		refused(t, &p, "x3", 1)
		p.ReceiveOffer([]byte("x3"))
		pass(t, &p, "x3", most)
		pass(t, &p, "x1", most)
		offer(&p, "x4", "u")
		pass(t, &p, "x1", most)
		p.SendAnswer([]byte("x3"), sdp("u"))
		pass(t, &p, "x1", most)
		refused(t, &p, "x1", 1)
	})
	t.Run("an offer sent again doesn't count anew", func(t *testing.T) {
		var p Pair
		offer(&p, "n1", "u")
		pass(t, &p, "n1", most)
		offer(&p, "n1", "u")
		refused(t, &p, "n1", 1)
	})
	t.Run("huge numbers don't overflow", func(t *testing.T) {
		var p Pair
		const huge = int(^uint(0) >> 1)
		offer(&p, "n1", "u")
		pass(t, &p, "n1", 1)
		refused(t, &p, "n1", huge)
		if _, err := p.Candidate([]byte("n1"), []byte("u"), huge, huge); err == nil {
			t.Error("more than can be counted passed")
		}
	})
}

func TestPair_SendOffer_glare(t *testing.T) {
	for _, test := range []struct {
		name             string
		polite, rollback bool
		before           func(p *Pair)
		want             bool
	}{
		{"polite without rollback", true, false, func(p *Pair) { p.ReceiveOffer([]byte("theirs")) }, true},
		{"polite with rollback", true, true, func(p *Pair) { p.ReceiveOffer([]byte("theirs")) }, false},
		{"impolite", false, false, func(p *Pair) { p.ReceiveOffer([]byte("theirs")) }, false},
		{"no offer came", true, false, func(*Pair) {}, false},
		{"their offer is answered", true, false, func(p *Pair) {
			p.ReceiveOffer([]byte("theirs"))
			p.SendAnswer([]byte("theirs"), sdp("u"))
		}, false},
		{"they rolled it back", true, false, func(p *Pair) {
			offer(p, "before", "u")
			p.ReceiveOffer([]byte("theirs"))
			p.ReceiveAnswer([]byte("before"))
		}, false},
		{"their second offer replaced the first", true, false, func(p *Pair) {
			p.ReceiveOffer([]byte("theirs"))
			p.ReceiveOffer([]byte("theirs-2"))
			p.SendAnswer([]byte("theirs"), sdp("u"))
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			var p Pair
			test.before(&p)
			before := p
			err := p.SendOffer([]byte("ours"), sdp("u"), test.polite, test.rollback)
			if got := err != nil && err.Code == contract.CodeGlare; got != test.want || err != nil && !test.want {
				t.Fatalf("error %v, want glare: %v", err, test.want)
			}
			if err != nil && p != before {
				t.Error("the refused offer left a trace")
			}
		})
	}
}

func TestPair_is_small(t *testing.T) {
	if got, most := unsafe.Sizeof(Pair{}), uintptr(256); got > most {
		t.Errorf("%d bytes, want at most %d", got, most)
	}
}

func TestUfragsOf(t *testing.T) {
	for _, test := range []struct{ name, sdp, want string }{
		{"session and media", "a=ice-ufrag:one\r\nm=x\r\na=ice-ufrag:two\r\n", "one two"},
		{"bare line feeds and no end", "v=0\na=ice-ufrag:one\na=ice-ufrag:two", "one two"},
		{"only at the start of a line", "s=a=ice-ufrag:no\r\nxa=ice-ufrag:no\r\n", ""},
		{"not without a value", "a=ice-ufrag:\r\na=ice-ufrag\r\n", ""},
		{"not of another attribute", "a=ice-pwd:no\r\na=ice-ufragment:no\r\n", ""},
		{"nothing", "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all []string
			for u := range ufragsOf([]byte(test.sdp)) {
				all = append(all, string(u))
			}
			if got := strings.Join(all, " "); got != test.want {
				t.Errorf("fragments %q, want %q", got, test.want)
			}
		})
	}
}

// Whatever two peers do: a fragment of a description that we sent last is never
// dropped, nor is an unknown negotiation, and no negotiation passes more than
// its limit.
func TestPair_never_drops_what_counts(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 7))
		var p Pair
		last, lastUfrag, passed := "", "", map[string]int{}
		name := func() string { return fmt.Sprintf("n%d", random.IntN(12)) }
		for range 200 {
			n, u := name(), fmt.Sprintf("u%d", random.IntN(4))
			switch random.IntN(6) {
			case 0:
				if p.SendOffer([]byte(n), sdp(u), random.IntN(2) == 0, random.IntN(2) == 0) == nil {
					last, lastUfrag = n, u
				}
				clear(passed)
			case 1:
				p.ReceiveOffer([]byte(n))
				clear(passed)
			case 2:
				p.SendAnswer([]byte(n), sdp(u))
				last, lastUfrag = n, u
				clear(passed)
			case 3:
				p.ReceiveAnswer([]byte(n))
				clear(passed)
			case 4:
				if r, err := p.Candidate([]byte(n), []byte(u), 8, 3); err == nil && r == "" {
					passed[n] += 3
				}
			case 5:
				if r, _ := p.Candidate([]byte("stranger"), []byte(u), most, 1); r != "" {
					t.Fatalf("seed %d: a stranger got rule %q", seed, r)
				}
			}
			if passed[n] > 8 {
				t.Fatalf("seed %d: %d candidates of %s passed, at most 8 may", seed, passed[n], n)
			}
			if last != "" {
				if r, _ := p.Candidate([]byte(name()), []byte(lastUfrag), most, 0); r != "" {
					t.Fatalf("seed %d: a candidate with the fragment of our last description got rule %q", seed, r)
				}
			}
		}
	}
}

func TestPair_allocates_nothing(t *testing.T) {
	var p Pair
	text, negotiation, ufrag := sdp("u1", "u2"), []byte("a negotiation of more than 32 bytes"), []byte("u1")
	got := testing.AllocsPerRun(100, func() {
		p.ReceiveOffer(negotiation)
		p.SendAnswer(negotiation, text)
		if _, err := p.Candidate(negotiation, ufrag, most, 0); err != nil {
			t.Error(err)
		}
	})
	if got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}
