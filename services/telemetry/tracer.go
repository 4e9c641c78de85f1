package telemetry

import (
	"context"
	"sync/atomic"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/embedded"
	"go.opentelemetry.io/otel/trace/noop"
)

// provider is installed between a Setup that wants tracing and its shutdown;
// otherwise it is nil.
var provider atomic.Pointer[installed]

// installed is a provider and what is known of its sampler.
type installed struct {
	*sdktrace.TracerProvider
	sampling sampling
}

// Enabled reports whether a provider is installed that may record spans. It is
// one atomic load: hot paths ask it first and skip all span work on false.
func Enabled() bool { return provider.Load() != nil }

// Tracer returns a tracer of that name. It may be called before Setup and kept:
// it always uses the provider in force, and records nothing without one.
func Tracer(name string) trace.Tracer { return &tracer{name: name} }

// Start is tracer.Start that costs nothing while tracing is off: ctx comes back
// as it was, with a span that records nothing. Options cost an allocation where
// they are made, so hot paths that pass any must ask [Enabled] themselves.
func Start(ctx context.Context, tracer trace.Tracer, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	if !Enabled() {
		return ctx, noop.Span{}
	}
	return tracer.Start(ctx, name, opts...) //nolint:spancheck // the caller ends it
}

// tracer finds the provider at each start. OpenTelemetry's own global tracers
// are bound to the first provider that was ever installed.
type tracer struct {
	embedded.Tracer
	name  string
	bound atomic.Pointer[boundTracer]
}

type boundTracer struct {
	provider *installed
	tracer   trace.Tracer
}

func (t *tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption) (context.Context, trace.Span) {
	p := provider.Load()
	if p == nil {
		return ctx, noop.Span{}
	}
	b := t.bound.Load()
	if b == nil || b.provider != p {
		b = &boundTracer{provider: p, tracer: p.Tracer(t.name)}
		t.bound.Store(b)
	}
	return b.tracer.Start(ctx, name, opts...) //nolint:spancheck // the caller ends it
}
