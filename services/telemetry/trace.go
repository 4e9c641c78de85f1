package telemetry

import (
	"context"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// TraceparentName is the lower-case name under which a trace travels, in NATS
// headers and in frames (W3C Trace Context, section 3.2).
const TraceparentName = "traceparent"

// Traceparent returns ctx's span context as a W3C traceparent value, sampled
// or not, and "" if the span context is invalid.
func Traceparent(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	var c carrier
	propagation.TraceContext{}.Inject(ctx, &c)
	return c.traceparent
}

// WithTraceparent returns ctx with the remote parent that tp, a W3C traceparent
// value, names. A malformed value is ignored: ctx comes back as it was.
func WithTraceparent(ctx context.Context, tp string) context.Context {
	if tp == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, &carrier{traceparent: tp})
}

// carrier holds one traceparent. Parley carries no tracestate: nothing here
// writes one, and a client's would be passed to every peer.
type carrier struct{ traceparent string }

func (c *carrier) Get(key string) string {
	if key == TraceparentName {
		return c.traceparent
	}
	return ""
}

func (c *carrier) Set(key, value string) {
	if key == TraceparentName {
		c.traceparent = value
	}
}

func (c *carrier) Keys() []string { return []string{TraceparentName} }
