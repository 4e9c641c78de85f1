package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

const (
	// exportPause is how long a collector that took nothing isn't asked again: one that
	// isn't there refuses at once, and all spans of a busy process are 40 batches a second.
	exportPause = time.Second
	// lossLogInterval is the least time between two lines about lost spans.
	lossLogInterval = 5 * time.Minute
)

// The reasons for which spans are lost.
const (
	lostCollector = "collector"  // it took nothing
	lostQueueFull = "queue_full" // it is slower than spans are made
)

var (
	spansSent = promauto.NewCounter(prometheus.CounterOpts{
		Name: "parley_telemetry_spans_sent_total", Help: "Spans that a collector took.",
	})
	spansLost = FromZero(promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_telemetry_spans_lost_total", Help: "Spans that no collector got, by reason.",
	}, []string{"reason"}), lostCollector, lostQueueFull)
)

// queue lets spans wait for the exporter, as many as its size and not one more. The
// SDK's own queue, which is behind it, drops without a word.
type queue struct {
	sdktrace.SpanProcessor

	size    int64
	waiting atomic.Int64
	full    atomic.Int64 // spans that found it full
}

// newQueue returns a queue in front of an exporter. It never blocks who ends a span.
func newQueue(to sdktrace.SpanExporter) *queue {
	q := &queue{size: queueSize()}
	q.SpanProcessor = sdktrace.NewBatchSpanProcessor(&exporter{SpanExporter: to, queue: q}, sdktrace.WithMaxQueueSize(int(q.size)))
	return q
}

// queueSize reads the variable of the OpenTelemetry specification.
func queueSize() int64 {
	if size, err := strconv.Atoi(strings.TrimSpace(os.Getenv("OTEL_BSP_MAX_QUEUE_SIZE"))); err == nil && size > 0 {
		return int64(size)
	}
	return sdktrace.DefaultMaxQueueSize
}

// OnEnd implements sdktrace.SpanProcessor.
func (q *queue) OnEnd(span sdktrace.ReadOnlySpan) {
	switch {
	case !span.SpanContext().IsSampled():
	case q.waiting.Add(1) > q.size:
		q.waiting.Add(-1)
		q.full.Add(1)
		spansLost.WithLabelValues(lostQueueFull).Inc()
	default:
		q.SpanProcessor.OnEnd(span)
	}
}

// exporter gives batches to the collector's exporter, counts what becomes of them, and
// says it when spans are lost and when they no longer are. The SDK calls it from one
// goroutine at a time.
type exporter struct {
	sdktrace.SpanExporter

	queue *queue
	again time.Time // the collector isn't asked before,
	why   error     // because of this
	full  int64     // of queue.full, what was told

	lost int       // since the last line
	next time.Time // there is no line about a loss before
	said bool      // the last line was about a loss
}

// ExportSpans implements sdktrace.SpanExporter. It reports no error: what was lost is
// told already.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	defer e.queue.waiting.Add(-int64(len(spans)))
	err := e.why
	if !time.Now().Before(e.again) {
		if err = e.SpanExporter.ExportSpans(ctx, spans); err != nil {
			e.again, e.why = time.Now().Add(exportPause), advised(ctx, err)
			err = e.why
		}
	}
	full := e.queue.full.Load()
	lost := int(full - e.full)
	e.full = full
	switch {
	case err != nil:
		lost += len(spans)
		spansLost.WithLabelValues(lostCollector).Add(float64(len(spans)))
	case lost > 0:
		err = errSlow
		fallthrough
	default:
		spansSent.Add(float64(len(spans)))
	}
	e.tell(ctx, lost, err)
	return nil
}

var errSlow = errors.New("the collector takes spans more slowly than they are made: lower OTEL_TRACES_SAMPLER_ARG, " +
	"or give the collector more room")

// advised is err with what to do about it.
func advised(ctx context.Context, err error) error {
	var slow interface{ Timeout() bool }
	if ctx.Err() != nil || errors.As(err, &slow) && slow.Timeout() {
		return fmt.Errorf("%w: the collector doesn't answer in time: see its log and its load", err)
	}
	return fmt.Errorf("%w: start the collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT", err)
}

// tell writes a line when it is due.
func (e *exporter) tell(ctx context.Context, lost int, err error) {
	e.lost += lost
	now := time.Now()
	switch {
	case lost > 0 && !now.Before(e.next):
		slog.WarnContext(ctx, "traces are lost, and nothing else is", "spans", e.lost, "error", err)
		e.lost, e.next, e.said = 0, now.Add(lossLogInterval), true
	case lost == 0 && e.said:
		slog.InfoContext(ctx, "the collector takes traces again", "lost", e.lost)
		e.lost, e.said = 0, false
	}
}
