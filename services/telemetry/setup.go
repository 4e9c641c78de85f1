package telemetry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// errorLogInterval is the least time between two log lines about OpenTelemetry's
// errors besides lost spans, of which the exporter tells.
const errorLogInterval = 30 * time.Second

// Setup makes slog's default logger, which writes to stderr, and installs the
// OpenTelemetry provider that the OTEL_* variables ask for. Tracing is off, and
// costs nothing, unless OTEL_TRACES_EXPORTER, OTEL_EXPORTER_OTLP_ENDPOINT or
// OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set, and while the host that they name has
// no address.
//
// The resource says service.name (OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES
// win), service.version and service.instance.id. The returned function flushes
// what is waiting, stops the provider and turns tracing off; it must be called
// once, at the end.
func Setup(ctx context.Context, service, version, instance string, cfg Config, stderr io.Writer) (shutdown func(context.Context) error, err error) {
	logger, err := newLogger(cfg, service, instance, stderr)
	if err != nil {
		return nil, fmt.Errorf("set up the log: %w", err)
	}
	slog.SetDefault(logger)
	recordBuild(service, version)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	otel.SetErrorHandler(&errorLog{interval: errorLogInterval})
	otel.SetLogger(logr.FromSlogHandler(logger.Handler()))

	p, err := newProvider(ctx, service, version, instance)
	if err != nil {
		return nil, fmt.Errorf("set up tracing: %w", err)
	}
	if p == nil {
		return func(context.Context) error { return nil }, nil
	}
	otel.SetTracerProvider(p.TracerProvider)
	unfollow := begin(p)
	return func(ctx context.Context) error {
		unfollow()
		if err := p.Shutdown(ctx); err != nil {
			return fmt.Errorf("stop tracing: %w", err)
		}
		return nil
	}, nil
}

// begin turns tracing on, or lets the collector's presence do that. The returned
// function turns it off for good.
func begin(p *installed) (end func()) {
	host := collectorHost()
	if host == "" {
		provider.Store(p)
		return func() { provider.CompareAndSwap(p, nil) }
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		presence{host, net.DefaultResolver.LookupHost, p}.follow(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// newProvider returns nil when nothing is to be traced.
func newProvider(ctx context.Context, service, version, instance string) (*installed, error) {
	if !tracingWanted() {
		return nil, nil
	}
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		return nil, fmt.Errorf("make the exporter (OTEL_TRACES_EXPORTER=%s): %w", os.Getenv("OTEL_TRACES_EXPORTER"), err)
	}
	if autoexport.IsNoneSpanExporter(exporter) {
		return nil, nil
	}
	described, err := resource.New(ctx,
		resource.WithTelemetrySDK(),
		resource.WithAttributes(
			attribute.String("service.name", service),
			attribute.String("service.version", version),
			attribute.String("service.instance.id", instance),
		),
		resource.WithFromEnv(), // last, so that the environment wins
	)
	if err != nil {
		return nil, fmt.Errorf("describe the process: %w", err)
	}
	sampling := samplingFromEnv()
	options := append(sampling.options(), sdktrace.WithSpanProcessor(newQueue(exporter)), sdktrace.WithResource(described))
	return &installed{sdktrace.NewTracerProvider(options...), sampling}, nil
}

// tracingWanted asks the variables of the OpenTelemetry specification. The
// exporter's own default would be a collector on localhost, which is no wish.
func tracingWanted() bool {
	if strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") {
		return false
	}
	for _, name := range []string{"OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		if os.Getenv(name) != "" {
			return true
		}
	}
	return false
}

// errorLog is OpenTelemetry's error handler: one line, and then silence for an
// interval whose errors the next line counts.
type errorLog struct {
	interval time.Duration

	mu         sync.Mutex
	next       time.Time
	suppressed int
}

// Handle implements otel.ErrorHandler.
func (l *errorLog) Handle(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Before(l.next) {
		l.suppressed++
		return
	}
	slog.Warn("tracing failed", "error", err, "suppressed", l.suppressed)
	l.next, l.suppressed = now.Add(l.interval), 0
}
