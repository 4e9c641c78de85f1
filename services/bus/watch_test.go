package bus

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/natstest"
)

// watched runs Watch and hands on what it tells.
type watched struct {
	entries chan jetstream.KeyValueEntry
	ready   chan struct{}
	ended   chan error
	stop    context.CancelFunc
}

func startWatch(t *testing.T, kv jetstream.KeyValue, pattern string) *watched {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watched{entries: make(chan jetstream.KeyValueEntry, 10_000), ready: make(chan struct{}, 10), ended: make(chan error, 1), stop: cancel}
	go func() {
		w.ended <- Watch(ctx, kv, pattern, func(e jetstream.KeyValueEntry) { w.entries <- e }, func() { w.ready <- struct{}{} })
	}()
	t.Cleanup(func() {
		cancel()
		if err := eventually(t, w.ended, "the end of Watch"); !errors.Is(err, context.Canceled) {
			t.Errorf("Watch: got %v, want its context's error", err)
		}
	})
	return w
}

// until reads entries until one holds value.
func (w *watched) until(t *testing.T, value string) {
	t.Helper()
	for deadline := time.After(patience); ; {
		select {
		case e := <-w.entries:
			if string(e.Value()) == value {
				return
			}
		case <-deadline:
			t.Fatalf("value %s was never seen", value)
		}
	}
}

