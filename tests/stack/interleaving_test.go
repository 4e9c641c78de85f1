package stack

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// interleaving is how long one of these tests may take.
const interleaving = time.Minute

// TestMoves_senderAndReceiverAtTheSameTime has both leave while what the sender's
// edge sent isn't committed.
func TestMoves_senderAndReceiverAtTheSameTime(t *testing.T) {
	s, g := gated(t, 4)
	for _, tt := range []struct {
		name     string
		ada, bob int // where they go, from edges 0 and 1
	}{{"to two other edges", 2, 3}, {"to the same edge", 2, 2}, {"to each other's edge", 1, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), interleaving)
			defer cancel()
			all := travellers(ctx, t, s, tt.name, 0, 1, 3)
			ada, bob := all[0], all[1]
			g.close(way{0, 1})
			ada.tell(t, bob)
			ada.tellAll(t)
			ada.tell(t, bob)
			g.await(ctx, t, way{0, 1})
			ada.leaveFor(tt.ada)
			bob.leaveFor(tt.bob)
			ada.tellAll(t)
			ada.tell(t, bob)
			bob.tell(t, ada)
			ada.awaitArrivals(ctx, t, 1)
			bob.awaitArrivals(ctx, t, 1)
			ada.tell(t, bob)
			g.open(t, way{0, 1})
			end(ctx, t, all)
		})
	}
}

// TestMoves_receiverFromBToCToDQuickly has a receiver move twice before anything
// is committed that was sent to its first edge, or to its second.
func TestMoves_receiverFromBToCToDQuickly(t *testing.T) {
	s, g := gated(t, 4)
	for _, tt := range []struct {
		name  string
		last  int  // edge
		waits bool // for the session, before it moves on
	}{{"one after the other", 3, true}, {"before it is in", 3, false}, {"back to B", 1, true}, {"back to B before it is in", 1, false}} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), interleaving)
			defer cancel()
			all := travellers(ctx, t, s, tt.name, 0, 1, 2)
			ada, bob := all[0], all[1]
			g.close(way{0, 1})
			ada.tell(t, bob)
			ada.tellAll(t)
			g.await(ctx, t, way{0, 1})
			for _, edge := range []int{2, tt.last} {
				if tt.waits {
					bob.goTo(ctx, t, edge)
				} else {
					bob.leaveFor(edge)
				}
				ada.tell(t, bob)
				ada.tellAll(t)
				bob.tell(t, ada)
			}
			g.open(t, way{0, 1})
			end(ctx, t, all)
		})
	}
}

// TestMoves_broadcastAndDirectSignalOfOneSender has a direct signal wait on its
// way to the receiver's old edge, while a broadcast that was sent later is in the
// log of the new one already, for somebody else.
func TestMoves_broadcastAndDirectSignalOfOneSender(t *testing.T) {
	s, g := gated(t, 4)
	for _, tt := range []struct {
		name string
		move func(ctx context.Context, t *testing.T, ada, bob *traveller)
	}{
		{"the receiver moves", func(ctx context.Context, t *testing.T, _, bob *traveller) {
			bob.goTo(ctx, t, 2)
		}},
		{"the receiver moves away and back", func(ctx context.Context, t *testing.T, _, bob *traveller) {
			bob.goTo(ctx, t, 2)
			bob.goTo(ctx, t, 1)
		}},
		{"the sender moves", func(ctx context.Context, t *testing.T, ada, _ *traveller) {
			ada.goTo(ctx, t, 3)
		}},
		{"the receiver moves, then the sender", func(ctx context.Context, t *testing.T, ada, bob *traveller) {
			bob.goTo(ctx, t, 2)
			ada.goTo(ctx, t, 3)
		}},
		{"the sender moves, then the receiver", func(ctx context.Context, t *testing.T, ada, bob *traveller) {
			ada.goTo(ctx, t, 3)
			bob.goTo(ctx, t, 2)
		}},
		{"the sender moves away and back, and the receiver between", func(ctx context.Context, t *testing.T, ada, bob *traveller) {
			ada.goTo(ctx, t, 3)
			bob.goTo(ctx, t, 2)
			ada.goTo(ctx, t, 0)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), interleaving)
			defer cancel()
			all := travellers(ctx, t, s, tt.name, 0, 1, 2)
			ada, bob, carol := all[0], all[1], all[2]
			g.close(way{0, 1})
			ada.tell(t, bob)
			g.await(ctx, t, way{0, 1})
			ada.tellAll(t)
			carol.awaitAll(ctx, t, ada)
			tt.move(ctx, t, ada, bob)
			ada.tell(t, bob)
			ada.tellAll(t)
			g.open(t, way{0, 1})
			end(ctx, t, all)
		})
	}
}

