package link

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
)

var tracer = telemetry.Tracer("github.com/parley-rtc/parley/services/link")

// traceOf is the trace of a signal that a span is wanted for, "" for none.
func traceOf(s *contract.Signal) string {
	if !telemetry.Records(s.Trace) {
		return ""
	}
	return string(s.Trace)
}

// traceAppend is the span from a signal's cut to its known outcome.
func traceAppend(parent string, o Outcome) {
	if parent == "" {
		return
	}
	_, span := tracer.Start(telemetry.WithTraceparent(context.Background(), parent), "log.append",
		trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(o.Cut),
		trace.WithAttributes(attribute.Int64("parley.log.revision", int64(o.Revision))))
	if o.Err != nil {
		span.SetStatus(codes.Error, o.Err.Error())
	}
	span.End(trace.WithTimestamp(time.Now()))
}
