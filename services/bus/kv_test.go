package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/natstest"
)

// ledger is a value in the manner of a room document: what was applied, and the
// last operation of each writer.
type ledger struct {
	Applied []string          `json:"applied"`
	Last    map[string]string `json:"last"`
}

// apply adds one operation to the ledger under key exactly once.
func apply(ctx context.Context, kv jetstream.KeyValue, key, writer, op string) error {
	_, err := Update(ctx, kv, key, func(current []byte, _ uint64) ([]byte, error) {
		l := ledger{Last: map[string]string{}}
		if current != nil {
			if err := json.Unmarshal(current, &l); err != nil {
				return nil, err
			}
		}
		if l.Last[writer] == op {
			return nil, ErrUnchanged
		}
		l.Applied = append(l.Applied, op)
		l.Last[writer] = op
		return json.Marshal(l)
	})
	return err
}

func readLedger(t *testing.T, kv jetstream.KeyValue, key string) ledger {
	t.Helper()
	value, _, err := Get(testContext(t), kv, key)
	if err != nil {
		t.Fatal(err)
	}
	var l ledger
	if err := json.Unmarshal(value, &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// applyAll lets writers apply ops operations each to one key at the same time,
// and checks that each was applied once and each writer's in order.
func applyAll(t *testing.T, connect func() *nats.Conn, writers, ops int, meanwhile func(applied *atomic.Int32)) {
	t.Helper()
	var applied atomic.Int32
	done := make(chan error, writers)
	first := newBucket(t, connect())
	for w := range writers {
		nc := connect()
		go func() {
			js, err := jetstream.New(nc)
			if err != nil {
				done <- err
				return
			}
			kv, err := OpenBucket(testContext(t), js, "rooms")
			writer := fmt.Sprint("w", w)
			for i := 0; i < ops && err == nil; i++ {
				err = apply(testContext(t), kv, "app.room", writer, fmt.Sprintf("%s-%03d", writer, i))
				applied.Add(1)
			}
			done <- err
		}()
	}
	meanwhile(&applied)
	for range writers {
		if err := eventually(t, done, "a writer"); err != nil {
			t.Fatal(err)
		}
	}
	l := readLedger(t, first, "app.room")
	if got, want := len(l.Applied), writers*ops; got != want {
		t.Errorf("operations: got %d, want %d", got, want)
	}
	next := map[string]int{}
	for _, op := range l.Applied {
		writer := op[:2]
		if want := fmt.Sprintf("%s-%03d", writer, next[writer]); op != want {
			t.Fatalf("got %s, want %s", op, want)
		}
		next[writer]++
	}
}

func TestUpdate_FourWritersApplyEachOperationOnce(t *testing.T) {
	s := natstest.Start(t)
	applyAll(t, func() *nats.Conn { return connectTo(t, s.ClientURL(), "writer") }, 4, 100, func(*atomic.Int32) {})
}

func TestUpdate_AppliesOnceOverRestarts(t *testing.T) {
	s := natstest.Start(t)
	applyAll(t, func() *nats.Conn { return connectTo(t, s.ClientURL(), "writer") }, 4, 100, func(applied *atomic.Int32) {
		for i := range 3 {
			until(t, "some operations", func() bool { return applied.Load() > int32(100*i+30) })
			s = natstest.Restart(t, s)
		}
	})
}

func TestUpdate(t *testing.T) {
	kv := newBucket(t, startConnected(t, "svc"))
	ctx := testContext(t)
	set := func(value string) func([]byte, uint64) ([]byte, error) {
		return func([]byte, uint64) ([]byte, error) { return []byte(value), nil }
	}

	created, err := Update(ctx, kv, "k", func(current []byte, revision uint64) ([]byte, error) {
		if current != nil || revision != 0 {
			t.Errorf("an absent key: got %q at %d, want nil at 0", current, revision)
		}
		return []byte("one"), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Run("gives the current value and revision", func(t *testing.T) {
		_, err := Update(ctx, kv, "k", func(current []byte, revision uint64) ([]byte, error) {
			if string(current) != "one" || revision != created {
				t.Errorf("got %q at %d, want one at %d", current, revision, created)
			}
			return []byte("two"), nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("unchanged", func(t *testing.T) {
		_, before, err := Get(ctx, kv, "k")
		if err != nil {
			t.Fatal(err)
		}
		got, err := Update(ctx, kv, "k", func([]byte, uint64) ([]byte, error) { return nil, fmt.Errorf("as it is: %w", ErrUnchanged) })
		if err != nil || got != before {
			t.Errorf("got revision %d, %v; want %d", got, err, before)
		}
	})
	t.Run("the function's error", func(t *testing.T) {
		refused := errors.New("refused")
		if _, err := Update(ctx, kv, "k", func([]byte, uint64) ([]byte, error) { return nil, refused }); !errors.Is(err, refused) {
			t.Errorf("got %v, want refused", err)
		}
	})
	t.Run("over a delete marker", func(t *testing.T) {
		if err := kv.Delete(ctx, "k"); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Get(ctx, kv, "k"); !errors.Is(err, ErrNotFound) {
			t.Errorf("a deleted key: got %v, want ErrNotFound", err)
		}
		if _, err := Update(ctx, kv, "k", set("three")); err != nil {
			t.Error(err)
		}
	})
	t.Run("an invalid key", func(t *testing.T) {
		if _, err := Update(ctx, kv, "a b", set("x")); !errors.Is(err, jetstream.ErrInvalidKey) {
			t.Errorf("got %v, want ErrInvalidKey", err)
		}
	})
	t.Run("a value over the limit", func(t *testing.T) {
		if _, err := Update(ctx, kv, "big", set(string(make([]byte, 2<<20)))); !errors.Is(err, nats.ErrMaxPayload) {
			t.Errorf("got %v, want ErrMaxPayload at once", err)
		}
	})
	t.Run("calls again on a conflict", func(t *testing.T) {
		calls := 0
		_, err := Update(ctx, kv, "k", func([]byte, uint64) ([]byte, error) {
			if calls++; calls == 1 {
				if _, err := kv.Put(ctx, "k", []byte("somebody else")); err != nil {
					t.Error(err)
				}
			}
			return []byte("mine"), nil
		})
		if err != nil || calls != 2 {
			t.Errorf("got %d calls, %v; want 2", calls, err)
		}
	})
}

func TestUpdateFrom(t *testing.T) {
	nc := startConnected(t, "svc")
	kv := newBucket(t, nc)
	ctx := testContext(t)
	var reads atomic.Int32
	if _, err := nc.Subscribe("$JS.API.STREAM.MSG.GET.>", func(*nats.Msg) { reads.Add(1) }); err != nil {
		t.Fatal(err)
	}
	write := func(at uint64, value string) (revision uint64, calls int) {
		t.Helper()
		revision, err := UpdateFrom(ctx, kv, "k", at, func([]byte, uint64) ([]byte, error) {
			calls++
			return []byte(value), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := nc.Flush(); err != nil { // what was asked is counted
			t.Fatal(err)
		}
		return revision, calls
	}
	first, _ := write(0, "one")
	second, _ := write(first, "two")
	if got := reads.Load(); got != 0 {
		t.Errorf("at known revisions: %d reads, want none", got)
	}
	if _, calls := write(first, "three"); calls != 2 {
		t.Errorf("at an old revision: called %d times, want 2", calls)
	}
	if _, err := UpdateFrom(ctx, kv, "k", second, func(current []byte, revision uint64) ([]byte, error) {
		if revision == second {
			return []byte("four"), nil
		}
		if string(current) != "three" {
			t.Errorf("the second time: got %q, want three", current)
		}
		return nil, ErrUnchanged
	}); err != nil {
		t.Error(err)
	}
}

func TestUpdate_EndsWithItsContext(t *testing.T) {
	s := natstest.Start(t)
	kv := newBucket(t, connectTo(t, s.ClientURL(), "svc"))
	s.Shutdown()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := Update(ctx, kv, "k", func([]byte, uint64) ([]byte, error) { return nil, nil })
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestGet_WaitsForTheServer(t *testing.T) {
	s := natstest.Start(t)
	kv := newBucket(t, connectTo(t, s.ClientURL(), "svc"))
	want, err := kv.Put(testContext(t), "k", []byte("v"))
	if err != nil {
		t.Fatal(err)
	}
	s.Shutdown()
	type result struct {
		value    []byte
		revision uint64
		err      error
	}
	got := make(chan result, 1)
	go func() {
		value, revision, err := Get(testContext(t), kv, "k")
		got <- result{value, revision, err}
	}()
	natstest.Restart(t, s)
	if r := eventually(t, got, "Get"); r.err != nil || string(r.value) != "v" || r.revision != want {
		t.Errorf("got %q at %d, %v; want v at %d", r.value, r.revision, r.err, want)
	}
}

func TestOpen_WaitsUntilItExists(t *testing.T) {
	log := captureLog(t)
	js, err := jetstream.New(startConnected(t, "svc"))
	if err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 2)
	go func() {
		_, err := OpenBucket(testContext(t), js, "rooms")
		opened <- err
	}()
	go func() {
		_, err := OpenStream(testContext(t), js, "KV_rooms")
		opened <- err
	}()
	for _, want := range []string{`missing="bucket rooms"`, `missing="stream KV_rooms"`} {
		waitForLog(t, log, want)
	}
	makeBucket(t, js)
	for range 2 {
		if err := eventually(t, opened, "open"); err != nil {
			t.Error(err)
		}
	}
}

func TestOpen_EndsWithItsContext(t *testing.T) {
	js, err := jetstream.New(startConnected(t, "svc"))
	if err != nil {
		t.Fatal(err)
	}
	log := captureLog(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := OpenBucket(ctx, js, "rooms")
		ended <- err
	}()
	waitForLog(t, log, "waiting for a stream")
	cancel()
	if err := eventually(t, ended, "the end"); !errors.Is(err, context.Canceled) || !errors.Is(err, jetstream.ErrBucketNotFound) {
		t.Errorf("got %v, want the context's error and why", err)
	}
	if _, err := OpenBucket(testContext(t), js, "a b"); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("an invalid name: got %v, want an error at once", err)
	}
}

func TestIsTransient(t *testing.T) {
	for _, err := range []error{
		nats.ErrNoResponders, nats.ErrTimeout, nats.ErrReconnectBufExceeded, nats.ErrDisconnected,
		jetstream.ErrNoStreamResponse, context.DeadlineExceeded, fmt.Errorf("step: %w", nats.ErrTimeout),
		&jetstream.APIError{Code: 503, ErrorCode: 10008}, &jetstream.APIError{Code: 500, ErrorCode: 10009},
		&jetstream.APIError{Code: 409, ErrorCode: 10158}, &jetstream.APIError{Code: 429, ErrorCode: 10167},
		jetstream.ErrJetStreamNotEnabled,
	} {
		if !IsTransient(err) {
			t.Errorf("%v: got false, want true", err)
		}
	}
	for _, err := range []error{
		nil, nats.ErrConnectionClosed, nats.ErrBadSubject, nats.ErrMaxPayload, context.Canceled, jetstream.ErrKeyNotFound,
		jetstream.ErrKeyExists, jetstream.ErrBucketNotFound, jetstream.ErrJetStreamNotEnabledForAccount,
		&jetstream.APIError{Code: 400, ErrorCode: 10164},
	} {
		if IsTransient(err) {
			t.Errorf("%v: got true, want false", err)
		}
	}
}
