package trace

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// tracesPath is where an exporter posts (OTLP specification, OTLP/HTTP request).
const tracesPath = "/v1/traces"

// receiveTimeout is how long a span may take to arrive.
const receiveTimeout = 30 * time.Second

// Span is one span as a process exported it.
type Span struct {
	Service, Version, Instance string // of the resource

	Name       string
	Kind       otlp.Span_SpanKind
	Trace, ID  string // hexadecimal
	Parent     string // "" for a root
	Start, End time.Time
	Failed     bool
	Attributes map[string]string
}

// Receiver keeps every span that is exported to it.
type Receiver struct {
	URL string

	mu      sync.Mutex
	spans   []Span
	awaited map[string]int // by trace
	faults  []string
	news    chan struct{} // closed and made anew with each export
}

// Receive starts a receiver. It stops when the test ends, which fails if
// anything was sent that is no export of spans.
func Receive(t testing.TB) *Receiver {
	t.Helper()
	r := newReceiver()
	server := httptest.NewServer(r)
	r.URL = server.URL
	t.Cleanup(func() {
		server.Close()
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, fault := range r.faults {
			t.Errorf("the receiver got %s", fault)
		}
	})
	return r
}

func newReceiver() *Receiver { return &Receiver{awaited: map[string]int{}, news: make(chan struct{})} }

// Environ makes a program export to the receiver, with a sampler of
// OTEL_TRACES_SAMPLER or the default one.
func (r *Receiver) Environ(sampler string) []string {
	environ := []string{
		"OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
		"OTEL_EXPORTER_OTLP_ENDPOINT=" + r.URL,
		"OTEL_BSP_SCHEDULE_DELAY=50",
	}
	if sampler != "" {
		environ = append(environ, "OTEL_TRACES_SAMPLER="+sampler)
	}
	return environ
}

// ServeHTTP takes one export.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	batch, err := read(req)
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.faults = append(r.faults, err.Error())
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.keep(batch)
	w.Header().Set("Content-Type", "application/x-protobuf") // an empty response is an empty message
}

func (r *Receiver) keep(batch *collector.ExportTraceServiceRequest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spans = append(r.spans, spansOf(batch)...)
	close(r.news)
	r.news = make(chan struct{})
}

func read(req *http.Request) (*collector.ExportTraceServiceRequest, error) {
	if req.Method != http.MethodPost || req.URL.Path != tracesPath || req.Header.Get("Content-Type") != "application/x-protobuf" {
		return nil, fmt.Errorf("%s %s of %q", req.Method, req.URL.Path, req.Header.Get("Content-Type"))
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("a body that broke off: %w", err)
	}
	batch := &collector.ExportTraceServiceRequest{}
	if err := proto.Unmarshal(body, batch); err != nil {
		return nil, fmt.Errorf("no export of spans: %w", err)
	}
	return batch, nil
}

func spansOf(batch *collector.ExportTraceServiceRequest) (spans []Span) {
	for _, resource := range batch.GetResourceSpans() {
		about := attributes(resource.GetResource().GetAttributes())
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				spans = append(spans, Span{
					Service: about["service.name"], Version: about["service.version"], Instance: about["service.instance.id"],
					Name: s.GetName(), Kind: s.GetKind(),
					Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
					Start: time.Unix(0, int64(s.GetStartTimeUnixNano())), End: time.Unix(0, int64(s.GetEndTimeUnixNano())),
					Failed:     s.GetStatus().GetCode() == otlp.Status_STATUS_CODE_ERROR,
					Attributes: attributes(s.GetAttributes()),
				})
			}
		}
	}
	return spans
}

func attributes(list []*common.KeyValue) map[string]string {
	texts := map[string]string{}
	for _, one := range list {
		switch value := one.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			texts[one.GetKey()] = value.StringValue
		default:
			texts[one.GetKey()] = one.GetValue().String()
		}
	}
	return texts
}

// Spans are all spans that have come.
func (r *Receiver) Spans() []Span {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.spans)
}

// Of are the spans of one trace that have come, in the order of their starts.
func (r *Receiver) Of(trace string) []Span {
	spans := slices.DeleteFunc(r.Spans(), func(s Span) bool { return s.Trace != trace })
	slices.SortStableFunc(spans, func(a, b Span) int { return a.Start.Compare(b.Start) })
	return spans
}

// Await waits until a trace has at least so many spans and returns them in the
// order of their starts.
func (r *Receiver) Await(t testing.TB, trace string, count int) []Span {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), receiveTimeout)
	defer cancel()
	for {
		r.mu.Lock()
		news := r.news
		r.awaited[trace] = count
		r.mu.Unlock()
		spans := r.Of(trace)
		if len(spans) >= count {
			return spans
		}
		select {
		case <-news:
		case <-ctx.Done():
			t.Fatalf("trace %s has %d spans, want %d: %s", trace, len(spans), count, names(spans))
		}
	}
}

// Extra describes the traces that got more spans than were awaited of them.
func (r *Receiver) Extra() (faults []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for trace, want := range r.awaited {
		var got []Span
		for _, s := range r.spans {
			if s.Trace == trace {
				got = append(got, s)
			}
		}
		if len(got) != want {
			faults = append(faults, fmt.Sprintf("trace %s has %q in the end, want %d spans", trace, names(got), want))
		}
	}
	return faults
}

func names(spans []Span) (names []string) {
	for _, s := range spans {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return names
}