// TestMoves_senderAndReceiver_theOldEdgeSendsLast has the sender's old edge be late
// with a signal, to the receiver's new edge, when the sender has gone and sends
// it again behind one that the receiver doesn't have either: the old edge doesn't
// know that this one is committed, and the sender wasn't told.
func TestMoves_senderAndReceiver_theOldEdgeSendsLast(t *testing.T) {
	s, g := gated(t, 4)
	ctx, cancel := context.WithTimeout(t.Context(), interleaving)
	defer cancel()
	all := travellers(ctx, t, s, "last", 0, 1, 3)
	ada, bob, carol := all[0], all[1], all[2]
	bob.vanish()
	before := g.passed(way{0, 1})
	g.loseAnswer(way{0, 1}, func(*contract.Signal) *contract.Verdict { return nil })
	g.close(way{0, 1}, way{3, 2})
	ada.tell(t, bob)
	g.awaitPassed(ctx, t, way{0, 1}, before)
	g.await(ctx, t, way{0, 1})
	bob.goTo(ctx, t, 2)
	ada.tell(t, bob)
	ada.tell(t, carol)
	carol.awaitAll(ctx, t, ada)
	ada.goTo(ctx, t, 3)
	g.await(ctx, t, way{3, 2})
	before = g.passed(way{0, 2})
	g.open(t, way{0, 1})
	g.awaitPassed(ctx, t, way{0, 2}, before)
	g.open(t, way{3, 2})
	end(ctx, t, all)
}

// TestDuplicate_theFirstVerdictsAreLost has an entry be committed with what the
// filter took out, of which its edge isn't told; the next attempt finds a filter
// that takes out nothing. The first commit decides, for both sides.
func TestDuplicate_theFirstVerdictsAreLost(t *testing.T) {
	s, g := gated(t, 2)
	ctx, cancel := context.WithTimeout(t.Context(), interleaving)
	defer cancel()
	ada := Join(t, s.Dial(t, 0, "ada"), "duplicate")
	bob := Join(t, s.Dial(t, 1, "bob"), "duplicate")
	waitPeers(t, ada, 1)
	g.loseAnswer(way{0, 1}, func(one *contract.Signal) *contract.Verdict {
		one.Body = []byte(`{"data":"less"}`)
		return &contract.Verdict{From: string(one.From), Seq: one.Seq, Rule: contract.RulePrivateAddress, Count: 2}
	})
	if err := ada.Send(ctx, bob.Self().Peer, "more"); err != nil {
		t.Fatal(err)
	}
	if err := ada.Send(ctx, bob.Self().Peer, "last"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"less", "last"} {
		m, err := nextMessage(ctx, bob)
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if err := json.Unmarshal(m.Data, &got); err != nil || got != want {
			t.Errorf("bob got %s, want %q", m.Data, want)
		}
	}
	for {
		event, err := ada.Next(ctx)
		if err != nil {
			t.Fatalf("ada wasn't told what was taken out: %v", err)
		}
		if told, ok := event.(client.Filtered); ok {
			if told.Rule != contract.RulePrivateAddress || told.Count != 2 {
				t.Errorf("ada heard %+v, want what the first commit took out", told)
			}
			return
		}
	}
}
