package stack

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// theLog opens the first shard of a stack's log.
func theLog(ctx context.Context, t *testing.T, s *Stack) (jetstream.JetStream, jetstream.Stream) {
	t.Helper()
	js, err := jetstream.New(s.NATS)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(ctx, contract.StreamOf(contract.SignalsBucket(0)))
	if err != nil {
		t.Fatal(err)
	}
	return js, stream
}

// TestSignals_whileTheLogsConsumersAreTakenAway deletes every consumer of the log
// again and again while signals flow.
func TestSignals_whileTheLogsConsumersAreTakenAway(t *testing.T) {
	s := InProcess(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	rooms, _ := s.members(t, 2, "resets")
	_, stream := theLog(ctx, t, s)
	x := startExchange(ctx, t, rooms, time.Millisecond)
	taken := 0
	for taken < 6 {
		all := stream.ListConsumers(ctx)
		for info := range all.Info() {
			if stream.DeleteConsumer(ctx, info.Name) == nil { // else it has gone by itself
				taken++
			}
		}
		if err := all.Err(); err != nil {
			t.Fatal(err)
		}
		wait(ctx, 20*time.Millisecond) // for new ones
	}
	t.Logf("%d signals, %d consumers taken away", x.end(t), taken)
}

// TestSignals_poisonInTheLog puts entries into the log that can't be read, as a
// damaged or a future writer could: what is around them must go on.
func TestSignals_poisonInTheLog(t *testing.T) {
	s := InProcess(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	there := s.Dial(t, 1, "bob")
	ada, bob := Join(t, s.Dial(t, 0, "ada"), "poison"), Join(t, there, "poison")
	waitPeers(t, ada, 1)
	js, _ := theLog(ctx, t, s)
	log, err := link.OpenLog(ctx, js)
	if err != nil {
		t.Fatal(err)
	}
	to, err := contract.ParseToken(there.Edge())
	if err != nil {
		t.Fatal(err)
	}
	from, err := contract.NewProcessID("poisoner")
	if err != nil {
		t.Fatal(err)
	}
	good := contract.AppendSignal(contract.AppendEntry(nil), &contract.Signal{
		Kind: contract.KindMessage, App: []byte("app"), Room: []byte("room"), From: []byte("from"), Body: []byte("{}"),
	})
	for _, poison := range [][]byte{{}, {0}, {255, 1, 2}, good[:len(good)-1], append(good, 1, 200)} {
		if _, err := js.Publish(ctx, log.Subject(from, to), poison); err != nil {
			t.Fatal(err)
		}
		if err := ada.Send(ctx, bob.Self().Peer, len(poison)); err != nil {
			t.Fatal(err)
		}
		if _, err := nextMessage(ctx, bob); err != nil {
			t.Fatalf("nothing comes behind %x: %v", poison, err)
		}
	}
}
