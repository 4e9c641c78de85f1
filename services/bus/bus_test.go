package bus

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/services/natstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what should come at once.
const patience = 30 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// newBucket makes the bucket rooms as roomsvc does: without direct get.
func newBucket(t *testing.T, nc *nats.Conn) jetstream.KeyValue {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	makeBucket(t, js)
	kv, err := OpenBucket(testContext(t), js, "rooms")
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

func makeBucket(t *testing.T, js jetstream.JetStream) {
	t.Helper()
	_, err := js.CreateStream(testContext(t), jetstream.StreamConfig{
		Name: "KV_rooms", Subjects: []string{"$KV.rooms.>"},
		MaxMsgsPerSubject: 1, AllowRollup: true, DenyDelete: true, Discard: jetstream.DiscardNew,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a message on ch.
func eventually[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("%s: nothing in %v", what, patience)
		panic("unreachable")
	}
}

// startConnected returns a server and a connection made by Connect.
func startConnected(t *testing.T, name string) *nats.Conn {
	t.Helper()
	s := natstest.Start(t)
	return connectTo(t, s.ClientURL(), name)
}

func connectTo(t *testing.T, url, name string) *nats.Conn {
	t.Helper()
	cfg := DefaultConfig()
	cfg.URL = url
	nc, err := Connect(testContext(t), cfg, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// until waits for a condition that nothing announces.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not in %v", what, patience)
		}
	}
}
