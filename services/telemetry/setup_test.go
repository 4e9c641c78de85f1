package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// receiver is an OTLP collector that keeps what it got.
type receiver struct {
	mu       sync.Mutex
	requests []*collector.ExportTraceServiceRequest
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	var export collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &export)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, &export)
}

// setup calls Setup with the given environment and nothing else of OTEL_*.
func setup(t *testing.T, environ map[string]string, cfg Config, stderr io.Writer) func(context.Context) error {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "OTEL_") {
			t.Setenv(name, "")
		}
	}
	for name, value := range environ {
		t.Setenv(name, value)
	}
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	shutdown, err := Setup(t.Context(), "edge", "v1.2.3", "edge-1", cfg, stderr)
	if err != nil {
		t.Fatal(err)
	}
	return shutdown
}

func stop(t *testing.T, shutdown func(context.Context) error) {
	t.Helper()
	if err := shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestSetup_SendsSpansToTheCollector(t *testing.T) {
	r := &receiver{}
	server := httptest.NewServer(r)
	defer server.Close()
	tracer := Tracer("parley/test") // made before Setup, as package variables are
	if ctx, span := tracer.Start(t.Context(), "before"); span.IsRecording() || ctx != t.Context() {
		t.Error("a span was recorded before Setup")
	}
	shutdown := setup(t, map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL, "OTEL_SERVICE_NAME": "renamed"}, DefaultConfig(), io.Discard)
	if !Enabled() {
		t.Error("Enabled: got false, want true")
	}
	ctx, span := Start(WithTraceparent(t.Context(), traceparent), tracer, "edge.receive")
	if got := Traceparent(ctx); !strings.HasPrefix(got, traceparent[:36]) || got == traceparent {
		t.Errorf("traceparent: got %s, want the same trace and a span of its own", got)
	}
	span.End()
	if err := shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if Enabled() {
		t.Error("Enabled after the shutdown: got true, want false")
	}
	if len(r.requests) != 1 {
		t.Fatalf("exports: got %d, want 1", len(r.requests))
	}
	got := r.requests[0].ResourceSpans[0]
	attributes := map[string]string{}
	for _, a := range got.Resource.Attributes {
		attributes[a.Key] = a.Value.GetStringValue()
	}
	for key, want := range map[string]string{"service.name": "renamed", "service.version": "v1.2.3", "service.instance.id": "edge-1"} {
		if attributes[key] != want {
			t.Errorf("%s: got %q, want %q", key, attributes[key], want)
		}
	}
	sent := got.ScopeSpans[0].Spans[0]
	if sent.Name != "edge.receive" || trace.SpanID(sent.ParentSpanId).String() != "b7ad6b7169203331" {
		t.Errorf("span: got %s under %x", sent.Name, sent.ParentSpanId)
	}
}

