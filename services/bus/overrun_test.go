package bus

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// TestWatch_WhatIsDroppedIsReadAgain holds fn up until the library's queue is full of
// entries and of the server's signs of life, so that the last entry is dropped. No
// later one shows that it is missing.
func TestWatch_WhatIsDroppedIsReadAgain(t *testing.T) {
	log := captureLog(t)
	kv := newBucket(t, startConnected(t, "svc"))
	ctx, cancel := context.WithCancel(testContext(t))
	seen, goOn, ended := make(chan string, 2*watchBuffer), make(chan struct{}), make(chan error, 1)
	w := &watch{bucket: kv.(bucket), pattern: ">", quiet: time.Hour, fn: func(e jetstream.KeyValueEntry) {
		seen <- string(e.Value())
		<-goOn
	}}
	go func() { ended <- w.run(ctx) }()
	put := func(n int) {
		if _, err := kv.Put(ctx, fmt.Sprint("k.", n), []byte(fmt.Sprint(n))); err != nil {
			t.Fatal(err)
		}
	}
	put(0)
	eventually(t, seen, "the first entry")
	following := w.bucket.js.Conn().NumSubscriptions()
	for n := 1; n < watchBuffer-1; n++ { // one less than the server was asked for
		put(n)
	}
	waitForLog(t, log, nats.ErrSlowConsumer.Error())
	put(watchBuffer - 1)
	awaitDelivered(t, w, watchBuffer, following)
	close(goOn)
	for n := 1; n < watchBuffer; n++ {
		if got, want := eventually(t, seen, "an entry"), fmt.Sprint(n); got != want {
			t.Fatalf("got entry %s, want %s", got, want)
		}
	}
	cancel()
	if err := eventually(t, ended, "the end"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want its context's error", err)
	}
}

// awaitDelivered waits until the server has sent so many entries to a watcher and they
// are here, or the watcher doesn't follow any more.
func awaitDelivered(t *testing.T, w *watch, entries uint64, following int) {
	t.Helper()
	nc := w.bucket.js.Conn()
	stream, err := w.bucket.js.Stream(testContext(t), streamPrefix+w.bucket.Bucket())
	if err != nil {
		t.Fatal(err)
	}
	until(t, "the server sends everything", func() bool {
		consumers := stream.ListConsumers(testContext(t))
		for info := range consumers.Info() {
			if info.Delivered.Consumer >= entries {
				return true
			}
		}
		return nc.NumSubscriptions() < following
	})
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
}

// TestOnOverrun_notForWhatIsAskedAgain has the queue of a server overflow: readers of
// streams have lost nothing by it.
func TestOnOverrun_notForWhatIsAskedAgain(t *testing.T) {
	log := captureLog(t)
	nc := startConnected(t, "svc")
	told := make(chan struct{}, 10)
	defer OnOverrun(func() { told <- struct{}{} })()
	goOn := make(chan struct{})
	s, err := Serve(testContext(t), nc, "asked", "", 1, func(context.Context, *nats.Msg) { <-goOn }, Capacity(1))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	defer close(goOn)
	before := drops.total()
	for range 10 {
		if err := nc.Publish("asked", nil); err != nil {
			t.Fatal(err)
		}
	}
	waitForLog(t, log, nats.ErrSlowConsumer.Error())
	if drops.total() == before {
		t.Error("the drops weren't counted")
	}
	select {
	case <-told:
		t.Error("readers were told")
	default:
	}
}
