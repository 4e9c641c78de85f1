package telemetry

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func fullQueueLosses() float64 { return testutil.ToFloat64(spansLost.WithLabelValues(lostQueueFull)) }

func TestQueue_holdsNobodyUpAndIsBounded(t *testing.T) {
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "1000")
	to := &collectorStub{answers: make(chan struct{})}
	q, before := newQueue(to), fullQueueLosses()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(q))
	tracer, done := provider.Tracer("parley/test"), make(chan struct{})
	go func() {
		defer close(done)
		for range 5000 {
			_, span := tracer.Start(context.Background(), "test")
			span.End()
		}
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Error("who ends a span waits for the collector")
	}
	if got := fullQueueLosses() - before; got != 4000 || q.waiting.Load() != 1000 {
		t.Errorf("of 5000 spans for a queue of 1000 %v are lost and %d wait", got, q.waiting.Load())
	}
	close(to.answers)
	if err := provider.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	<-done
	if q.waiting.Load() != 0 || to.spans != 1000 {
		t.Errorf("in the end %d spans wait, and the collector has %d, want none and 1000", q.waiting.Load(), to.spans)
	}
}

// collectorStub is an exporter that fails with err, if it isn't nil, and waits for
// answers to be closed, if there is such a channel.
type collectorStub struct {
	answers      chan struct{}
	err          error
	calls, spans int
}

func (c *collectorStub) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	if c.answers != nil {
		<-c.answers
	}
	c.calls++
	c.spans += len(spans)
	return c.err
}

func (c *collectorStub) Shutdown(context.Context) error { return nil }

// exporting is an exporter over a stub, and what it logs.
func exporting(t *testing.T) (e *exporter, to *collectorStub, log *bytes.Buffer) {
	t.Helper()
	log = &bytes.Buffer{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	to = &collectorStub{}
	return &exporter{SpanExporter: to, queue: &queue{size: 10}}, to, log
}

// batches exports ten batches of two spans a second, of synctest's time.
func batches(t *testing.T, e *exporter, length time.Duration) {
	t.Helper()
	two := tracetest.SpanStubs{{Name: "one"}, {Name: "two"}}.Snapshots()
	for range length / (100 * time.Millisecond) {
		e.queue.waiting.Add(2)
		if err := e.ExportSpans(t.Context(), two); err != nil {
			t.Errorf("export: %v", err)
		}
		<-time.After(100 * time.Millisecond)
	}
	if got := e.queue.waiting.Load(); got != 0 {
		t.Errorf("%d spans wait, want none", got)
	}
}

func TestExporter_saysOnceWhatIsWrongAndWhenItIsOver(t *testing.T) {
	const lost, back = "traces are lost", "takes traces again"
	synctest.Test(t, func(t *testing.T) {
		e, to, log := exporting(t)
		expect := func(when string, losses, returns int) {
			t.Helper()
			if got, more := strings.Count(log.String(), lost), strings.Count(log.String(), back); got != losses || more != returns {
				t.Errorf("%s: %d lines about a loss and %d about its end, want %d and %d:\n%s", when, got, more, losses, returns, log)
			}
		}
		batches(t, e, time.Second)
		expect("all is well", 0, 0)
		to.err, to.calls = errors.New("nobody is there"), 0
		batches(t, e, time.Minute)
		expect("a minute without a collector", 1, 0)
		if want := `nobody is there: start the collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT`; !strings.Contains(log.String(), want) {
			t.Errorf("got %s, want %q in it", log, want)
		}
		if to.calls < 50 || to.calls > 60 {
			t.Errorf("the collector was asked %d times in a minute, want once a second", to.calls)
		}
		to.err = nil
		batches(t, e, 2*time.Second)
		expect("it is back", 1, 1)
		if want := ` lost=`; !strings.Contains(log.String(), want) {
			t.Errorf("got %s, want %q in it", log, want)
		}
		to.err = errors.New("away again")
		batches(t, e, time.Minute)
		expect("away again soon after", 1, 1)
		batches(t, e, lossLogInterval)
		expect("away for long", 2, 1)
	})
}

// A collector that takes everything, but slowly, loses what finds the queue full.
func TestExporter_saysThatTheCollectorIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, _, log := exporting(t)
		e.queue.full.Add(7)
		batches(t, e, 100*time.Millisecond)
		for _, want := range []string{"spans=7", "lower OTEL_TRACES_SAMPLER_ARG"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("got %s, want %q in it", log, want)
			}
		}
	})
}

func TestExporter_saysThatTheCollectorDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, to, log := exporting(t)
		to.err = context.DeadlineExceeded
		batches(t, e, 100*time.Millisecond)
		if want := "doesn't answer in time"; !strings.Contains(log.String(), want) {
			t.Errorf("got %s, want %q in it", log, want)
		}
	})
}
