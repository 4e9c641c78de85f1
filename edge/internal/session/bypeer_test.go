package session

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// A ByPeer says the same as a map, whatever is done to it.
func TestByPeer_is_a_map(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, peers := range []int{1, fewPeers - 1, fewPeers, fewPeers + 1, 50} {
		t.Run(fmt.Sprint(peers), func(t *testing.T) {
			var p ByPeer[int]
			want := map[string]int{}
			for step := range 5000 {
				peer := fmt.Sprint(random.IntN(peers))
				switch random.IntN(3) {
				case 0:
					*p.At([]byte(peer)) += step
					want[peer] += step
				case 1:
					p.Delete(peer)
					delete(want, peer)
				}
				got := p.Get([]byte(peer))
				value, ok := want[peer]
				if (got != nil) != ok || ok && *got != value {
					t.Fatalf("step %d: peer %s has %v, want %d, %v", step, peer, got, value, ok)
				}
			}
			if got, want := len(p.entries), len(want); got != want {
				t.Errorf("%d entries, want %d", got, want)
			}
		})
	}
}

func TestWatermarks_Pass_allocates_nothing(t *testing.T) {
	for _, senders := range []int{2, 50} {
		var w Watermarks
		names := make([][]byte, senders)
		for i := range names {
			names[i] = fmt.Append(nil, "sender", i)
			w.Pass(names[i], 1)
		}
		seq := uint64(1)
		got := testing.AllocsPerRun(100, func() {
			seq++
			for _, name := range names {
				w.Pass(name, seq)
			}
		})
		if got != 0 {
			t.Errorf("%d senders: %v allocations, want none", senders, got)
		}
	}
}
