package negotiation

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-rtc/parley/services/contract"
)

// browser is one of two that negotiate as W3C WebRTC section 10.7 has them do,
// with the edge it is at. What it sends waits in up until its edge takes it,
// then in link until the other's edge delivers it, and in down until the
// other browser looks.
type browser struct {
	name   string
	polite bool
	other  *browser

	pending description // our offer without an answer
	local   description // of ours, that was settled last
	remote  string      // the fragment of theirs
	made    []description

	up, link, down []signal

	// The edge's.
	pair    Pair
	open    string   // the last offer that was delivered and isn't done with
	sent    string   // the last offer that was sent and isn't done with
	seen    []string // negotiations
	dropped []signal
}

type description struct{ negotiation, ufrag string }

type signal struct {
	kind contract.Kind
	description
	bare bool // a candidate that doesn't name its fragment
}

// couple is two browsers, and what it takes to name things.
type couple struct {
	both  [2]*browser
	named int
}

func newCouple() *couple {
	c := &couple{both: [2]*browser{{name: "ada"}, {name: "bob", polite: true}}}
	c.both[0].other, c.both[1].other = c.both[1], c.both[0]
	return c
}

func (c *couple) fresh(prefix string) string {
	c.named++
	return fmt.Sprint(prefix, c.named)
}

func (c *couple) any(t *rapid.T) *browser { return c.both[rapid.IntRange(0, 1).Draw(t, "browser")] }

// offer makes an offer, in place of the last one if that has no answer yet.
func (c *couple) offer(t *rapid.T) {
	b := c.any(t)
	ufrag := b.local.ufrag
	if b.pending.negotiation != "" {
		ufrag = b.pending.ufrag
	}
	if ufrag == "" || rapid.Bool().Draw(t, "restart") {
		ufrag = c.fresh("u")
	}
	b.pending = description{c.fresh("n"), ufrag}
	b.say(contract.KindOffer, b.pending)
}

func (b *browser) say(kind contract.Kind, d description) {
	b.made = append(b.made, d)
	b.up = append(b.up, signal{kind: kind, description: d})
}

// trickle finds a candidate, which may be of a description that doesn't count any more.
func (c *couple) trickle(t *rapid.T) {
	b := c.any(t)
	if len(b.made) == 0 {
		return
	}
	d := rapid.SampledFrom(b.made[max(0, len(b.made)-4):]).Draw(t, "description")
	b.up = append(b.up, signal{contract.KindCandidate, d, rapid.Bool().Draw(t, "bare")})
}

// look has a browser take what its edge has delivered.
func (c *couple) look(b *browser) {
	s := b.down[0]
	b.down = b.down[1:]
	switch s.kind {
	case contract.KindOffer:
		if b.pending.negotiation != "" && !b.polite {
			return
		}
		b.pending = description{}
		ufrag := b.local.ufrag
		if ufrag == "" || s.ufrag != b.remote {
			ufrag = c.fresh("u")
		}
		b.local, b.remote = description{s.negotiation, ufrag}, s.ufrag
		b.say(contract.KindAnswer, b.local)
	case contract.KindAnswer:
		if s.negotiation == b.pending.negotiation {
			b.local, b.remote, b.pending = b.pending, s.ufrag, description{}
		}
	default:
	}
}

// take has the edge take what its browser sent.
func (b *browser) take(t *rapid.T) {
	s := b.up[0]
	b.up = b.up[1:]
	b.sees(s.negotiation)
	switch s.kind {
	case contract.KindOffer:
		b.glare(t)
		if err := b.pair.SendOffer([]byte(s.negotiation), sdp(s.ufrag), b.polite, true); err != nil {
			t.Fatalf("%s can roll back, its offer is refused: %v", b.name, err)
		}
		b.sent = s.negotiation
	case contract.KindAnswer:
		b.pair.SendAnswer([]byte(s.negotiation), sdp(s.ufrag))
		b.sent = ""
		if b.open == s.negotiation {
			b.open = ""
		}
	default:
		if b.judge(t, s) == contract.RuleSuperseded {
			b.dropped = append(b.dropped, s)
			return
		}
	}
	b.link = append(b.link, s)
}

