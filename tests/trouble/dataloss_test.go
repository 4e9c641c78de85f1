package trouble

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/stack"
)

// programs are those of a stack that use NATS, in the order in which they start after a
// loss of all data.
var programs = []string{"roomsvc-1", "roomsvc-2", "authsvc", "candidatefilter", "edge-1", "edge-2"}

// TestNATS_losesItsData empties the folder of NATS under two members of a room on two
// edges who signal. They come back by themselves with new sessions, meet in their room,
// and signal; tokens from before are good, and so are new ones.
func TestNATS_losesItsData(t *testing.T) {
	t.Run("while the services are stopped", func(t *testing.T) {
		survive(t, 1, func(s *stack.Stack, store string) {
			for _, one := range slices.Backward(programs) {
				s.Process(t, one).Stop(t)
			}
			nats := s.Process(t, stack.NATS)
			nats.Stop(t)
			empty(t, store)
			nats.Start(t)
			for _, one := range programs {
				s.Process(t, one).Start(t)
			}
		})
	})
	for _, servers := range [][]string{{stack.NATS}, {stack.NATS, stack.NATS + "-2", stack.NATS + "-3"}} {
		t.Run(fmt.Sprintf("while the services run over %d servers", len(servers)), func(t *testing.T) {
			survive(t, len(servers), func(s *stack.Stack, store string) {
				for _, one := range servers {
					s.Process(t, one).Kill(t)
				}
				empty(t, store)
				for _, one := range servers {
					s.Process(t, one).Start(t)
				}
				for _, one := range programs {
					p := s.Process(t, one)
					until(t, one+" begins anew", func() (bool, string) { return strings.Contains(p.Logs(), "the service begins anew"), p.Logs() })
				}
			})
		})
	}
}

// TestNATS_losesItsDataWithoutARoomsvc: the others say what to do, aren't ready, and go on
// when it was done.
func TestNATS_losesItsDataWithoutARoomsvc(t *testing.T) {
	store := t.TempDir()
	s := stack.Processes(t, stack.Options{StoreDir: store})
	for _, one := range programs[:2] {
		s.Process(t, one).Stop(t)
	}
	nats := s.Process(t, stack.NATS)
	nats.Kill(t)
	empty(t, store)
	nats.Start(t)
	for _, one := range programs[2:] {
		p := s.Process(t, one)
		until(t, one+" says what to do", func() (bool, string) {
			status, ready := get(t, p.Admin, "/readyz")
			const want = "start a roomsvc"
			return status == 503 && strings.Contains(ready, want) && strings.Contains(p.Logs(), want), ready + p.Logs()
		})
	}
	for _, one := range programs[:2] {
		s.Process(t, one).Start(t)
	}
	for _, one := range programs {
		s.Process(t, one).WaitReady(t)
	}
	p := pair{stack.Join(t, s.Dial(t, 0, "ada"), "room"), stack.Join(t, s.Dial(t, 1, "bob"), "room")}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	p.talk(ctx, t)
}

// empty removes all that NATS has stored.
func empty(t *testing.T, store string) {
	t.Helper()
	if err := os.RemoveAll(store); err != nil {
		t.Fatal(err)
	}
}

// survive has two members live through the loss.
func survive(t *testing.T, nodes int, lose func(s *stack.Stack, store string)) {
	t.Helper()
	store := t.TempDir()
	s := stack.Processes(t, stack.Options{StoreDir: store, Nodes: nodes})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	earlier, err := s.Token(ctx, "room", "cleo")
	if err != nil {
		t.Fatal(err)
	}
	clients := []*client.Client{s.Dial(t, 0, "ada"), s.Dial(t, 1, "bob")}
	p := pair{stack.Join(t, clients[0], "room"), stack.Join(t, clients[1], "room")}
	peers := []contract.Token{p.ada.Self().Peer, p.bob.Self().Peer}
	p.talk(ctx, t)
	sent := p.sendOn(ctx)
	heard := p.hear(ctx, t, 0, 100)
	began := time.Now()
	lose(s, store)
	p.rejoin(ctx, t, sent, heard)
	t.Logf("both are back %s after the beginning", time.Since(began).Round(time.Millisecond))
	if slices.Contains(peers, p.ada.Self().Peer) || slices.Contains(peers, p.bob.Self().Peer) {
		t.Error("a peer's id is used again")
	}
	p.talk(ctx, t)
	for _, c := range clients {
		if got := c.Stats(); got.Losses != 1 || got.Resumes != 0 {
			t.Errorf("a client lost its session %d times and resumed it %d times, want 1 and 0", got.Losses, got.Resumes)
		}
	}
	for _, one := range programs {
		s.Process(t, one).WaitReady(t)
	}
	cleo := stack.Join(t, s.Dial(t, 1, "cleo", client.WithToken(
		func(context.Context, string, client.TokenReason) (string, error) { return earlier, nil })), "room")
	dora := stack.Join(t, s.Dial(t, 0, "dora"), "room")
	if got := len(dora.Peers()); got != 3 {
		t.Errorf("who joins last sees %d others, want 3", got)
	}
	pair{cleo, dora}.talk(ctx, t)
}

