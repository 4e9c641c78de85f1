package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/embednats"
	"github.com/parley-rtc/parley/services/natstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var layout = store.Layout{
	Shards: 3, Replicas: 1, Storage: jetstream.FileStorage,
	SignalAge: 127 * time.Second, SignalBytes: 64 << 20,
}

func connect(t *testing.T) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(natstest.Connect(t, natstest.Start(t)))
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func ensure(t *testing.T, js jetstream.JetStream, l store.Layout) {
	t.Helper()
	if err := store.Ensure(t.Context(), js, l, func(error) {}); err != nil {
		t.Fatal(err)
	}
}

func config(t *testing.T, js jetstream.JetStream, bucket string) jetstream.StreamConfig {
	t.Helper()
	stream, err := js.Stream(t.Context(), contract.StreamOf(bucket))
	if err != nil {
		t.Fatal(err)
	}
	return stream.CachedInfo().Config
}

func TestEnsure(t *testing.T) {
	js := connect(t)
	ensure(t, js, layout)
	ages := map[string]time.Duration{
		"rooms": 24 * time.Hour, "members": 24 * time.Hour, "edges": time.Hour, "keys": 0, "apps": 0,
		"signals-0": 127 * time.Second, "signals-1": 127 * time.Second, "signals-2": 127 * time.Second,
	}
	for bucket, age := range ages {
		t.Run(bucket, func(t *testing.T) {
			if _, err := js.KeyValue(t.Context(), bucket); err != nil {
				t.Fatalf("open as a bucket: %v", err)
			}
			c := config(t, js, bucket)
			if c.MaxAge != age {
				t.Errorf("max age: got %v, want %v", c.MaxAge, age)
			}
			if c.AllowDirect || !c.DenyDelete || c.Discard != jetstream.DiscardNew || c.AllowRollup ||
				c.AllowMsgTTL || c.SubjectDeleteMarkerTTL != 0 || c.Storage != jetstream.FileStorage || c.Replicas != 1 {
				t.Errorf("got %+v", c)
			}
			if !strings.HasPrefix(bucket, "signals-") {
				if c.MaxMsgsPerSubject != 1 {
					t.Errorf("history: got %d, want 1", c.MaxMsgsPerSubject)
				}
				return
			}
			if c.Metadata[contract.ShardsMetadata] != "3" || c.Duplicates != age || c.MaxBytes != 64<<20 {
				t.Errorf("got %+v", c)
			}
		})
	}
	t.Run("the log keeps every entry of a link", func(t *testing.T) {
		subject := "$KV.signals-1.edge-1.edge-2"
		for i := range 300 {
			if _, err := js.Publish(t.Context(), subject, fmt.Append(nil, i)); err != nil {
				t.Fatal(err)
			}
		}
		stream, err := js.Stream(t.Context(), "KV_signals-1")
		if err != nil {
			t.Fatal(err)
		}
		if got := stream.CachedInfo().State.Msgs; got != 300 {
			t.Errorf("entries: got %d, want 300", got)
		}
	})
	t.Run("again, with other figures, it changes the streams", func(t *testing.T) {
		other := layout
		other.SignalAge, other.SignalBytes = 3*time.Minute, 128<<20
		ensure(t, js, other)
		c := config(t, js, "signals-2")
		if c.MaxAge != 3*time.Minute || c.Duplicates != 3*time.Minute || c.MaxBytes != 128<<20 {
			t.Errorf("got %+v", c)
		}
	})
	t.Run("another number of shards is refused", func(t *testing.T) {
		other := layout
		other.Shards = 1
		err := store.Ensure(t.Context(), js, other, func(error) {})
		if !errors.Is(err, store.ErrShards) || !strings.Contains(err.Error(), "Set roomsvc.shards to 3") {
			t.Errorf("got %v", err)
		}
		if got := config(t, js, "signals-0").Metadata[contract.ShardsMetadata]; got != "3" {
			t.Errorf("shards: got %s, want 3", got)
		}
	})
}

func TestEnsure_manyAtOnce(t *testing.T) {
	js := connect(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := store.Ensure(t.Context(), js, layout, func(error) {}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestEnsure_manyAtOnceThatDisagree(t *testing.T) {
	js := connect(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := map[int]int{}
	for i := range 8 {
		wg.Go(func() {
			l := layout
			l.Shards = 1 + i%4
			err := store.Ensure(t.Context(), js, l, func(error) {})
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				made[l.Shards]++
			} else if !errors.Is(err, store.ErrShards) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(made) != 1 {
		t.Errorf("numbers of shards that were made: got %v, want one", made)
	}
}

func TestEnsure_waitsForJetStream(t *testing.T) {
	server := natstest.Start(t)
	js, err := jetstream.New(natstest.Connect(t, server))
	if err != nil {
		t.Fatal(err)
	}
	server.Shutdown()
	waits := make(chan error, 100)
	done := make(chan error, 1)
	go func() { done <- store.Ensure(t.Context(), js, layout, func(err error) { waits <- err }) }()
	if err := <-waits; !strings.Contains(err.Error(), "make stream KV_signals-0") {
		t.Errorf("it waits for %v", err)
	}
	natstest.Restart(t, server)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestEnsure_endsWithItsContext(t *testing.T) {
	server := natstest.Start(t)
	js, err := jetstream.New(natstest.Connect(t, server))
	if err != nil {
		t.Fatal(err)
	}
	server.Shutdown()
	ctx, cancel := context.WithCancel(t.Context())
	err = store.Ensure(ctx, js, layout, func(error) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestEnsure_saysWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		change func(js jetstream.JetStream, l *store.Layout) error
		want   string
	}{
		"replicas without a cluster": {func(_ jetstream.JetStream, l *store.Layout) error {
			l.Replicas = 3
			return nil
		}, "set roomsvc.replicas to 1"},
		"more bytes than there are": {func(_ jetstream.JetStream, l *store.Layout) error {
			l.SignalBytes = 1 << 60
			return nil
		}, "lower roomsvc.signals_max_bytes"},
		"another storage": {func(js jetstream.JetStream, l *store.Layout) error {
			err := store.Ensure(t.Context(), js, *l, func(error) {})
			l.Storage = jetstream.MemoryStorage
			return err
		}, "set roomsvc.storage as it was"},
		"a stream that isn't ours": {func(js jetstream.JetStream, _ *store.Layout) error {
			_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "KV_signals-0", Subjects: []string{"x"}})
			return err
		}, "roomsvc didn't make it"},
	} {
		t.Run(name, func(t *testing.T) {
			js, l := connect(t), layout
			if err := c.change(js, &l); err != nil {
				t.Fatal(err)
			}
			err := store.Ensure(t.Context(), js, l, func(err error) { t.Errorf("it waits for %v", err) })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

// Whoever makes a stream that is being made finds the room for it taken, by that
// stream itself.
func TestEnsure_manyAtOnceWithRoomForOneLog(t *testing.T) {
	server, err := embednats.Start(embednats.Config{StoreDir: t.TempDir(), Listen: "127.0.0.1:-1", MaxStore: 100 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Shutdown)
	l := layout
	l.Shards = 1
	for range 5 {
		var all sync.WaitGroup
		js, err := jetstream.New(natstest.Connect(t, server))
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			all.Go(func() {
				if err := store.Ensure(t.Context(), js, l, func(error) {}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if err := js.DeleteStream(t.Context(), "KV_signals-0"); err != nil {
			t.Fatal(err)
		}
	}
}
