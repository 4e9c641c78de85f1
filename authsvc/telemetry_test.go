package authsvc

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
)

const (
	traceID     = "0af7651916cd43dd8448eb211c80319c"
	parentID    = "b7ad6b7169203331"
	traceparent = "00-" + traceID + "-" + parentID + "-01"
)

func TestSpans(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	otel.SetTracerProvider(provider)
	t.Cleanup(func() {
		if err := provider.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	nc, _ := setup(t)
	svc := start(t, nc, testConfig())
	status, _, answer := svc.do("POST", TokensPath, strings.NewReader(hello), http.Header{
		"Authorization": {"Bearer " + demoKey}, "Content-Type": {"application/json"}, "Traceparent": {traceparent},
	})
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, answer)
	}
	overNATS(t, nc, contract.TokenRequest{APIKey: demoKey, Room: "hello", Identity: "ada"}, nats.Header{"traceparent": {traceparent}})
	overNATS(t, nc, contract.TokenRequest{APIKey: demoKey, Room: "", Identity: "ada"}, nats.Header{"traceparent": {traceparent}})
	await(t, "three spans", func() bool { return len(recorder.Ended()) >= 3 })
	got := map[string]int{}
	for _, span := range recorder.Ended() {
		if span.Name() != "auth.token" || span.SpanContext().TraceID().String() != traceID || span.Parent().SpanID().String() != parentID {
			t.Errorf("span %s of trace %s under %s, want auth.token of the asker's", span.Name(), span.SpanContext().TraceID(), span.Parent().SpanID())
		}
		attributes := attribute.NewSet(span.Attributes()...)
		text := ""
		for _, key := range []attribute.Key{"parley.entrance", "parley.app", "parley.result"} {
			value, _ := attributes.Value(key)
			text += value.AsString() + " "
		}
		got[text]++
		if strings.Contains(attributes.Encoded(attribute.DefaultEncoder()), demoKey) {
			t.Errorf("a span holds the API key: %v", span.Attributes())
		}
	}
	for _, want := range []string{"http demo ok ", "nats demo ok ", "nats demo bad_id "} {
		if got[want] != 1 {
			t.Errorf("spans %v, want one %q", got, want)
		}
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
	for result, want := range map[string]int{"ok": 2, "bad_token": 1, "bad_json": 1, "bad_frame": 0} {
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
	for _, want := range []string{"token request answered", "result=ok", "result=bad_token", "kid=" + svc.kid, "app=elsewhere"} {
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
