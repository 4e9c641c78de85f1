package candidatefilter

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
)

var tracer = telemetry.Tracer("github.com/parley-rtc/parley/candidatefilter")

// startSanitise begins the span of one signal, if somebody records it.
func startSanitise(s *contract.Signal) trace.Span {
	if !telemetry.Records(s.Trace) {
		return nil
	}
	_, span := tracer.Start(telemetry.WithTraceparent(context.Background(), string(s.Trace)), "filter.sanitise",
		trace.WithSpanKind(trace.SpanKindInternal),
		trace.WithAttributes(attribute.String("parley.frame.type", kindLabel(s.Kind))))
	return span
}

// endSpan ends it with what became of the signal.
func endSpan(span trace.Span, r result) {
	if span != nil {
		span.SetAttributes(attribute.String("parley.filter.result", r.String()))
		span.End()
	}
}
