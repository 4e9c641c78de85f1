package authsvc

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	collectorv1 "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracev1 "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
)

const (
	traceID     = "0af7651916cd43dd8448eb211c80319c"
	parentID    = "b7ad6b7169203331"
	traceparent = "00-" + traceID + "-" + parentID + "-01"
)

// receiver is an OTLP collector that keeps the spans that it gets.
type receiver struct {
	mu    sync.Mutex
	spans []*tracev1.Span
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	var export collectorv1.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &export)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range export.GetResourceSpans() {
		for _, scope := range resource.GetScopeSpans() {
			r.spans = append(r.spans, scope.GetSpans()...)
		}
	}
}

// traced runs do with tracing on and returns the spans of it.
func traced(t *testing.T, do func()) []*tracev1.Span {
	t.Helper()
	var r receiver
	server := httptest.NewServer(&r)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	before := slog.Default()
	defer slog.SetDefault(before)
	shutdown, err := telemetry.Setup(t.Context(), "authsvc", "test", "test", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	do()
	if err := shutdown(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spans
}

func TestSpans(t *testing.T) {
	nc, _ := setup(t)
	spans := traced(t, func() {
		svc := start(t, nc, testConfig())
		status, _, answer := svc.do("POST", TokensPath, strings.NewReader(hello), http.Header{
			"Authorization": {"Bearer " + demoKey}, "Content-Type": {"application/json"}, "Traceparent": {traceparent},
		})
		if status != http.StatusCreated {
			t.Errorf("%d %s", status, answer)
		}
		for _, room := range []string{"hello", ""} {
			overNATS(t, nc, contract.TokenRequest{APIKey: demoKey, Room: room, Identity: "ada"}, nats.Header{"traceparent": {traceparent}})
		}
		if err := svc.stop(); err != nil { // the handlers have ended, and so their spans
			t.Error(err)
		}
	})
	got := map[string]int{}
	for _, span := range spans {
		trace, parent := hex.EncodeToString(span.GetTraceId()), hex.EncodeToString(span.GetParentSpanId())
		if span.GetName() != "auth.token" || trace != traceID || parent != parentID {
			t.Errorf("span %s of trace %s under %s, want auth.token of the asker's", span.GetName(), trace, parent)
		}
		attributes := map[string]string{}
		for _, a := range span.GetAttributes() {
			attributes[a.GetKey()] = a.GetValue().GetStringValue()
		}
		got[attributes["parley.entrance"]+" "+attributes["parley.app"]+" "+attributes["parley.result"]]++
		if strings.Contains(span.String(), demoKey) {
			t.Errorf("a span holds the API key: %v", span)
		}
	}
	want := map[string]int{"http demo ok": 1, "nats demo ok": 1, "nats demo bad_id": 1}
	if !maps.Equal(got, want) {
		t.Errorf("spans %v, want %v", got, want)
	}
}

// results reads how many requests ended with each result.
func results(t *testing.T) map[string]int {
	t.Helper()
	w := httptest.NewRecorder()
	telemetry.MetricsHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	counts := map[string]int{}
	for _, line := range regexp.MustCompile(`parley_authsvc_token_seconds_count\{result="(\w+)"\} (\d+)`).FindAllStringSubmatch(w.Body.String(), -1) {
		n, err := strconv.Atoi(line[2])
		if err != nil {
			t.Fatal(err)
		}
		counts[line[1]] = n
	}
	return counts
}

func TestMetrics(t *testing.T) {
	nc, _ := setup(t)
	svc := start(t, nc, testConfig())
	before := results(t)
	svc.token(demoKey, hello)
	svc.token(demoKey, hello)
	svc.post("nobody", hello)
	svc.post(demoKey, "{")
	svc.do("GET", TokensPath, nil, nil) // no request for a token
	after := results(t)
	for result, want := range map[string]int{"ok": 2, "bad_api_key": 1, "bad_json": 1, "bad_frame": 0} {
		if got := after[result] - before[result]; got != want {
			t.Errorf("%s rose by %d, want %d", result, got, want)
		}
	}
}

// lockedBuffer takes log lines from many goroutines.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestLogs(t *testing.T) {
	var lines lockedBuffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug})))
	t.Cleanup(func() { slog.SetDefault(before) })
	nc, b := setup(t)
	put(t, b.apps, "elsewhere", contract.AppRecord{App: contract.ID("elsewhere").Token()})
	cfg := testConfig()
	svc := start(t, nc, cfg)
	reply := svc.token(demoKey, hello)
	svc.post(demoKey+"-wrong", hello)
	svc.post(demoKey, `{"room":"secret-room","identity":"ada","ttl":-1}`)
	if err := svc.stop(); err != nil {
		t.Fatal(err)
	}
	got := lines.String()
	for _, want := range []string{"token request answered", "result=ok", "result=bad_api_key", "kid=" + svc.kid, "app=elsewhere"} {
		if !strings.Contains(got, want) {
			t.Errorf("the log lacks %q:\n%s", want, got)
		}
	}
	for name, secret := range map[string]string{
		"an API key": demoKey, "the signing key": seedOne, "a token": reply.Token,
		"a signature": reply.Token[strings.LastIndex(reply.Token, "."):], "a room": "secret-room",
	} {
		if strings.Contains(got, secret) {
			t.Errorf("the log holds %s:\n%s", name, got)
		}
	}
}
