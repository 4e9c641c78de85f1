package roomsvc

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// TestFeed_readsAgainWhatWasDropped holds whoever takes the entries up until the NATS
// client drops what comes for it, the last one among it: 64 MiB is what a subscription
// holds. Every entry is taken all the same, once and in order.
func TestFeed_readsAgainWhatWasDropped(t *testing.T) {
	s := newStand(t)
	cfg := testConfig()
	cfg.Shards, cfg.SignalsMaxBytes = 1, 256<<20
	if err := store.Ensure(t.Context(), s.js, cfg.layout(), func(error) {}); err != nil {
		t.Fatal(err)
	}
	log, err := link.OpenLog(t.Context(), s.js)
	if err != nil {
		t.Fatal(err)
	}
	subject := log.Subject(token("edge-1"), token("edge-2"))
	write := func(size int) {
		t.Helper()
		if _, err := s.js.Publish(t.Context(), subject, make([]byte, size)); err != nil {
			t.Fatal(err)
		}
	}
	write(1) // of before the feed
	dropped := make(chan struct{}, 100)
	defer bus.OnOverrun(func() { dropped <- struct{}{} })()
	busConfig := bus.DefaultConfig()
	busConfig.URL = s.server.ClientURL()
	nc, err := bus.Connect(t.Context(), busConfig, "roomsvc")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	const entries = 64<<20/(contract.MaxEntryBytes-1024) + 10
	took, goOn := make(chan uint64, 2*entries), make(chan struct{})
	f := startFeed(js, 1, func(m jetstream.Msg) {
		<-goOn
		if meta, err := m.Metadata(); err == nil {
			took <- meta.Sequence.Stream
		}
	})
	defer f.stop()
	<-f.ready
	following := nc.NumSubscriptions()
	var sent []uint64
	for n := range uint64(entries) {
		write(contract.MaxEntryBytes - 1024)
		sent = append(sent, n+2)
	}
	<-dropped
	awaitSent(t, s.js, nc, entries+1, following)
	close(goOn)
	var got []uint64
	for range entries {
		select {
		case revision := <-took:
			got = append(got, revision)
		case <-time.After(30 * time.Second):
			t.Fatalf("of %d entries only %v were taken", entries, got)
		}
	}
	if !slices.Equal(got, sent) {
		t.Errorf("taken were the entries %v, want %v", got, sent)
	}
}

// TestFeed_takesOnceWhatTwoConsumersDeliver: the NATS client makes a consumer anew while
// the goroutine of the one before still has an entry.
func TestFeed_takesOnceWhatTwoConsumersDeliver(t *testing.T) {
	s := newStand(t)
	if err := store.Ensure(t.Context(), s.js, testConfig().layout(), func(error) {}); err != nil {
		t.Fatal(err)
	}
	log, err := link.OpenLog(t.Context(), s.js)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.js.Publish(t.Context(), log.Subject(token("edge-1"), token("edge-2")), nil); err != nil {
		t.Fatal(err)
	}
	deliver := func() jetstream.Msg {
		consumer, err := log.Stream(token("edge-2")).OrderedConsumer(t.Context(), jetstream.OrderedConsumerConfig{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := consumer.Next()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	one, again := deliver(), deliver()
	var taken atomic.Int32
	var both sync.WaitGroup
	var f *follower
	f = &follower{take: func(jetstream.Msg) {
		if taken.Add(1) > 1 {
			return
		}
		second := make(chan struct{})
		both.Go(func() { f.handle(again); close(second) })
		select {
		case <-second:
		case <-time.After(50 * time.Millisecond): // it waits, as it should
		}
	}}
	f.handle(one)
	both.Wait()
	if got := taken.Load(); got != 1 {
		t.Errorf("an entry that two consumers delivered was taken %d times", got)
	}
}

// awaitSent waits until the server has sent the log up to a revision and it is here, or
// nobody follows any more.
func awaitSent(t *testing.T, js jetstream.JetStream, nc *nats.Conn, revision uint64, following int) {
	t.Helper()
	stream, err := js.Stream(t.Context(), contract.StreamOf(contract.SignalsBucket(0)))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server sends everything", func() (bool, any) {
		consumers := stream.ListConsumers(t.Context())
		for info := range consumers.Info() {
			if info.Delivered.Stream >= revision {
				return true, nil
			}
		}
		return nc.NumSubscriptions() < following, consumers.Err()
	})
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
}
