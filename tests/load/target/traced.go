//go:build linux

package target

import (
	"context"
	_ "embed"
	"os"
	"path/filepath"
)

// collectorConfig is that of deploy/compose/observability, but for what becomes of
// the spans: dropped, so that only Parley's side and the collector's are measured.
//
//go:embed otelcol.yaml
var collectorConfig []byte

// traced is the system of two edges, of which so many traces are recorded, and a
// collector that takes them. Its processor time counts, under its own name.
func traced(share string) func(ctx context.Context, s *System) error {
	return func(ctx context.Context, s *System) error {
		free, err := addresses(1)
		if err != nil {
			return err
		}
		config := filepath.Join(s.dir, "otelcol.yaml")
		if err := os.WriteFile(config, collectorConfig, 0o600); err != nil {
			return err
		}
		if err := s.parley("otelcol", []string{"ENDPOINT=" + free[0]}, "--config="+config); err != nil {
			return err
		}
		if err := s.accepting(ctx, free[0]); err != nil {
			return err
		}
		s.environ = []string{
			"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + free[0],
			"OTEL_TRACES_SAMPLER=parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG=" + share,
		}
		return startDistributed(ctx, s, 1, 2)
	}
}
