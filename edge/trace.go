package edge

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
)

var tracer = telemetry.Tracer("github.com/parley-rtc/parley/edge")

// startReceive begins the span of a client's frame: the root of its trace, or
// the child of the trace that the client began. Without a provider it does
// nothing, nor for a signal that isn't sampled. For other frames there is a span
// all the same: it tells the services that are asked not to begin a trace of
// their own.
func startReceive(ctx context.Context, frame *envelope.Frame) (context.Context, trace.Span) {
	sampled := telemetry.Enabled()
	if _, relayed := frame.Body.(*envelope.Signal); relayed {
		ctx, sampled = telemetry.Sampled(ctx, frame.Trace)
	} else if sampled {
		ctx = telemetry.WithTraceparent(ctx, string(frame.Trace))
	}
	if !sampled {
		return ctx, nil
	}
	return tracer.Start(ctx, "edge.receive",
		trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(attribute.String("parley.frame.type", frame.Type)))
}

// traceOf is the trace that a frame carries on: the edge's span, or what the
// client said.
func traceOf(ctx context.Context, frame *envelope.Frame) string {
	if telemetry.Enabled() {
		return telemetry.Traceparent(ctx)
	}
	return string(frame.Trace)
}

// startDeliver begins the span of a signal's delivery to one member, or of an
// event's or a presence's to a room.
func startDeliver(s *contract.Signal) trace.Span {
	if !telemetry.Records(s.Trace) {
		return nil
	}
	_, span := tracer.Start(telemetry.WithTraceparent(context.Background(), string(s.Trace)), "edge.deliver",
		trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(attribute.String("parley.frame.type", signalType(s.Kind))))
	return span
}

// signalType names a signal's kind, also where it is no frame of a client.
func signalType(k contract.Kind) string {
	switch k {
	case contract.KindEvent:
		return "event"
	case contract.KindPresence:
		return contract.TypePresence
	default:
		return k.Type()
	}
}

func endSpan(span trace.Span) {
	if span != nil {
		span.End()
	}
}
