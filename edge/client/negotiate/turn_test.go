package negotiate

import (
	"math/rand/v2"
	"testing"
)

// side is one of a pair in a simulation without pion: its turn, and whether an
// offer of its own waits for an answer.
type side struct {
	turn    turn
	wants   int
	offered bool
	rounds  int
}

// simulate lets two sides talk over ordered queues in a random schedule until
// nothing moves, and fails if two offers cross or a wish stays unmet.
func simulate(t *testing.T, seed uint64) {
	t.Helper()
	const offer, answer = "offer", "answer"
	r := rand.New(rand.NewPCG(seed, 0))
	sides := [2]*side{{turn: turn{asks: true}}, {}}
	var queues [2][]string // to each side
	wishes := 6
	act := func(i int) {
		s := sides[i]
		for !s.offered {
			switch s.turn.next(s.wants > 0) {
			case actNothing:
				return
			case actOffer:
				s.wants, s.offered = 0, true
				queues[1-i] = append(queues[1-i], offer)
				return
			case actAsk:
				queues[1-i] = append(queues[1-i], string(wordAsk))
			case actGo:
				queues[1-i] = append(queues[1-i], string(wordGo))
			case actDone:
				queues[1-i] = append(queues[1-i], string(wordDone))
			}
		}
	}
	for wishes > 0 || len(queues[0]) > 0 || len(queues[1]) > 0 {
		i := r.IntN(2)
		s := sides[i]
		if wishes > 0 && r.IntN(3) == 0 {
			wishes--
			s.wants++
			s.rounds++
		} else if len(queues[i]) > 0 {
			what := queues[i][0]
			queues[i] = queues[i][1:]
			switch what {
			case offer:
				if s.offered {
					t.Fatalf("seed %d: two offers cross", seed)
				}
				s.turn.answered()
				if s.wants > 0 && r.IntN(2) == 0 {
					s.wants = 0 // their offer met our wish
				}
				queues[1-i] = append(queues[1-i], answer)
			case answer:
				s.offered = false
				s.turn.offered()
			default:
				s.turn.hear(word(what))
			}
		}
		act(i)
	}
	for i, s := range sides {
		if s.wants > 0 || s.offered {
			t.Fatalf("seed %d: side %d is stuck: %+v, the other %+v", seed, i, *s, *sides[1-i])
		}
	}
	if sides[1].turn.lent || sides[0].turn.granted {
		t.Fatalf("seed %d: the right to offer never came back", seed)
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
	for _, w := range []word{wordGo, wordDone, wordAsk, wordAgain} {
		var t0 turn
		t0.hear(w)
		if t0.granted {
			t.Errorf("%s grants the owner what it has", w)
		}
	}
}