func TestSetup_TracingIsOffUnlessAskedFor(t *testing.T) {
	for name, environ := range map[string]map[string]string{
		"nothing set":  {},
		"none":         {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
		"SDK disabled": {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			shutdown := setup(t, environ, DefaultConfig(), io.Discard)
			if Enabled() {
				t.Error("Enabled: got true, want false")
			}
			if err := shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSetup_UnknownExporter(t *testing.T) {
	t.Setenv("OTEL_TRACES_EXPORTER", "carrier-pigeon")
	_, err := Setup(t.Context(), "edge", "v1", "edge-1", DefaultConfig(), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "carrier-pigeon") {
		t.Errorf("got %v, want an error that names the exporter", err)
	}
}

func TestSetup_WhatIsOffAllocatesNothing(t *testing.T) {
	shutdown := setup(t, nil, DefaultConfig(), io.Discard)
	defer stop(t, shutdown)
	tracer, ctx := Tracer("parley/test"), t.Context()
	allocs := testing.AllocsPerRun(1000, func() {
		if Enabled() {
			t.Error("Enabled: got true, want false")
		}
		ctx, span := Start(WithTraceparent(ctx, ""), tracer, "edge.receive")
		if Traceparent(ctx) != "" {
			t.Error("a span came from nowhere")
		}
		span.End()
	})
	if allocs != 0 {
		t.Errorf("got %v allocations, want 0", allocs)
	}
}

func TestSetup_LogFormats(t *testing.T) {
	for format, wantJSON := range map[string]bool{"json": true, "auto": true, "text": false} {
		var out bytes.Buffer
		shutdown := setup(t, nil, Config{Level: "warn", Format: format}, &out)
		slog.Info("too quiet")
		slog.Warn("heard", "answer", 42)
		if err := shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		var line map[string]any
		isJSON := json.Unmarshal(out.Bytes(), &line) == nil
		if isJSON != wantJSON || strings.Contains(out.String(), "too quiet") || !strings.Contains(out.String(), "heard") {
			t.Errorf("%s: got %s", format, out.String())
		}
		if isJSON && (line["service"] != "edge" || line["instance"] != "edge-1" || line["answer"] != 42.0) {
			t.Errorf("%s: got %v", format, line)
		}
	}
}

func TestSetup_LogLinesCarryTheTrace(t *testing.T) {
	var out bytes.Buffer
	shutdown := setup(t, nil, DefaultConfig(), &out)
	defer stop(t, shutdown)
	slog.With("kept", true).InfoContext(WithTraceparent(t.Context(), traceparent), "under a trace")
	if want := `"kept":true,"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331"`; !strings.Contains(out.String(), want) {
		t.Errorf("got %s, want it to contain %s", out.String(), want)
	}
	out.Reset()
	slog.InfoContext(t.Context(), "alone")
	if strings.Contains(out.String(), "trace_id") {
		t.Errorf("got %s, want no trace", out.String())
	}
}

func TestConfig_Validate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	err := Config{Level: "loud", Format: "xml"}.Validate()
	for _, want := range []string{`level: must be debug, info, warn or error, got "loud"`, `format: must be auto, json or text, got "xml"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to contain %q", err, want)
		}
	}
}

func TestTraceparent_RoundTrip(t *testing.T) {
	for _, tp := range []string{traceparent, traceparent[:53] + "00"} { // sampled and not
		ctx := WithTraceparent(t.Context(), tp)
		if got := Traceparent(ctx); got != tp {
			t.Errorf("got %q, want %q", got, tp)
		}
		if !trace.SpanContextFromContext(ctx).IsRemote() {
			t.Errorf("%s: the parent isn't remote", tp)
		}
	}
}

func TestWithTraceparent_IgnoresWhatIsMalformed(t *testing.T) {
	for _, tp := range []string{
		"", "x", traceparent + "-00", traceparent[:54], strings.ToUpper(traceparent), "ff" + traceparent[2:],
		"00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		strings.Repeat("0", 1<<16),
	} {
		ctx := t.Context()
		if got := WithTraceparent(ctx, tp); got != ctx {
			t.Errorf("%.60q: got a new context, want the old one", tp)
		}
	}
}

func TestErrorLog_IsRateLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		before := slog.Default()
		slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
		defer slog.SetDefault(before)
		l := &errorLog{interval: errorLogInterval}
		for range 5 {
			l.Handle(errors.New("collector is away"))
		}
		if got := strings.Count(out.String(), "collector is away"); got != 1 {
			t.Errorf("lines at once: got %d, want 1", got)
		}
		time.Sleep(errorLogInterval)
		l.Handle(errors.New("still away"))
		if !strings.Contains(out.String(), `"still away" suppressed=4`) {
			t.Errorf("got %s, want the suppressed ones counted", out.String())
		}
	})
}

func TestSetup_OpenTelemetryErrorsGoToTheLog(t *testing.T) {
	var out bytes.Buffer
	shutdown := setup(t, nil, Config{Level: "info", Format: "json"}, &out)
	defer stop(t, shutdown)
	otel.Handle(errors.New("export failed"))
	if !strings.Contains(out.String(), "export failed") {
		t.Errorf("got %s", out.String())
	}
}

func TestFromZero_showsValuesBeforeTheirFirstEvent(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "events_total", Help: "Events."}, []string{"reason"})
	registry.MustRegister(FromZero(counter, "full", "late"))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			got[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
		}
	}
	if want := map[string]float64{"full": 0, "late": 0}; !maps.Equal(got, want) {
		t.Errorf("shown are %v, want %v", got, want)
	}
}

func TestMetricsHandler(t *testing.T) {
	shutdown := setup(t, nil, DefaultConfig(), io.Discard)
	defer stop(t, shutdown)
	w := httptest.NewRecorder()
	MetricsHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if want := `parley_build_info{go="go`; !strings.Contains(w.Body.String(), want) || !strings.Contains(w.Body.String(), `service="edge",version="v1.2.3"} 1`) {
		t.Errorf("got %s\nwant it to contain %s", w.Body, want)
	}
}
