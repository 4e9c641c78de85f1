package telemetry

import (
	"context"
	"io"
	"net/http/httptest"
	"testing"
)

const unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"

// sampledBy is setup with a sampler and a collector that takes everything.
func sampledBy(t *testing.T, sampler, ratio string) {
	t.Helper()
	server := httptest.NewServer(&receiver{})
	shutdown := setup(t, map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL, "OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": ratio,
	}, DefaultConfig(), io.Discard)
	t.Cleanup(func() {
		if err := shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		server.Close()
	})
}

func TestSampled_DecidesAsTheSamplerDoes(t *testing.T) {
	for _, test := range []struct {
		name, sampler, ratio              string
		parent, refused                   bool // what becomes of a span under a parent that is sampled, or isn't
		rootsLeast, rootsMost, ofThousand int
	}{
		{"by default", "", "", true, false, 1000, 1000, 1000},
		{"always_on", "always_on", "", true, true, 1000, 1000, 1000},
		{"always_off", "always_off", "", false, false, 0, 0, 1000},
		{"parentbased_always_off", "parentbased_always_off", "", true, false, 0, 0, 1000},
		{"a ratio of roots", "parentbased_traceidratio", "0.25", true, false, 150, 350, 1000},
		{"an unknown one", "dice", "", true, false, 1000, 1000, 1000},
	} {
		t.Run(test.name, func(t *testing.T) {
			sampledBy(t, test.sampler, test.ratio)
			tracer := Tracer("parley/test")
			recorded := func(parent string) bool {
				ctx, wanted := Sampled(t.Context(), []byte(parent))
				if !wanted {
					return false
				}
				_, span := tracer.Start(ctx, "test")
				defer span.End()
				return span.IsRecording()
			}
			for parent, want := range map[string]bool{traceparent: test.parent, unsampled: test.refused} {
				if got := recorded(parent); got != want {
					t.Errorf("under %s a span is recorded: %v, want %v", parent, got, want)
				}
				if want && !Records([]byte(parent)) {
					t.Errorf("Records refuses what is recorded under %s", parent)
				}
			}
			roots := 0
			for range test.ofThousand {
				if recorded("") {
					roots++
				}
			}
			if roots < test.rootsLeast || roots > test.rootsMost {
				t.Errorf("%d of 1000 roots are recorded, want %d to %d", roots, test.rootsLeast, test.rootsMost)
			}
		})
	}
}

// Who makes a span without asking Sampled is sampled at the same ratio.
func TestSampled_LeavesOthersToTheSampler(t *testing.T) {
	sampledBy(t, "parentbased_traceidratio", "0.25")
	roots := 0
	for range 1000 {
		_, span := Tracer("parley/test").Start(t.Context(), "test")
		if span.IsRecording() {
			roots++
		}
		span.End()
	}
	if roots < 150 || roots > 350 {
		t.Errorf("%d of 1000 roots are recorded, want about 250", roots)
	}
}

func TestSampled_CostsNothingWhenItIsNot(t *testing.T) {
	for name, begin := range map[string]func(t *testing.T){
		"tracing off": func(t *testing.T) { stop(t, setup(t, nil, DefaultConfig(), io.Discard)) },
		"none of it":  func(t *testing.T) { sampledBy(t, "parentbased_always_off", "") },
	} {
		t.Run(name, func(t *testing.T) {
			begin(t)
			ctx, refused := t.Context(), []byte(unsampled)
			got := testing.AllocsPerRun(100, func() {
				for _, parent := range [][]byte{nil, refused} {
					if same, wanted := Sampled(ctx, parent); wanted || same != ctx || Records(parent) {
						t.Error("it is sampled")
					}
				}
			})
			if got != 0 {
				t.Errorf("%v allocations, want none", got)
			}
		})
	}
}
