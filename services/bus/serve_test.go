package bus

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/natstest"
)

func serve(t *testing.T, nc *nats.Conn, queue string, workers int, h Handler, opts ...ServeOption) *Server {
	t.Helper()
	s, err := Serve(t.Context(), nc, "test.serve", queue, workers, h, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func publish(t *testing.T, nc *nats.Conn, data string) {
	t.Helper()
	if err := nc.Publish("test.serve", []byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestServe_SharesAQueue(t *testing.T) {
	nc := startConnected(t, "svc")
	var calls atomic.Int32
	answer := func(_ context.Context, m *nats.Msg) {
		calls.Add(1)
		_ = m.Respond(m.Data)
	}
	serve(t, nc, "q", 2, answer)
	serve(t, nc, "q", 2, answer)
	for range 100 {
		if _, err := Request(testContext(t), nc, "test.serve", nil, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if got := calls.Load(); got != 100 {
		t.Errorf("calls: got %d, want 100: each request to one member", got)
	}
}

func TestServe_BoundsWorkersAndQueue(t *testing.T) {
	nc := startConnected(t, "svc")
	before := drops.total()
	begun, release := make(chan struct{}, 10), make(chan struct{})
	var handled atomic.Int32
	s := serve(t, nc, "", 2, func(context.Context, *nats.Msg) {
		begun <- struct{}{}
		<-release
		handled.Add(1)
	}, Capacity(3))
	for range 2 { // both workers are busy
		publish(t, nc, "x")
		eventually(t, begun, "a worker")
	}
	for range 4 { // three wait, the fourth has no place
		publish(t, nc, "x")
	}
	if got := drops.total() - before; got != 1 {
		t.Errorf("dropped: got %v, want 1", got)
	}
	close(release)
	s.Close()
	if got := handled.Load(); got != 5 {
		t.Errorf("handled: got %d, want 5", got)
	}
	if got := drops.total() - before; got != 1 {
		t.Errorf("dropped, after the end: got %v, want 1", got)
	}
}

func TestServer_CloseFinishesWhatWaits(t *testing.T) {
	nc := startConnected(t, "svc")
	var mu sync.Mutex
	var got []string
	s := serve(t, nc, "q", 1, func(ctx context.Context, m *nats.Msg) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(m.Data))
		if ctx.Err() != nil {
			t.Error("context: got it ended, want it alive while handlers finish")
		}
	})
	for range 500 {
		if err := nc.Publish("test.serve", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	if len(got) != 500 {
		t.Errorf("handled: got %d, want 500", len(got))
	}
	publish(t, nc, "late")
	if len(got) != 500 {
		t.Error("a message after Close was handled")
	}
}

func TestServer_CloseWhileNATSIsAway(t *testing.T) {
	server := natstest.Start(t)
	nc := natstest.Connect(t, server)
	s := serve(t, nc, "q", 1, func(context.Context, *nats.Msg) {})
	back := nc.StatusChanged(nats.CONNECTED)
	defer nc.RemoveStatusListener(back)
	server.Shutdown()
	until(t, "disconnect", func() bool { return !nc.IsConnected() })
	began := time.Now()
	s.Close()
	if took := time.Since(began); took >= closeLimit {
		t.Errorf("it took %v to close what nothing can come to", took)
	}
	natstest.Restart(t, server)
	eventually(t, back, "reconnect")
	if _, err := nc.RequestWithContext(testContext(t), "test.serve", nil); !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("a request after the end: got %v, want that nobody answers it", err)
	}
}

func TestServe_HandlerContext(t *testing.T) {
	nc := startConnected(t, "svc")
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	seen := make(chan context.Context, 1)
	s, err := Serve(ctx, nc, "test.serve", "", 1, func(ctx context.Context, _ *nats.Msg) { seen <- ctx })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cancel()
	m := nats.NewMsg("test.serve")
	const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	m.Header["Traceparent"] = []string{traceparent}
	if err := nc.PublishMsg(m); err != nil {
		t.Fatal(err)
	}
	got := eventually(t, seen, "the handler")
	if got.Value(key{}) != "value" {
		t.Error("the value of Serve's context is missing")
	}
	if got.Err() != nil {
		t.Error("the handler's context ended with Serve's")
	}
	if sc := trace.SpanContextFromContext(got); sc.TraceID().String() != "0af7651916cd43dd8448eb211c80319c" || !sc.IsRemote() {
		t.Errorf("trace parent: got %v", sc)
	}
	s.Close()
	if got.Err() == nil {
		t.Error("the handler's context outlives Close")
	}
}

func TestServe_AnswersAPanic(t *testing.T) {
	log := captureLog(t)
	nc := startConnected(t, "svc")
	before := testutil.ToFloat64(panics)
	serve(t, nc, "q", 1, func(_ context.Context, m *nats.Msg) {
		if string(m.Data) == "bad" {
			panic("broken invariant")
		}
		_ = m.Respond([]byte("ok"))
	})
	reply, err := Request(testContext(t), nc, "test.serve", nil, []byte("bad"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := reply.Header.Get(ErrorHeader), string(contract.CodeInternal); got != want {
		t.Errorf("%s: got %q, want %q", ErrorHeader, got, want)
	}
	if got := reply.Header.Get(ErrorCodeHeader); got != "500" {
		t.Errorf("%s: got %q, want 500", ErrorCodeHeader, got)
	}
	reply, err = Request(testContext(t), nc, "test.serve", nil, []byte("good"))
	if err != nil || string(reply.Data) != "ok" {
		t.Errorf("the worker after a panic: got %v, %v; want ok", reply, err)
	}
	if got := testutil.ToFloat64(panics) - before; got != 1 {
		t.Errorf("panics counted: got %v, want 1", got)
	}
	if !strings.Contains(log.String(), "broken invariant") {
		t.Errorf("log lacks the panic:\n%s", log)
	}
}

func TestServe_RefusesABadSubject(t *testing.T) {
	nc := startConnected(t, "svc")
	if _, err := Serve(t.Context(), nc, "a b", "q", 1, func(context.Context, *nats.Msg) {}); err == nil {
		t.Error("got no error")
	}
}

func TestServer_CloseWithoutNATS(t *testing.T) {
	nc := startConnected(t, "svc")
	s := serve(t, nc, "q", 4, func(context.Context, *nats.Msg) {})
	nc.Close()
	done := make(chan struct{})
	go func() {
		s.Close()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(closeLimit / 2):
		t.Error("Close waits for a connection that is gone")
	}
}
