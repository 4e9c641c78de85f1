package stack

import (
	"context"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// shortWindow is the resume window of the test below, and settles how long an edge
	// that doesn't answer is waited for then.
	shortWindow = 5 * time.Second
	settles     = contract.LeaseTimeout + shortWindow + 28*time.Second
	// NATS is broken for so long, and then there for too short a time for anybody to be
	// taken for dead; and no edge fences itself.
	natsBroken, natsThere = 6 * time.Second, 3 * time.Second
)

// TestResume_whileNATSIsBroken kills an edge with two members, of whom one comes back and
// the other never does, and breaks NATS again and again for longer than anybody waits for
// an edge: the one who came back isn't told of a gap, since nothing is missing, and the
// other one leaves when NATS is there.
func TestResume_whileNATSIsBroken(t *testing.T) {
	t.Parallel()
	s := Processes(t, Options{Environ: []string{
		"PARLEY_EDGE__RESUME_WINDOW=" + shortWindow.String(), "PARLEY_ROOMSVC__RESUME_WINDOW=" + shortWindow.String(),
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	ada := Join(t, s.Dial(t, 0, "ada", client.WithURLs(s.Edges[1]), client.WithBackoff(time.Millisecond, 50*time.Millisecond)), "broken")
	bob := Join(t, s.Dial(t, 0, "bob"), "broken")
	carl := Join(t, s.Dial(t, 1, "carl"), "broken")
	for _, r := range []*client.Room{ada, bob, carl} {
		waitPeers(t, r, 2)
	}
	s.Process(t, "edge-1").Kill(t)
	await[client.Resumed](ctx, t, ada)
	began := time.Now()
	if err := carl.Send(ctx, ada.Self().Peer, "ada has what could be read"); err != nil {
		t.Fatal(err)
	}
	await[client.Message](ctx, t, ada)
	nats := s.Process(t, NATS)
	for time.Since(began) < settles+natsBroken && ctx.Err() == nil {
		nats.Pause(t)
		wait(ctx, natsBroken)
		nats.Continue(t)
		wait(ctx, natsThere)
	}
	t.Logf("NATS was broken for %v", time.Since(began).Round(time.Second))
	if left := await[client.PeerLeft](ctx, t, ada); left.Peer.Peer != bob.Self().Peer || left.Reason != contract.ReasonExpired {
		t.Errorf("%s has left, %s; want bob, %s, %s", left.Peer.Peer, left.Reason, bob.Self().Peer, contract.ReasonExpired)
	}
	if err := carl.Send(ctx, ada.Self().Peer, "it is over"); err != nil {
		t.Error(err)
	}
	await[client.Message](ctx, t, ada)
}

// await takes events until one of a kind comes, and reports gaps.
func await[E client.Event](ctx context.Context, t *testing.T, r *client.Room) (one E) {
	t.Helper()
	for {
		event, err := r.Next(ctx)
		if err != nil {
			t.Fatalf("waiting for a %T: %v", one, err)
		}
		switch e := event.(type) {
		case E:
			return e
		case client.Gap:
			t.Errorf("a gap: %s", e.Reason)
		}
	}
}
