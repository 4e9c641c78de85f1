package roomsvc

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
)

var tracer = telemetry.Tracer("github.com/parley-rtc/parley/roomsvc")

// opSpans are the spans of a request's operations, nil while nobody traces.
type opSpans []trace.Span

// startSpans begins a span an operation, room.<kind>, under the operation's own
// trace, and lets the operation's event carry the new span on.
func startSpans(ctx context.Context, ops []contract.RoomOp) opSpans {
	if !telemetry.Enabled() {
		return nil
	}
	spans := make(opSpans, len(ops))
	for i := range ops {
		op := &ops[i]
		ctx, span := tracer.Start(telemetry.WithTraceparent(ctx, op.Trace), "room."+string(op.Kind))
		op.Trace = telemetry.Traceparent(ctx)
		spans[i] = span
	}
	return spans
}

// end ends the spans with what became of their operations.
func (s opSpans) end(reply *contract.RoomChanged, outcome string) {
	for i, span := range s {
		span.SetAttributes(attribute.String("parley.outcome", outcome))
		switch {
		case reply == nil:
			span.SetStatus(codes.Error, outcome)
		case reply.Error != nil:
			span.SetStatus(codes.Error, string(reply.Error.Code))
		case i < len(reply.Results) && reply.Results[i].Code != "":
			span.SetStatus(codes.Error, string(reply.Results[i].Code))
		}
		span.End()
	}
}
