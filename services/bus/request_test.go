package bus

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-rtc/parley/services/natstest"
	"github.com/parley-rtc/parley/services/telemetry"
)

func TestRequest_WaitsForAResponder(t *testing.T) {
	nc := startConnected(t, "cli")
	answered := make(chan error, 1)
	go func() {
		_, err := Request(testContext(t), nc, "test.serve", nil, nil, Backoff(time.Millisecond, 10*time.Millisecond))
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("nobody serves yet: got %v, want it to go on", err)
	case <-time.After(50 * time.Millisecond):
	}
	serve(t, nc, "q", 1, func(_ context.Context, m *nats.Msg) { _ = m.Respond(nil) })
	if err := eventually(t, answered, "the answer"); err != nil {
		t.Errorf("got %v, want an answer", err)
	}
}

func TestRequest_AsksAgainWhenTheAnswerIsLost(t *testing.T) {
	nc := startConnected(t, "cli")
	var calls atomic.Int32
	serve(t, nc, "q", 1, func(_ context.Context, m *nats.Msg) {
		if calls.Add(1) >= 3 { // a machine that is busy may be late with it, too
			_ = m.Respond(m.Data)
		}
	})
	reply, err := Request(testContext(t), nc, "test.serve", nil, []byte("same"),
		AttemptTimeout(20*time.Millisecond), Backoff(time.Millisecond, time.Millisecond))
	if err != nil || string(reply.Data) != "same" {
		t.Fatalf("got %v, %v", reply, err)
	}
	if got := calls.Load(); got < 3 {
		t.Errorf("attempts: got %d, want 3, or more if answers came late", got)
	}
}

func TestRequest_SurvivesARestart(t *testing.T) {
	s := natstest.Start(t)
	client, service := connectTo(t, s.ClientURL(), "cli"), connectTo(t, s.ClientURL(), "svc")
	serve(t, service, "q", 4, func(_ context.Context, m *nats.Msg) { _ = m.Respond(m.Data) })

	const requests = 200
	done := make(chan error, requests)
	for range requests {
		go func() {
			for range 10 {
				if _, err := Request(testContext(t), client, "test.serve", nil, []byte("x")); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	s = natstest.Restart(t, s)
	natstest.Restart(t, s)
	for range requests {
		if err := eventually(t, done, "a request"); err != nil {
			t.Error(err)
		}
	}
}

func TestRequest_EndsWithItsContext(t *testing.T) {
	nc := startConnected(t, "cli")
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	before := nc.Stats().InMsgs
	ended := make(chan error, 1)
	go func() {
		_, err := Request(ctx, nc, "nobody.there", nil, nil, Backoff(time.Millisecond, time.Millisecond))
		ended <- err
	}()
	until(t, "the server answers the second attempt", func() bool { return nc.Stats().InMsgs >= before+2 })
	cancel() // maybe in the middle of an attempt, which then has no error to tell of
	err := eventually(t, ended, "the end")
	if !errors.Is(err, context.Canceled) || !errors.Is(err, nats.ErrNoResponders) {
		t.Errorf("got %v, want the context's error and the last attempt's", err)
	}
}

func TestRequest_DoesNotRepeatWhatCannotSucceed(t *testing.T) {
	nc := startConnected(t, "cli")
	if _, err := Request(testContext(t), nc, "", nil, nil); !errors.Is(err, nats.ErrBadSubject) {
		t.Errorf("no subject: got %v, want ErrBadSubject at once", err)
	}
	if _, err := Request(testContext(t), nc, "x", nil, make([]byte, 2<<20)); !errors.Is(err, nats.ErrMaxPayload) {
		t.Errorf("too large: got %v, want ErrMaxPayload at once", err)
	}
	nc.Close()
	if _, err := Request(testContext(t), nc, "x", nil, nil); !errors.Is(err, nats.ErrConnectionClosed) {
		t.Errorf("closed: got %v, want ErrConnectionClosed at once", err)
	}
}

func TestRequest_CarriesTheTraceAndLeavesTheHeaderAlone(t *testing.T) {
	nc := startConnected(t, "cli")
	serve(t, nc, "q", 1, func(_ context.Context, m *nats.Msg) {
		_ = m.Respond([]byte(strings.Join(m.Header[telemetry.TraceparentName], ",") + " " + m.Header.Get("Kind")))
	})
	const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	header := nats.Header{"Kind": {"k"}}
	reply, err := Request(telemetry.WithTraceparent(testContext(t), traceparent), nc, "test.serve", header, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(reply.Data), traceparent+" k"; got != want {
		t.Errorf("headers: got %q, want %q", got, want)
	}
	if len(header) != 1 {
		t.Errorf("the caller's header was changed: %v", header)
	}
}

func TestTrace_HeaderNames(t *testing.T) {
	const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, name := range []string{"traceparent", "Traceparent", "TraceParent"} {
		ctx := ExtractTrace(t.Context(), nats.Header{"Other": {"x"}, name: {traceparent}})
		if got := telemetry.Traceparent(ctx); got != traceparent {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if got := InjectTrace(t.Context(), nil); got != nil {
		t.Errorf("without a span: got %v, want no header", got)
	}
	if ctx := ExtractTrace(t.Context(), nats.Header{"traceparent": {"nonsense"}}); trace.SpanContextFromContext(ctx).IsValid() {
		t.Error("a malformed parent was believed")
	}
	allocs := testing.AllocsPerRun(100, func() {
		_ = ExtractTrace(t.Context(), nil)
		_ = InjectTrace(t.Context(), nil)
	})
	if allocs != 0 {
		t.Errorf("without a trace: got %v allocations, want 0", allocs)
	}
}
