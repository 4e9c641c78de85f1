package candidatefilter

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
)

// collector is an OTLP receiver that keeps what it is sent.
type collector struct {
	mu   sync.Mutex
	sent bytes.Buffer
}

func (c *collector) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = io.Copy(&c.sent, r.Body)
}

func TestTrace_eachSignalIsASpanOfItsOwnTrace(t *testing.T) {
	var spans collector
	server := httptest.NewServer(&spans)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	before := slog.Default()
	defer slog.SetDefault(before)
	shutdown, err := telemetry.Setup(t.Context(), "candidatefilter", "test", "test", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	const first, second, parent = "0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319d", "b7ad6b7169203331"
	passed := signal(contract.KindCandidate, 1, candidateBody(publicHost))
	passed.Trace = []byte("00-" + first + "-" + parent + "-01")
	dropped := signal(contract.KindCandidate, 2, candidateBody(privateHost))
	dropped.Trace = []byte("00-" + second + "-" + parent + "-01")
	e, wrong := sanitiserOf(contract.PolicyPublic).entry(new(workspace), entryOf(passed, dropped, signal(contract.KindMessage, 3, `{"data":1}`)))
	if err := shutdown(context.WithoutCancel(t.Context())); err != nil || wrong != nil {
		t.Fatal(err, wrong)
	}

	if signals, _ := read(t, e.data); string(signals[0].Trace) != string(passed.Trace) {
		t.Errorf("the signal goes on with the trace %s, want its own", signals[0].Trace)
	}
	spans.mu.Lock()
	defer spans.mu.Unlock()
	sent := spans.sent.Bytes()
	if got := bytes.Count(sent, []byte("filter.sanitise")); got != 2 {
		t.Errorf("%d spans were sent, want those of the two signals that have a trace", got)
	}
	for _, text := range []string{first, second, parent} {
		id, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(sent, id) {
			t.Errorf("no span belongs to %s", text)
		}
	}
	for _, result := range []string{"passed", "dropped"} {
		if !bytes.Contains(sent, []byte(result)) {
			t.Errorf("no span says %s", result)
		}
	}
	if bytes.Contains(sent, []byte("192.168.")) || bytes.Contains(sent, []byte(sender)) {
		t.Error("a span holds an address or a name")
	}
}

func TestTrace_offMakesNoSpan(t *testing.T) {
	s := signal(contract.KindMessage, 1, `{"data":1}`)
	s.Trace = []byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if span := startSanitise(s); span != nil {
		t.Errorf("got %v, want no span", span)
	}
	if got := testing.AllocsPerRun(100, func() { endSpan(startSanitise(s), passed) }); got != 0 {
		t.Errorf("a signal that nobody traces costs %v allocations, want none", got)
	}
}
