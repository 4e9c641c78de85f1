package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
)

// TestSignals_surviveTheRestartOfWhatIsBehindTheEdges sends without a pause
// while each program but the edges is stopped and started again, the NATS server
// among them: every signal is acknowledged at last, delivered once and in order.
func TestSignals_surviveTheRestartOfWhatIsBehindTheEdges(t *testing.T) {
	s := Processes(t, Options{})
	ada := Join(t, s.Dial(t, 0, "ada"), "outage")
	bob := Join(t, s.Dial(t, 1, "bob"), "outage")
	waitPeers(t, ada, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()

	received := make(chan error, 1)
	restarted := make(chan struct{})
	total := make(chan int, 1)
	go func() { received <- receiveCounted(ctx, bob, total) }()
	sent := make(chan error, 1)
	go func() { sent <- sendCounted(ctx, ada, bob, restarted, total) }()
	for _, name := range []string{"candidatefilter", "roomsvc-1", "roomsvc-2", "authsvc", NATS} {
		p := s.Process(t, name)
		began := time.Now()
		p.Stop(t)
		p.Start(t)
		if name != NATS {
			p.WaitReady(t)
		}
		if err := ada.Send(ctx, bob.Self().Peer, "over "+name); err != nil {
			t.Fatalf("after a restart of %s: %v", name, err)
		}
		t.Logf("%s: stopped, started and the next signal acknowledged after %s", name, time.Since(began).Round(time.Millisecond))
	}
	close(restarted)
	if err := <-sent; err != nil {
		t.Errorf("ada: %v", err)
	}
	if err := <-received; err != nil {
		t.Errorf("bob: %v", err)
	}
}

// sendCounted sends numbers, each acknowledged before the next, until done is
// closed, and tells how many there were.
func sendCounted(ctx context.Context, from, to *client.Room, done <-chan struct{}, total chan<- int) error {
	for n := 0; ; n++ {
		select {
		case <-done:
			total <- n
			return from.Send(ctx, to.Self().Peer, -1)
		default:
		}
		if err := from.Send(ctx, to.Self().Peer, n); err != nil {
			return fmt.Errorf("signal %d: %w", n, err)
		}
	}
}

// receiveCounted takes numbers until -1 comes: they must rise by one, and be as
// many as were sent.
func receiveCounted(ctx context.Context, r *client.Room, total <-chan int) error {
	for want := 0; ; {
		m, err := nextMessage(ctx, r)
		if err != nil {
			return fmt.Errorf("waiting for signal %d: %w", want, err)
		}
		var n int
		if json.Unmarshal(m.Data, &n) != nil {
			continue // of the restarts
		}
		if n == -1 {
			if sent := <-total; sent != want {
				return fmt.Errorf("%d signals came, %d were sent", want, sent)
			}
			return nil
		}
		if n != want {
			return fmt.Errorf("signal %d came, want %d", n, want)
		}
		want++
	}
}