func (b *browser) judge(t *rapid.T, s signal) contract.Rule {
	var ufrag []byte
	if !s.bare {
		ufrag = []byte(s.ufrag)
	}
	rule, err := b.pair.Candidate([]byte(s.negotiation), ufrag, 1<<20, 1)
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

// glare asks what would become of an offer of one who can't roll back: it must be
// refused to the polite one, and only while an offer of the other waits for an
// answer.
func (b *browser) glare(t *rapid.T) {
	for _, polite := range []bool{false, true} {
		p := b.pair
		err := p.SendOffer([]byte("another"), sdp("another"), polite, false)
		if got, want := err != nil, polite && b.open != ""; got != want {
			t.Fatalf("%s, polite %v, has the offer %q to answer: glare %v, want %v", b.name, polite, b.open, got, want)
		}
		if err != nil && p != b.pair {
			t.Fatal("the refused offer left a trace")
		}
	}
}

// deliver has the other's edge deliver what this one's sent.
func (b *browser) deliver() {
	s, to := b.link[0], b.other
	b.link = b.link[1:]
	to.down = append(to.down, s)
	switch s.kind {
	case contract.KindOffer:
		to.sees(s.negotiation)
		to.pair.ReceiveOffer([]byte(s.negotiation))
		to.open = s.negotiation
	case contract.KindAnswer:
		to.pair.ReceiveAnswer([]byte(s.negotiation))
		if to.sent == s.negotiation {
			to.sent, to.open = "", ""
		}
	default:
	}
}

func (b *browser) sees(negotiation string) {
	if !slices.Contains(b.seen, negotiation) {
		b.seen = append(b.seen, negotiation)
	}
}

// step moves the first of what waits in one of the six places.
func (c *couple) step(t *rapid.T) {
	b := c.any(t)
	switch place := rapid.IntRange(0, 2).Draw(t, "place"); {
	case place == 0 && len(b.up) > 0:
		b.take(t)
	case place == 1 && len(b.link) > 0:
		b.deliver()
	case place == 2 && len(b.down) > 0:
		c.look(b)
	}
}

// calm lets everything arrive. Then both browsers have settled the same
// negotiation, and both edges know it.
func (c *couple) calm(t *rapid.T) {
	for c.moves(t) {
	}
	for _, b := range c.both {
		if b.local.negotiation != b.other.local.negotiation || b.pending.negotiation != "" {
			t.Fatalf("the browsers of this test don't agree: %+v", b)
		}
		if len(b.seen) > 0 {
			b.settled(t)
		}
	}
}

func (c *couple) moves(t *rapid.T) (moved bool) {
	for _, b := range c.both {
		for len(b.up) > 0 {
			b.take(t)
			moved = true
		}
		for len(b.link) > 0 {
			b.deliver()
			moved = true
		}
		for len(b.down) > 0 {
			c.look(b)
			moved = true
		}
	}
	return moved
}

// settled checks what the edge knows, and that it dropped nothing of what counts now.
func (b *browser) settled(t *rapid.T) {
	p := &b.pair
	if p.settled.id != markOf([]byte(b.local.negotiation)) || !p.settled.has(markOf([]byte(b.local.ufrag))) {
		t.Fatalf("%s has settled %v, its edge doesn't know", b.name, b.local)
	}
	if p.sent.id != none || p.got.id != none {
		t.Fatalf("%s has no open offer, its edge takes one for open", b.name)
	}
	for _, s := range b.dropped {
		if s.ufrag == b.local.ufrag {
			t.Fatalf("%s has settled %v, a candidate of it was dropped: %+v", b.name, b.local, s)
		}
	}
	if len(b.seen) > maxReplaced+1 {
		return // it may have forgotten some
	}
	for _, d := range b.made {
		for _, bare := range []bool{false, true} {
			probe := browser{pair: b.pair}
			got := probe.judge(t, signal{contract.KindCandidate, d, bare})
			if got, want := got == contract.RuleSuperseded, d.ufrag != b.local.ufrag; got != want {
				t.Fatalf("%s has settled %v: a candidate of %v (bare: %v) is superseded: %v, want %v",
					b.name, b.local, d, bare, got, want)
			}
		}
	}
}

// TestPair_properties has two browsers offer, restart and answer whenever they
// like, over edges that are as late as they like.
func TestPair_properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCouple()
		t.Repeat(map[string]func(*rapid.T){
			"offer": c.offer, "trickle": c.trickle, "calm": c.calm,
			"step": c.step, "step 2": c.step, "step 3": c.step, "step 4": c.step,
		})
		c.calm(t)
	})
}