func TestWatch_CurrentValuesThenChanges(t *testing.T) {
	kv := newBucket(t, startConnected(t, "svc"))
	put := func(key, value string) {
		if _, err := kv.Put(testContext(t), key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	put("a.1", "old")
	put("a.1", "one")
	put("a.2", "two")
	put("b.1", "of no interest")
	w := startWatch(t, kv, "a.*")
	eventually(t, w.ready, "ready")
	if got := len(w.entries); got != 2 {
		t.Errorf("entries before ready: got %d, want 2", got)
	}
	w.until(t, "one")
	w.until(t, "two")
	put("a.2", "three")
	w.until(t, "three")
}

func TestWatch_AnEmptyBucketIsReady(t *testing.T) {
	kv := newBucket(t, startConnected(t, "svc"))
	w := startWatch(t, kv, ">")
	eventually(t, w.ready, "ready")
}

func TestWatch_SurvivesRestarts(t *testing.T) {
	s := natstest.Start(t)
	nc := connectTo(t, s.ClientURL(), "svc")
	kv := newBucket(t, nc)
	w := startWatch(t, kv, ">")
	eventually(t, w.ready, "ready")
	for i := range 3 {
		s = natstest.Restart(t, s)
		value := fmt.Sprint("after restart ", i)
		_, err := Update(testContext(t), kv, "k", func(current []byte, _ uint64) ([]byte, error) {
			if string(current) == value {
				return nil, ErrUnchanged
			}
			return []byte(value), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.until(t, value)
	}
	if got := len(w.ready); got != 0 {
		t.Errorf("ready was called %d more times, want once in all", got)
	}
}

func TestWatch_GoesOnInABucketMadeAnew(t *testing.T) {
	log := captureLog(t)
	nc := startConnected(t, "svc")
	kv := newBucket(t, nc)
	for i := range 10 { // the new bucket's revisions will be lower
		if _, err := kv.Put(testContext(t), "k", []byte(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	w := startWatch(t, kv, ">")
	w.until(t, "9")
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(testContext(t), "KV_rooms"); err != nil {
		t.Fatal(err)
	}
	waitForLog(t, log, "watch is made again")
	makeBucket(t, js)
	if _, err := kv.Put(testContext(t), "k", []byte("anew")); err != nil {
		t.Fatal(err)
	}
	w.until(t, "anew")
}

func TestWatch_APositionCountsOnlyInItsOwnLog(t *testing.T) {
	kv := newBucket(t, startConnected(t, "svc"))
	revision, err := kv.Put(testContext(t), "k", []byte("v"))
	if err != nil {
		t.Fatal(err)
	}
	status, err := kv.Status(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	created := status.(*jetstream.KeyValueBucketStatus).StreamInfo().Created
	for name, tc := range map[string]struct {
		created    time.Time
		last, want uint64
	}{
		"the same log":                     {created, revision, revision},
		"a log made later":                 {created.Add(-time.Second), revision, 0},
		"the same log from an older state": {created, revision + 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := &watch{bucket: kv.(bucket), pattern: ">", created: tc.created, last: tc.last}
			consumer, remove, err := w.newConsumer(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			defer remove()
			if w.last != tc.want {
				t.Errorf("position: got %d, want %d", w.last, tc.want)
			}
			wantPending := uint64(1)
			if tc.want == revision {
				wantPending = 0
			}
			if got := consumer.CachedInfo().NumPending; got != wantPending {
				t.Errorf("entries to come: got %d, want %d", got, wantPending)
			}
		})
	}
}

// A paused consumer shows that it lives and delivers nothing.
func TestWatch_OneThatFallsSilentIsMadeAgain(t *testing.T) {
	kv := newBucket(t, startConnected(t, "svc"))
	ctx, cancel := context.WithCancel(testContext(t))
	ready, seen, ended := make(chan struct{}), make(chan string, 10), make(chan error, 1)
	w := &watch{
		bucket: kv.(bucket), pattern: ">", quiet: 200 * time.Millisecond,
		fn: func(e jetstream.KeyValueEntry) { seen <- string(e.Value()) }, ready: func() { close(ready) },
	}
	go func() { ended <- w.run(ctx) }()
	eventually(t, ready, "ready")
	stream, err := w.bucket.js.Stream(ctx, streamPrefix+kv.Bucket())
	if err != nil {
		t.Fatal(err)
	}
	for paused := false; !paused; { // it may be made again just now
		names := stream.ConsumerNames(ctx)
		for name := range names.Name() {
			_, err := stream.PauseConsumer(ctx, name, time.Now().Add(time.Hour))
			paused = paused || err == nil
		}
	}
	if _, err := kv.Put(ctx, "k", []byte("after silence")); err != nil {
		t.Fatal(err)
	}
	if got, want := eventually(t, seen, "the value"), "after silence"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	cancel()
	if err := eventually(t, ended, "the end"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want its context's error", err)
	}
}

func TestWatch_LosesNothingWhileItsConsumerIsTakenAway(t *testing.T) {
	nc := startConnected(t, "svc")
	kv := newBucket(t, nc)
	w := startWatch(t, kv, ">")
	eventually(t, w.ready, "ready")
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(testContext(t), "KV_rooms")
	if err != nil {
		t.Fatal(err)
	}
	const keys = 2000
	for i := range keys {
		if _, err := kv.Put(testContext(t), fmt.Sprint("k.", i), []byte(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
		if i%500 == 250 {
			for name := range stream.ConsumerNames(testContext(t)).Name() {
				if err := stream.DeleteConsumer(testContext(t), name); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	seen := map[string]int{}
	for len(seen) < keys {
		seen[eventually(t, w.entries, "an entry").Key()]++
	}
	for key, n := range seen {
		if n != 1 {
			t.Errorf("%s: got it %d times, want once: the watch knows its position", key, n)
		}
	}
}

func TestWatch_EveryKindOfEntry(t *testing.T) {
	kv := newBucket(t, startConnected(t, "svc"))
	w := startWatch(t, kv, "a.>")
	put, err := kv.Put(testContext(t), "a.b.c", []byte("v"))
	if err != nil {
		t.Fatal(err)
	}
	e := eventually(t, w.entries, "the put")
	if e.Bucket() != "rooms" || e.Key() != "a.b.c" || string(e.Value()) != "v" || e.Revision() != put ||
		e.Operation() != jetstream.KeyValuePut || e.Delta() != 0 || time.Since(e.Created()) > patience {
		t.Errorf("got %+v", e)
	}
	if err := kv.Delete(testContext(t), "a.b.c"); err != nil {
		t.Fatal(err)
	}
	if got := eventually(t, w.entries, "the delete").Operation(); got != jetstream.KeyValueDelete {
		t.Errorf("operation: got %v, want a delete", got)
	}
	if err := kv.Purge(testContext(t), "a.b.c"); err != nil {
		t.Fatal(err)
	}
	if got := eventually(t, w.entries, "the purge").Operation(); got != jetstream.KeyValuePurge {
		t.Errorf("operation: got %v, want a purge", got)
	}
}

func TestWatch_LeavesNoConsumerBehind(t *testing.T) {
	nc := startConnected(t, "svc")
	kv := newBucket(t, nc)
	w := startWatch(t, kv, ">")
	eventually(t, w.ready, "ready")
	w.stop()
	w.ended <- eventually(t, w.ended, "the end of Watch")
	status, err := kv.Status(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := status.(*jetstream.KeyValueBucketStatus).StreamInfo().State.Consumers; got != 0 {
		t.Errorf("consumers: got %d, want 0", got)
	}
}

func TestWatch_NeedsABucketFromOpenBucket(t *testing.T) {
	nc := startConnected(t, "svc")
	newBucket(t, nc)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.KeyValue(testContext(t), "rooms")
	if err != nil {
		t.Fatal(err)
	}
	if err := Watch(testContext(t), kv, ">", nil, nil); !errors.Is(err, errNotOpened) {
		t.Errorf("got %v, want errNotOpened", err)
	}
}
