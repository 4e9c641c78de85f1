package telemetry

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// sampling is as much of the sampler that OTEL_TRACES_SAMPLER names as can be
// said before a span is made, which costs memory also if it is then dropped.
type sampling struct {
	parents bool    // what a parent decided holds
	roots   float64 // the share of traces to record that begin here
}

// samplingFromEnv reads the variables as the SDK does, which reports their
// faults and then records everything.
func samplingFromEnv() sampling {
	s := sampling{parents: true, roots: 1}
	name := strings.ToLower(strings.TrimSpace(os.Getenv("OTEL_TRACES_SAMPLER")))
	root, parents := strings.CutPrefix(name, "parentbased_")
	switch root {
	case "always_on":
	case "always_off":
		s.roots = 0
	case "traceidratio":
		if ratio, err := strconv.ParseFloat(strings.TrimSpace(os.Getenv("OTEL_TRACES_SAMPLER_ARG")), 64); err == nil && ratio >= 0 && ratio <= 1 {
			s.roots = ratio
		}
	default:
		return s
	}
	s.parents = parents
	return s
}

// options has the provider go by what Sampled has decided already.
func (s sampling) options() []sdktrace.TracerProviderOption {
	if s.roots == 0 || s.roots == 1 {
		return nil // the SDK's own sampler decides the same each time
	}
	var sampler sdktrace.Sampler = decided{sdktrace.TraceIDRatioBased(s.roots)}
	if s.parents {
		sampler = sdktrace.ParentBased(sampler)
	}
	return []sdktrace.TracerProviderOption{sdktrace.WithSampler(sampler)}
}

// decidedKey is what Sampled leaves in the context of a trace that it wants.
type decidedKey struct{}

// decided is a sampler of roots that goes by Sampled, where that was asked.
type decided struct{ sdktrace.Sampler }

// ShouldSample implements sdktrace.Sampler.
func (d decided) ShouldSample(p sdktrace.SamplingParameters) sdktrace.SamplingResult {
	if p.ParentContext.Value(decidedKey{}) != nil {
		return sdktrace.AlwaysSample().ShouldSample(p)
	}
	return d.Sampler.ShouldSample(p)
}

// Sampled decides whether a span is recorded that is about to be made under
// traceparent, or as the root of a trace if that is empty, and returns the
// context to make it with. Who is told false makes none, which allocates nothing,
// and passes traceparent on as it came.
func Sampled(ctx context.Context, traceparent []byte) (context.Context, bool) {
	p := provider.Load()
	switch {
	case p == nil:
		return ctx, false
	case len(traceparent) > 0:
		if !p.sampling.follows(traceparent) {
			return ctx, false
		}
		return WithTraceparent(ctx, string(traceparent)), true
	case rand.Float64() >= p.sampling.roots:
		return ctx, false
	default:
		return context.WithValue(ctx, decidedKey{}, true), true
	}
}

// Records reports whether a span under traceparent is worth making: false, also
// for an empty one, means that it would be dropped.
func Records(traceparent []byte) bool {
	p := provider.Load()
	return p != nil && len(traceparent) > 0 && p.sampling.follows(traceparent)
}

// flagsAt is where the flags of a traceparent stand (W3C Trace Context, section
// 3.2), of which the last digit's lowest bit is `sampled`.
const flagsAt = len("00-") + 32 + len("-") + 16 + len("-")

func (s sampling) follows(traceparent []byte) bool {
	if !s.parents || len(traceparent) < flagsAt+2 {
		return true
	}
	flags, err := strconv.ParseUint(string(traceparent[flagsAt:flagsAt+2]), 16, 8)
	return err != nil || flags&1 == 1
}