// outcome is how sending ended.
type outcome struct {
	acked int
	err   error
}

// sendOn has ada send numbers to bob until one isn't acknowledged.
func (p pair) sendOn(ctx context.Context) <-chan outcome {
	sent, to := make(chan outcome, 1), p.bob.Self().Peer
	go func() {
		for n := 0; ; n++ {
			if err := p.ada.Send(ctx, to, n); err != nil {
				sent <- outcome{n, err}
				return
			}
		}
	}()
	return sent
}

// rejoin waits until both were told that they are new members. Up to there bob must have
// got what ada sent without a hole: what was lost is lost at the end.
func (p pair) rejoin(ctx context.Context, t *testing.T, sent <-chan outcome, want int) {
	t.Helper()
	for _, r := range []*client.Room{p.ada, p.bob} {
		for again := false; !again; {
			event, err := r.Next(ctx)
			if err != nil {
				t.Fatalf("wait for a new session: %v", err)
			}
			switch e := event.(type) {
			case client.Rejoined:
				again = true
			case client.Message:
				want = next(t, e, want)
			}
		}
	}
	end := <-sent
	if !errors.Is(end.err, client.ErrUnknownOutcome) {
		t.Errorf("sending ended with %v, want %v", end.err, client.ErrUnknownOutcome)
	}
	t.Logf("%d were acknowledged and %d delivered before the loss", end.acked, want)
}

// talk has the two send numbers to each other as soon as they see each other.
func (p pair) talk(ctx context.Context, t *testing.T) {
	t.Helper()
	const count = 20
	for _, one := range []struct{ from, to *client.Room }{{p.ada, p.bob}, {p.bob, p.ada}} {
		to := one.to.Self().Peer
		awaitPeer(ctx, t, one.from, to)
		for n := range count {
			if err := one.from.Send(ctx, to, n); err != nil {
				t.Fatalf("send %d: %v", n, err)
			}
		}
		pair{bob: one.to}.hear(ctx, t, 0, count)
	}
}

// awaitPeer waits until a member sees another one: before, its edge may not know of it.
func awaitPeer(ctx context.Context, t *testing.T, r *client.Room, peer contract.Token) {
	t.Helper()
	for !slices.ContainsFunc(r.Peers(), func(other contract.Peer) bool { return other.Peer == peer }) {
		if _, err := r.Next(ctx); err != nil {
			t.Fatalf("the other one isn't seen: %v", err)
		}
	}
}

// hear has bob get the numbers from one to before another, and returns that one.
func (p pair) hear(ctx context.Context, t *testing.T, want, before int) int {
	t.Helper()
	for want < before {
		event, err := p.bob.Next(ctx)
		if err != nil {
			t.Fatalf("wait for %d: %v", want, err)
		}
		if m, is := event.(client.Message); is {
			want = next(t, m, want)
		}
	}
	return want
}

// next checks that a message is the wanted number, and returns the one after it.
func next(t *testing.T, m client.Message, want int) int {
	t.Helper()
	var got int
	if err := json.Unmarshal(m.Data, &got); err != nil || got != want {
		t.Fatalf("got %s, want %d (%v)", m.Data, want, err)
	}
	return want + 1
}
