package negotiate

import (
	"math/rand/v2"
	"testing"
)

// side is one of a pair in a simulation without pion: its turn, and what pair
// keeps of offers, which are named by numbers from 1.
type side struct {
	turn     turn
	wants    int
	pending  int  // ours without an answer
	answered int  // theirs that our description answers
	refused  bool // ours was refused when it was said again
	unbound  bool // it doesn't know yet that its peer is another one
	got      int  // what the edge knows: theirs that reached us, without an answer of ours
}

// said is something on its way.
type said struct {
	what  string
	offer int
}

// talk is two sides that talk over ordered queues.
type talk struct {
	t      *testing.T
	seed   uint64
	r      *rand.Rand
	sides  [2]*side
	queues [2][]said // to each side
	named  int
}

const saysOffer, saysAnswer = "offer", "answer"

func (k *talk) say(i int, what string, offer int) {
	k.queues[1-i] = append(k.queues[1-i], said{what, offer})
}

// offer says the pending offer, unless the edge refuses it.
func (k *talk) offer(i int) bool {
	s := k.sides[i]
	if s.turn.asks && s.got != 0 && s.got != s.pending {
		return false
	}
	k.say(i, saysOffer, s.pending)
	return true
}

// act does what a side's turn asks for.
func (k *talk) act(i int) {
	s := k.sides[i]
	for s.pending == 0 && !s.unbound {
		switch s.turn.next(s.wants > 0) {
		case actNothing:
			return
		case actOffer:
			k.named++
			if s.pending = k.named; k.offer(i) {
				s.wants = 0
				return
			}
			s.pending = 0
			s.turn.collided()
		case actAsk:
			k.say(i, string(wordAsk), 0)
		case actGo:
			k.say(i, string(wordGo), 0)
		case actDone:
			k.say(i, string(wordDone), 0)
		}
	}
}

// lose has both sides lose what is on its way; i is the polite one from now on.
func (k *talk) lose(i int) {
	k.queues = [2][]said{}
	for n, s := range k.sides {
		s.unbound, s.got = true, 0
		s.turn.asks = n == i
	}
}

func (k *talk) bind(i int) {
	s := k.sides[i]
	s.unbound = false
	if s.turn.rebind(s.turn.asks, false) {
		k.say(i, string(wordBack), 0)
	}
	if s.pending != 0 {
		if s.answered != 0 {
			k.say(i, saysAnswer, s.answered)
		}
		s.refused = !k.offer(i)
	}
}

func (k *talk) hear(i int) {
	s, heard := k.sides[i], k.queues[i][0]
	k.queues[i] = k.queues[i][1:]
	switch heard.what {
	case saysOffer:
		switch {
		case s.pending != 0 && s.answered != heard.offer:
			k.t.Fatalf("seed %d: two offers cross", k.seed)
		case s.pending == 0:
			s.turn.answered()
			s.answered = heard.offer
			if s.wants > 0 && k.r.IntN(2) == 0 {
				s.wants = 0 // their offer met our wish
			}
		}
		k.say(i, saysAnswer, heard.offer)
		s.got = 0
		if s.refused {
			s.refused = !k.offer(i)
		}
	case saysAnswer:
		if s.pending != 0 && s.pending == heard.offer {
			s.pending, s.answered, s.got, s.refused = 0, 0, 0, false
			s.turn.offered()
		}
	default:
		s.turn.hear(word(heard.what))
	}
}

// simulate lets two sides talk in a random schedule, in which sessions are lost,
// until nothing moves, and fails if two offers cross or a wish stays unmet.
func simulate(t *testing.T, seed uint64) {
	t.Helper()
	k := &talk{t: t, seed: seed, r: rand.New(rand.NewPCG(seed, 0)), sides: [2]*side{{turn: turn{asks: true}}, {}}}
	busy := func() bool {
		return k.sides[0].unbound || k.sides[1].unbound || len(k.queues[0]) > 0 || len(k.queues[1]) > 0
	}
	wishes, losses := 6, 3
	for wishes > 0 || losses > 0 || busy() {
		i := k.r.IntN(2)
		s := k.sides[i]
		switch {
		case losses > 0 && k.r.IntN(12) == 0:
			losses--
			k.lose(i)
			continue
		case s.unbound:
			k.bind(i)
		case wishes > 0 && k.r.IntN(3) == 0:
			wishes--
			s.wants++
		case len(k.queues[i]) > 0:
			s.deliver(k.queues[i][0])
			k.hear(i)
		}
		k.act(i)
	}
	for i, s := range k.sides {
		if s.wants > 0 || s.pending != 0 {
			t.Fatalf("seed %d: side %d is stuck: %+v, the other %+v", seed, i, *s, *k.sides[1-i])
		}
		if s.turn.lent || s.turn.granted {
			t.Fatalf("seed %d: the right to offer never came back to side %d: %+v", seed, i, s.turn)
		}
	}
}

// deliver is what the edge notes before its client hears anything.
func (s *side) deliver(heard said) {
	if heard.what == saysOffer {
		s.got = heard.offer
	}
}

func TestTurn_NoOffersCrossAndNobodyStarves(t *testing.T) {
	for seed := range uint64(20_000) {
		simulate(t, seed)
	}
}

func TestTurn_Next(t *testing.T) {
	tests := map[string]struct {
		turn  turn
		wants bool
		want  action
	}{
		"owner/idle":                 {turn{}, false, actNothing},
		"owner/wants":                {turn{}, true, actOffer},
		"owner/lent":                 {turn{lent: true}, true, actNothing},
		"owner/asked, lends first":   {turn{owed: true}, true, actGo},
		"polite/idle":                {turn{asks: true}, false, actNothing},
		"polite/wants":               {turn{asks: true}, true, actAsk},
		"polite/has asked":           {turn{asks: true, asked: true}, true, actNothing},
		"polite/granted":             {turn{asks: true, asked: true, granted: true}, true, actOffer},
		"polite/granted, needs none": {turn{asks: true, asked: true, granted: true}, false, actDone},
		"polite/heard back":          {turn{asks: true, owes: true}, false, actDone},
		"polite/back, and wants":     {turn{asks: true, owes: true}, true, actAsk},
		"polite/collided":            {turn{asks: true, blocked: true}, true, actNothing},
	}
	for name, tt := range tests {
		if got := tt.turn.next(tt.wants); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestTurn_AfterAGap(t *testing.T) {
	owner := turn{lent: true}
	owner.hear(wordAgain)
	if got := owner.next(false); got != actGo {
		t.Errorf("the owner that lent its right must say go again, does %v", got)
	}
	polite := turn{asks: true, asked: true}
	polite.hear(wordAgain)
	if got := polite.next(true); got != actAsk {
		t.Errorf("the polite one that waits must ask again, does %v", got)
	}
	polite = turn{asks: true}
	polite.granted = true
	polite.collided()
	if polite.next(true) != actDone || polite.next(true) != actNothing {
		t.Error("after a collision the right goes back, and theirs comes first")
	}
	polite.answered()
	if polite.next(true) != actAsk {
		t.Error("after theirs was answered the polite one asks")
	}
	for _, w := range []word{wordGo, wordDone, wordAsk, wordAgain, wordBack} {
		var t0 turn
		t0.hear(w)
		if t0.granted {
			t.Errorf("%s grants the owner what it has", w)
		}
	}
}
