package authsvc

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/natstest"
	"github.com/parley-rtc/parley/services/token"
	"github.com/parley-rtc/parley/services/token/keywatch"
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

// await asks again and again whether something has come true.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx := testContext(t)
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for !is() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatalf("%s: not in %v", what, patience)
		}
	}
}

// buckets are what an authsvc writes.
type buckets struct{ keys, apps jetstream.KeyValue }

// makeBuckets makes them as roomsvc does: without direct get and markers.
func makeBuckets(t *testing.T, nc *nats.Conn) buckets {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	open := func(name string) jetstream.KeyValue {
		_, err := js.CreateStream(testContext(t), jetstream.StreamConfig{
			Name: contract.StreamOf(name), Subjects: []string{"$KV." + name + ".>"},
			MaxMsgsPerSubject: 1, DenyDelete: true, Discard: jetstream.DiscardNew,
		})
		if err != nil {
			t.Fatal(err)
		}
		kv, err := bus.OpenBucket(testContext(t), js, name)
		if err != nil {
			t.Fatal(err)
		}
		return kv
	}
	return buckets{keys: open(contract.BucketKeys), apps: open(contract.BucketApps)}
}

// put writes a record past every authsvc.
func put(t *testing.T, kv jetstream.KeyValue, key string, record any) {
	t.Helper()
	value, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(testContext(t), key, value); err != nil {
		t.Fatal(err)
	}
}

// running is an authsvc that a test started.
type running struct {
	t      *testing.T
	nc     *nats.Conn
	url    string
	kid    string
	health *lifecycle.Health
	stop   func() error // ends it and returns what Run did
}

// launch starts an authsvc without waiting for it.
func launch(t *testing.T, nc *nats.Conn, cfg Config) *running {
	t.Helper()
	ring, err := cfg.ring()
	if err != nil {
		t.Fatal(err)
	}
	var l net.ListenConfig
	if cfg.Listener, err = l.Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	r := &running{t: t, nc: nc, url: "http://" + cfg.Listener.Addr().String(), kid: ring.KeyID(), health: lifecycle.NewHealth()}
	// The test's own context ends before its cleanup does.
	ctx, cancel := context.WithCancel(lifecycle.WithHealth(context.WithoutCancel(t.Context()), r.health))
	ended := make(chan struct{})
	var result error
	go func() {
		defer close(ended)
		result = Run(ctx, cfg, nc)
	}()
	r.stop = func() error {
		cancel()
		<-ended
		return result
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("Run = %v, want no error", err)
		}
	})
	return r
}

// start starts an authsvc and waits until it is ready.
func start(t *testing.T, nc *nats.Conn, cfg Config) *running {
	t.Helper()
	r := launch(t, nc, cfg)
	await(t, "ready", r.ready)
	return r
}

func (r *running) ready() bool {
	ready, checks := r.health.Ready()
	return ready && len(checks) == 4
}

func (r *running) check(name string) string {
	_, checks := r.health.Ready()
	return checks[name]
}

// post asks for a token over HTTP.
func (r *running) post(apiKey, body string) (status int, header http.Header, answer []byte) {
	r.t.Helper()
	return r.do(http.MethodPost, TokensPath, strings.NewReader(body), http.Header{
		"Authorization": {"Bearer " + apiKey}, "Content-Type": {"application/json"},
	})
}

func (r *running) do(method, path string, body io.Reader, header http.Header) (int, http.Header, []byte) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(testContext(r.t), method, r.url+path, body)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header = header
	req.Close = true // no idle connections to wait for
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, answer
}

// token asks over HTTP and must get one.
func (r *running) token(apiKey, body string) contract.TokenReply {
	r.t.Helper()
	status, _, answer := r.post(apiKey, body)
	var reply contract.TokenReply
	if err := json.Unmarshal(answer, &reply); err != nil || status != http.StatusCreated || reply.Token == "" {
		r.t.Fatalf("POST %s = %d %s, %v, want a token", body, status, answer, err)
	}
	return reply
}

// overNATS asks for a token over NATS, for any authsvc to answer.
func overNATS(t *testing.T, nc *nats.Conn, body any, header nats.Header) contract.TokenReply {
	t.Helper()
	data, raw := body.([]byte)
	if !raw {
		var err error
		if data, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	m, err := bus.Request(testContext(t), nc, contract.SubjectAuthToken, header, data)
	if err != nil {
		t.Fatal(err)
	}
	var reply contract.TokenReply
	if err := json.Unmarshal(m.Data, &reply); err != nil {
		t.Fatalf("reply %q: %v", m.Data, err)
	}
	return reply
}

// edge is the part of an edge that believes tokens.
func edge(t *testing.T, keys jetstream.KeyValue) *token.Verifier {
	t.Helper()
	verifier := token.NewVerifier(token.Rules{Issuer: "parley", Leeway: 30 * time.Second})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- keywatch.Run(ctx, keys, verifier, func() { close(ready) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("keywatch.Run = %v, want %v", err, context.Canceled)
		}
	})
	select {
	case <-ready:
	case <-time.After(patience):
		t.Fatal("the keys weren't known in time")
	}
	return verifier
}

func codeOf(err error) contract.Code {
	var e *contract.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// hello is a plain request.
const hello = `{"room":"hello","identity":"ada"}`

// stored counts what a bucket has stored in its life.
func stored(t *testing.T, kv jetstream.KeyValue) uint64 {
	t.Helper()
	status, err := kv.Status(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	info, ok := status.(*jetstream.KeyValueBucketStatus)
	if !ok {
		t.Fatalf("status is a %T", status)
	}
	return info.StreamInfo().State.LastSeq
}

func setup(t *testing.T) (*nats.Conn, buckets) {
	t.Helper()
	nc := natstest.Connect(t, natstest.Start(t))
	return nc, makeBuckets(t, nc)
}

// app configures one more app.
func app(id, apiKey string) App {
	return App{ID: id, APIKeys: map[string]config.Secret{"backend": config.Secret(apiKey)}}
}
