package telemetry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"go.opentelemetry.io/otel/trace"
)

// The formats of the log.
const (
	formatAuto = "auto"
	formatJSON = "json"
	formatText = "text"
)

// Config is the section "log".
type Config struct {
	// Level is the least severe level that is logged: debug, info, warn or error.
	Level string `koanf:"level"`
	// Format is json, text, or auto: text on a terminal, JSON elsewhere.
	Format string `koanf:"format"`
}

// DefaultConfig logs from level info on, in the format that suits the output.
func DefaultConfig() Config { return Config{Level: "info", Format: formatAuto} }

// Validate reports every fault of the section.
func (c Config) Validate() error {
	var faults []error
	if _, err := c.level(); err != nil {
		faults = append(faults, err)
	}
	switch c.Format {
	case formatAuto, formatJSON, formatText:
	default:
		faults = append(faults, fmt.Errorf("format: must be auto, json or text, got %q", c.Format))
	}
	return errors.Join(faults...)
}

func (c Config) level() (slog.Level, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		return 0, fmt.Errorf("level: must be debug, info, warn or error, got %q", c.Level)
	}
	return level, nil
}

// newLogger returns the process's logger. Every JSON line names the service and
// the instance, since such lines are collected from many processes; a person at
// a terminal knows what was started.
func newLogger(cfg Config, service, instance string, w io.Writer) (*slog.Logger, error) {
	level, err := cfg.level()
	if err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: level}
	if cfg.Format == formatText || (cfg.Format == formatAuto && isTerminal(w)) {
		return slog.New(traceHandler{slog.NewTextHandler(w, options)}), nil
	}
	return slog.New(traceHandler{slog.NewJSONHandler(w, options)}).With("service", service, "instance", instance), nil
}

// traceHandler adds the trace of the context a line was written under, so that
// a line and the spans around it find each other.
type traceHandler struct{ slog.Handler }

func (h traceHandler) Handle(ctx context.Context, r slog.Record) error {
	if sc := trace.SpanContextFromContext(ctx); sc.IsValid() {
		r.AddAttrs(slog.String("trace_id", sc.TraceID().String()), slog.String("span_id", sc.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traceHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return traceHandler{h.Handler.WithAttrs(attrs)}
}

func (h traceHandler) WithGroup(name string) slog.Handler {
	return traceHandler{h.Handler.WithGroup(name)}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
