package bus

import (
	"context"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/telemetry"
)

// InjectTrace sets ctx's trace parent in h under the lower-case name
// traceparent and returns h, which is made when nil and needed. Without a valid
// span in ctx h comes back as it was.
func InjectTrace(ctx context.Context, h nats.Header) nats.Header {
	traceparent := telemetry.Traceparent(ctx)
	if traceparent == "" {
		return h
	}
	if h == nil {
		h = nats.Header{}
	}
	h[telemetry.TraceparentName] = []string{traceparent}
	return h
}

// ExtractTrace returns ctx with the trace parent found in h, whatever the case
// of its name.
func ExtractTrace(ctx context.Context, h nats.Header) context.Context {
	if values := h[telemetry.TraceparentName]; len(values) > 0 {
		return telemetry.WithTraceparent(ctx, values[0])
	}
	for name, values := range h {
		if strings.EqualFold(name, telemetry.TraceparentName) && len(values) > 0 {
			return telemetry.WithTraceparent(ctx, values[0])
		}
	}
	return ctx
}
