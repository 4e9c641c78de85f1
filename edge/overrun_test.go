package edge

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// TestReader_readsAgainWhatWasDropped holds the reader up until the NATS client drops
// what comes for it, the last entries among it: 64 MiB is what a subscription holds.
// Every signal is delivered all the same, once and in order.
func TestReader_readsAgainWhatWasDropped(t *testing.T) {
	bob := newMember(t, "bob", 2, process(t, "elsewhere"))
	h := newHall(t, bob)
	dropped, e := make(chan struct{}, 100), h.r.e
	defer bus.OnOverrun(func() { dropped <- struct{}{} })()
	nc := connectByBus(t, h.js.Conn().ConnectedUrl())
	h.followOver(nc)
	following := nc.NumSubscriptions()

	e.reader.mu.Lock()
	big := make([]byte, contract.MaxEntryBytes-1024)
	var want []uint64
	for seq := uint64(1); seq <= 64<<20/uint64(len(big))+10; seq++ {
		h.logged(bob.Edge, e.id, h.message(bob, seq, false), contract.Signal{
			Kind: contract.KindMessage, App: []byte("app"), Room: []byte("somewhere else"), From: []byte("x"), Seq: seq, Body: big,
		})
		want = append(want, seq)
	}
	<-dropped
	h.awaitSent(nc, uint64(len(want)), following)
	e.reader.mu.Unlock()
	h.awaitGot(want...)
	h.logged(bob.Edge, e.id, h.message(bob, uint64(len(want))+1, false))
	h.awaitGot(uint64(len(want)) + 1)
	h.checkGot()
}

// awaitSent waits until the server has sent the log up to a revision and it is here, or
// the reader doesn't follow any more.
func (h *hall) awaitSent(nc *nats.Conn, revision uint64, following int) {
	h.t.Helper()
	for sent := false; !sent && nc.NumSubscriptions() >= following; pause(h.t.Context(), time.Millisecond) {
		consumers := h.log.Stream(h.r.e.id).ListConsumers(h.t.Context())
		for info := range consumers.Info() {
			sent = sent || info.Delivered.Stream >= revision
		}
	}
	if err := nc.Flush(); err != nil {
		h.t.Fatal(err)
	}
}

// connectByBus is a connection as a service has it.
func connectByBus(t *testing.T, url string) *nats.Conn {
	t.Helper()
	cfg := bus.DefaultConfig()
	cfg.URL = url
	nc, err := bus.Connect(t.Context(), cfg, "edge")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// followOver has the edge's reader follow the log over a connection until the test ends.
func (h *hall) followOver(nc *nats.Conn) {
	h.t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		h.t.Fatal(err)
	}
	h.r.e.js = js
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan error, 100), make(chan error, 1)
	go func() { ended <- h.r.e.reader.run(ctx, func(err error) { ready <- err }) }()
	h.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			h.t.Errorf("the reader ended with %v", err)
		}
	})
	if err := <-ready; err != nil {
		h.t.Fatal(err)
	}
}
