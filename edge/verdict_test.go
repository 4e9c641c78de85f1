package edge

import (
	"fmt"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// TestView_judge is about ada, who came from edge b to this one. Her log of b was
// at 50 before anybody could know of it. bob sends to her.
func TestView_judge(t *testing.T) {
	b, f, g := process(t, "b"), process(t, "f"), process(t, "g")
	settled := map[contract.Token]map[contract.Token]uint64{f: {b: 70}}
	waiting := map[contract.Token]bool{f: true}
	none := map[contract.Token]bool{}
	atF, atG := spot{place: f, began: 1}, spot{place: g, began: 2, acked: 6}
	back, gone := spot{place: f, began: 3, acked: 6}, spot{place: g, began: 2, acked: 6, gone: true}
	for _, tt := range []struct {
		name     string
		v        view
		now      *spot // nil: bob has left
		from     contract.Token
		log      contract.Token
		revision uint64
		seq      uint64
		want     verdict
		session  uint64
	}{
		{"settled, before the switch", view{ends: settled, spots: map[string]spot{"bob": atF}}, &atF, f, b, 70, 7, give, 0},
		{"settled, a broadcast's copy after the switch", view{ends: settled, spots: map[string]spot{"bob": atF}}, &atF, f, b, 71, 8, drop, 0},
		{"settled, in our own log", view{ends: settled, spots: map[string]spot{"bob": atF}}, &atF, f, contract.Token{}, 90, 8, give, 0},
		{"not settled, from before the move", view{oldest: b, base: 50, edges: waiting, spots: map[string]spot{"bob": atF}}, &atF, f, b, 50, 5, give, 0},
		{"not settled, from after it", view{oldest: b, base: 50, edges: waiting, spots: map[string]spot{"bob": atF}}, &atF, f, b, 51, 6, wait, 0},
		{"not settled, in our own log", view{oldest: b, base: 50, edges: waiting, spots: map[string]spot{"bob": atF}}, &atF, f, contract.Token{}, 80, 6, wait, 0},
		{"not settled, and bob has just moved", view{oldest: b, base: 50, edges: waiting, spots: map[string]spot{"bob": atF}}, &atG, g, contract.Token{}, 81, 7, wait, 0},
		{"bob has moved, what his client saw acknowledged", view{oldest: b, base: 50, edges: none, spots: map[string]spot{"bob": atG}}, &atG, f, b, 60, 6, give, 0},
		{"bob has moved, what he sends again", view{oldest: b, base: 50, edges: none, spots: map[string]spot{"bob": atG}}, &atG, f, b, 40, 7, drop, 0},
		{"bob has moved, in our own log, acknowledged", view{edges: none, spots: map[string]spot{"bob": atG}}, &atG, f, contract.Token{}, 60, 6, give, 0},
		{"bob has moved, in our own log, sent again", view{edges: none, spots: map[string]spot{"bob": atG}}, &atG, f, contract.Token{}, 60, 7, drop, 0},
		{"bob is back where he was, in our own log", view{edges: none, spots: map[string]spot{"bob": atG}}, &spot{place: f, began: 3, acked: 9}, f, contract.Token{}, 99, 12, give, 0},
		{"bob came later, by an edge that knew", view{edges: none, spots: map[string]spot{}}, &atG, g, contract.Token{}, 99, 1, give, 0},
		{"the copy of that in the old log", view{oldest: b, base: 50, edges: none, spots: map[string]spot{}}, &atG, g, b, 99, 1, drop, 0},
		{"bob has left", view{oldest: b, base: 50, edges: none, spots: map[string]spot{}}, nil, f, b, 99, 6, give, 0},
		{"bob has left meanwhile, in our own log, sent again", view{edges: none, spots: map[string]spot{"bob": atG}}, &gone, f, contract.Token{}, 60, 7, drop, 1},
		{"bob had left, in the old log, sent again", view{oldest: b, base: 50, edges: none, spots: map[string]spot{"bob": gone}}, &gone, f, b, 40, 7, drop, 1},
		{"bob has come back, of his earlier session, sent again", view{ends: settled, spots: map[string]spot{"bob": back}}, &back, f, b, 60, 7, drop, 1},
		{"bob has come back, of his earlier session, acknowledged", view{ends: settled, spots: map[string]spot{"bob": back}}, &back, f, b, 60, 6, give, 1},
		{"bob has come back, of his session", view{ends: settled, spots: map[string]spot{"bob": back}}, &back, f, b, 60, 7, give, 3},
		{"bob has come back, in our own log, sent again", view{edges: none, spots: map[string]spot{"bob": back}}, &back, f, contract.Token{}, 60, 7, drop, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			one := hold{origin: origin{from: tt.from, revision: tt.revision}, log: tt.log,
				signal: contract.Signal{Kind: contract.KindMessage, From: []byte("bob"), Seq: tt.seq, Session: tt.session}}
			now := func([]byte) (spot, bool) {
				if tt.now == nil {
					return spot{}, false
				}
				return *tt.now, true
			}
			if got := tt.v.judge(&one, now); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// TestView_part has a broadcast and direct signals of one sender around a move:
// the old log holds the broadcast's copy, this edge's log holds the rest.
func TestView_part(t *testing.T) {
	b, f := process(t, "b"), process(t, "f")
	signal := func(from string, seq, revision uint64, log contract.Token) hold {
		return hold{origin: origin{from: f, revision: revision}, log: log,
			signal: contract.Signal{Kind: contract.KindMessage, From: []byte(from), Seq: seq}}
	}
	missed := func() []hold {
		return []hold{
			signal("bob", 9, 31, contract.Token{}), signal("bob", 8, 12, b), signal("bob", 10, 13, b), signal("bob", 7, 11, b),
			signal("bob", 10, 32, contract.Token{}), signal("cy", 3, 14, b), signal("bob", 8, 12, b),
		}
	}
	now := func([]byte) (spot, bool) { return spot{place: f}, true }
	spots := map[string]spot{"bob": {place: f}, "cy": {place: f}}
	for _, tt := range []struct {
		name           string
		v              view
		ready, waiting string
	}{
		{"settled", view{ends: map[contract.Token]map[contract.Token]uint64{f: {b: 12}}, spots: spots}, "bob7 bob8 bob9 bob10", ""},
		{"not settled", view{oldest: b, base: 11, edges: map[contract.Token]bool{f: true}, spots: spots}, "bob7", "bob8 bob8 bob9 bob10 bob10 cy3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ready, waiting := tt.v.part(missed(), now)
			if got := names(ready); got != tt.ready {
				t.Errorf("ready: got %s, want %s", got, tt.ready)
			}
			if got := names(waiting); got != tt.waiting {
				t.Errorf("waiting: got %s, want %s", got, tt.waiting)
			}
		})
	}
}

func names(signals []hold) string {
	var all []string
	for i := range signals {
		all = append(all, fmt.Sprintf("%s%d", signals[i].signal.From, signals[i].signal.Seq))
	}
	return strings.Join(all, " ")
}
