package roomsvc

import (
	"bytes"
	"context"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
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

func TestTrace_aJoinIsOneTrace(t *testing.T) {
	var spans collector
	server := httptest.NewServer(&spans)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
	before := slog.Default()
	defer slog.SetDefault(before)
	shutdown, err := telemetry.Setup(t.Context(), "roomsvc", "test", "test", telemetry.DefaultConfig(), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	s := newStand(t)
	s.run(testConfig())
	d := s.door("edge-1")
	const traceID, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	op := join("ada", "Ada")
	op.Trace = "00-" + traceID + "-" + parent + "-01"
	d.change(hall, op, join("bob", "Bob"))
	if err := shutdown(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}

	events := d.heard(hall)[0].Events
	if got := events[0].Trace; !strings.HasPrefix(got, "00-"+traceID+"-") || strings.Contains(got, parent) {
		t.Errorf("the event's trace: got %s, want another span of %s", got, traceID)
	}
	if got := events[1].Trace; strings.Contains(got, traceID) || got == "" {
		t.Errorf("the other event's trace: got %q, want one of its own", got)
	}
	id, err := hex.DecodeString(traceID)
	if err != nil {
		t.Fatal(err)
	}
	spans.mu.Lock()
	defer spans.mu.Unlock()
	for _, part := range [][]byte{[]byte("room.join"), []byte("log.append"), id} {
		if !bytes.Contains(spans.sent.Bytes(), part) {
			t.Errorf("no span with %q was sent", part)
		}
	}
}

func TestTrace_offIsAsAsked(t *testing.T) {
	ops := []contract.RoomOp{{Kind: contract.OpLock, Trace: "as it came"}}
	if spans := startSpans(t.Context(), ops); spans != nil || ops[0].Trace != "as it came" {
		t.Errorf("got %v and %q, want nothing done", spans, ops[0].Trace)
	}
}
