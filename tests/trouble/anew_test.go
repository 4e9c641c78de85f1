package trouble

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/edge"
	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/natstest"
	"github.com/parley-rtc/parley/tests/stack"
)

// doomed is an edge of its own beside a stack, with one member of a room.
type doomed struct {
	nc      *nats.Conn
	stack   *stack.Stack
	streams *bus.Streams
	ada     *client.Room
	end     context.CancelCauseFunc
	ended   chan struct{}
	err     error // of the edge, once it has ended
}

func newDoomed(t *testing.T) *doomed {
	t.Helper()
	server := natstest.Start(t)
	d := &doomed{nc: natstest.Connect(t, server), streams: &bus.Streams{}, ended: make(chan struct{})}
	d.stack = stack.InProcess(t, stack.Options{Connect: func(string) *nats.Conn { return natstest.Connect(t, server) }})
	cfg, health := edge.DefaultConfig(), lifecycle.NewHealth()
	cfg.Name, cfg.Listen, cfg.DrainTimeout = "edge-3", stack.FreeAddress(t), time.Hour
	ctx, end := context.WithCancelCause(bus.WithStreams(lifecycle.WithHealth(context.Background(), health), d.streams))
	d.end = end
	go func() {
		defer close(d.ended)
		d.err = edge.Run(ctx, cfg, d.nc)
	}()
	t.Cleanup(func() {
		end(bus.ErrRemade) // an end of another kind would be a drain
		<-d.ended
	})
	until(t, "the edge is ready", func() (bool, string) {
		ready, checks := health.Ready()
		return ready && len(checks) > 0, fmt.Sprint(checks)
	})
	d.stack.Edges = append(d.stack.Edges, "ws://"+cfg.Listen+"/v1/ws")
	d.ada = stack.Join(t, d.stack.Dial(t, 2, "ada"), "anew")
	return d
}

// TestEdge_endsAtOnceWhenNATSHasLostItsData: nobody can resume what it has, and nothing
// can be settled, so that a drain would take all of its time.
func TestEdge_endsAtOnceWhenNATSHasLostItsData(t *testing.T) {
	d := newDoomed(t)
	d.end(bus.ErrRemade)
	select {
	case <-d.ended:
		if d.err != nil {
			t.Errorf("the edge ended with %v, want no error", d.err)
		}
	case <-time.After(time.Minute):
		t.Error("the edge waits for its client")
	}
}

// TestEdge_acknowledgesNothingWhenNATSHasLostItsData takes a bucket away that no signal
// needs: the log is still there, and yet what is sent may not be acknowledged.
func TestEdge_acknowledgesNothingWhenNATSHasLostItsData(t *testing.T) {
	d := newDoomed(t)
	bob := stack.Join(t, d.stack.Dial(t, 0, "bob"), "anew")
	pair{d.ada, bob}.talk(t.Context(), t)
	js, err := jetstream.New(d.nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), contract.StreamOf(contract.BucketKeys)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	gone, watched := make(chan error, 1), make(chan error, 1)
	go func() { watched <- d.streams.Watch(ctx, d.nc, func(err error) { gone <- err }) }()
	if err := <-gone; !errors.Is(err, bus.ErrRemade) {
		t.Errorf("reported %v, want %v", err, bus.ErrRemade)
	}
	late, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	if err := d.ada.Send(late, bob.Self().Peer, "after"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("sending ended with %v, want no answer", err)
	}
	cancel()
	if err := <-watched; err != nil {
		t.Error(err)
	}
}
