package lifecycle

import (
	"context"
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/natstest"
)

// TestRun_BeginsAnewWhenNATSHasLostItsData: the service learns why it ends, and runs
// again over the new data until it is asked to stop.
func TestRun_BeginsAnewWhenNATSHasLostItsData(t *testing.T) {
	server := natstest.Start(t)
	js, err := jetstream.New(natstest.Connect(t, server))
	if err != nil {
		t.Fatal(err)
	}
	stream := jetstream.StreamConfig{Name: "KV_some", Subjects: []string{"$KV.some.>"}}
	if _, err := js.CreateStream(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	lives := make(chan error, 2) // why each began to end
	began := make(chan struct{}, 2)
	service := func(ctx context.Context, _ echo, nc *nats.Conn) error {
		js, err := jetstream.New(nc)
		if err != nil {
			return err
		}
		if _, err := bus.OpenStream(ctx, js, stream.Name); err != nil {
			return err
		}
		began <- struct{}{}
		<-ctx.Done()
		lives <- context.Cause(ctx)
		return nil
	}
	code := make(chan int, 1)
	go func() {
		got, _, _ := runIn(ctx, t, service, []string{"PARLEY_NATS__URL=" + server.ClientURL()})
		code <- got
	}()
	<-began
	if err := js.DeleteStream(t.Context(), stream.Name); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
	natstest.Restart(t, server)
	<-began
	if err := <-lives; !errors.Is(err, bus.ErrRemade) {
		t.Errorf("the first life ended since %v, want %v", err, bus.ErrRemade)
	}
	stop()
	if err := <-lives; !errors.Is(err, context.Canceled) {
		t.Errorf("the second life ended since %v, want %v", err, context.Canceled)
	}
	if got := <-code; got != exitOK {
		t.Errorf("exit code: got %d, want %d", got, exitOK)
	}
}
