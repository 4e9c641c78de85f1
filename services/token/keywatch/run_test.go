package keywatch

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/natstest"
	"github.com/parley-rtc/parley/services/token"
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

func keysBucket(t *testing.T) jetstream.KeyValue {
	t.Helper()
	js, err := jetstream.New(natstest.Connect(t, natstest.Start(t)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = js.CreateStream(testContext(t), jetstream.StreamConfig{
		Name: contract.StreamOf(contract.BucketKeys), Subjects: []string{"$KV." + contract.BucketKeys + ".>"},
		MaxMsgsPerSubject: 1, DenyDelete: true, Discard: jetstream.DiscardNew,
	})
	if err != nil {
		t.Fatal(err)
	}
	kv, err := bus.OpenBucket(testContext(t), js, contract.BucketKeys)
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

func testRecord(n byte) contract.KeyRecord {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
	return token.Record(ed25519.PublicKey(key[ed25519.SeedSize:]))
}

// put writes a record; nil deletes its key.
func put(t *testing.T, kv jetstream.KeyValue, key string, record any) {
	t.Helper()
	if record == nil {
		if err := kv.Delete(testContext(t), key); err != nil {
			t.Fatal(err)
		}
		return
	}
	value, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(testContext(t), key, value); err != nil {
		t.Fatal(err)
	}
}

// run starts Run and returns when it is ready.
func run(t *testing.T, kv jetstream.KeyValue, verifier *token.Verifier) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- Run(ctx, kv, verifier, func() { close(ready) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want %v", err, context.Canceled)
		}
	})
	select {
	case <-ready:
	case <-time.After(patience):
		t.Fatal("not ready in time")
	}
}

// last puts a key that is known when everything before it has been seen.
func last(t *testing.T, kv jetstream.KeyValue, verifier *token.Verifier, n byte) {
	t.Helper()
	put(t, kv, testRecord(n).KeyID, testRecord(n))
	ctx := testContext(t)
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for !verifier.Knows(testRecord(n).KeyID) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatal("a key that was put isn't known in time")
		}
	}
}

func TestRun(t *testing.T) {
	one, two := testRecord(1), testRecord(2)
	retired := one
	retired.Retired = true
	bad := one
	bad.Algorithm = "none"
	type write struct {
		key    string
		record any // nil deletes
	}
	for i, test := range []struct {
		name   string
		writes []write
		want   bool // that key one counts afterwards
	}{
		{"another key comes", []write{{two.KeyID, two}}, true},
		{"the same again", []write{{one.KeyID, one}}, true},
		{"a revocation", []write{{"revoked." + one.KeyID, "x"}}, true},
		{"retired", []write{{one.KeyID, retired}}, false},
		{"retired and put again", []write{{one.KeyID, retired}, {one.KeyID, one}}, false},
		{"deleted", []write{{one.KeyID, nil}}, false},
		{"deleted and put again", []write{{one.KeyID, nil}, {one.KeyID, one}}, true},
		{"not a record any more", []write{{one.KeyID, "x"}}, false},
		{"another key under its kid", []write{{one.KeyID, two}}, false},
		{"of another algorithm", []write{{one.KeyID, bad}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			kv := keysBucket(t)
			put(t, kv, one.KeyID, one)
			verifier := token.NewVerifier(token.DefaultRules())
			run(t, kv, verifier)
			if !verifier.Knows(one.KeyID) {
				t.Fatal("ready, and a key that was there isn't known")
			}
			for _, w := range test.writes {
				put(t, kv, w.key, w.record)
			}
			last(t, kv, verifier, byte(100+i))
			if got := verifier.Knows(one.KeyID); got != test.want {
				t.Errorf("Knows = %v, want %v", got, test.want)
			}
		})
	}
}

func TestRun_withoutReady(t *testing.T) {
	kv := keysBucket(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	verifier := token.NewVerifier(token.DefaultRules())
	go func() { ended <- Run(ctx, kv, verifier, nil) }()
	last(t, kv, verifier, 1)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want %v", err, context.Canceled)
	}
}
