package stack

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/contract"
)

// TestSignals_whileTheEdgesConsumerIsStuck pauses the consumer of the receiver's
// edge: it delivers nothing and shows that it lives, as one does that was made in
// the moment in which its stream's leader died.
func TestSignals_whileTheEdgesConsumerIsStuck(t *testing.T) {
	s := InProcess(t, Options{})
	there := s.Dial(t, 1, "bob")
	ada, bob := Join(t, s.Dial(t, 0, "ada"), "stuck"), Join(t, there, "stuck")
	waitPeers(t, ada, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pauseConsumers(ctx, t, s, there.Edge())
	if err := ada.Send(ctx, bob.Self().Peer, "all the same"); err != nil {
		t.Fatal(err)
	}
	m, err := nextMessage(ctx, bob)
	if got, want := string(m.Data), `"all the same"`; err != nil || got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

// pauseConsumers pauses every consumer that reads the links into an edge.
func pauseConsumers(ctx context.Context, t *testing.T, s *Stack, edge string) {
	t.Helper()
	js, err := jetstream.New(s.NATS)
	if err != nil {
		t.Fatal(err)
	}
	id, err := contract.ParseToken(edge)
	if err != nil {
		t.Fatal(err)
	}
	paused := 0
	for shard := 0; ; shard++ {
		stream, err := js.Stream(ctx, contract.StreamOf(contract.SignalsBucket(shard)))
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		all := stream.ListConsumers(ctx)
		for info := range all.Info() {
			if !slices.Contains(append(info.Config.FilterSubjects, info.Config.FilterSubject), contract.SignalsFor(shard, id)) {
				continue
			}
			if _, err := stream.PauseConsumer(ctx, info.Name, time.Now().Add(time.Hour)); err != nil {
				t.Fatal(err)
			}
			paused++
		}
		if err := all.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if paused == 0 {
		t.Fatalf("no consumer reads the links into %s", edge)
	}
}
