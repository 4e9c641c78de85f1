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
// the moment in which its stream's leader died. Signals come all the same, and a
// new consumer is made.
func TestSignals_whileTheEdgesConsumerIsStuck(t *testing.T) {
	s := InProcess(t, Options{})
	there := s.Dial(t, 1, "bob")
	ada, bob := Join(t, s.Dial(t, 0, "ada"), "stuck"), Join(t, there, "stuck")
	waitPeers(t, ada, 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, one := range consumersInto(ctx, t, s, there.Edge()) {
		if _, err := one.stream.PauseConsumer(ctx, one.info.Name, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	if err := ada.Send(ctx, bob.Self().Peer, "all the same"); err != nil {
		t.Fatal(err)
	}
	m, err := nextMessage(ctx, bob)
	if got, want := string(m.Data), `"all the same"`; err != nil || got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
	works := func(one consumer) bool { return !one.info.Paused }
	for !slices.ContainsFunc(consumersInto(ctx, t, s, there.Edge()), works) {
		time.Sleep(50 * time.Millisecond)
	}
}

// consumer is one of a shard of the log.
type consumer struct {
	stream jetstream.Stream
	info   *jetstream.ConsumerInfo
}

// consumersInto are the consumers that read the links into an edge.
func consumersInto(ctx context.Context, t *testing.T, s *Stack, edge string) (found []consumer) {
	t.Helper()
	js, err := jetstream.New(s.NATS)
	if err != nil {
		t.Fatal(err)
	}
	id, err := contract.ParseToken(edge)
	if err != nil {
		t.Fatal(err)
	}
	for shard := 0; ; shard++ {
		stream, err := js.Stream(ctx, contract.StreamOf(contract.SignalsBucket(shard)))
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		all := stream.ListConsumers(ctx)
		for info := range all.Info() {
			if slices.Contains(append(info.Config.FilterSubjects, info.Config.FilterSubject), contract.SignalsFor(shard, id)) {
				found = append(found, consumer{stream, info})
			}
		}
		if err := all.Err(); err != nil {
			t.Fatal(err)
		}
	}
}
