// Package telemetry sets up what a process tells about itself: logs (log/slog),
// traces (OpenTelemetry) and metrics (Prometheus).
//
// Start reading at setup.go. Tracing is governed by the standard OTEL_*
// variables alone and is off without them, and while the collector that they name
// has no address (presence.go); while it is off, [Enabled] is one atomic load and
// nothing here allocates. Hot paths ask [Sampled] and [Records] before they make a
// span, so what isn't sampled costs them nothing either. The package never writes
// to standard output, and never fails a program or holds it up because a collector
// can't be reached (export.go).
package telemetry
