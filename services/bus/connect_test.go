package bus

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/embednats"
	"github.com/parley-rtc/parley/services/natstest"
)

// logBuffer collects the log, which many goroutines write.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func captureLog(t *testing.T) *logBuffer {
	t.Helper()
	b := &logBuffer{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(b, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return b
}

func waitForLog(t *testing.T, log *logBuffer, want string) {
	t.Helper()
	until(t, "log line "+want, func() bool { return strings.Contains(log.String(), want) })
}

// freeAddress returns an address on the loopback interface that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestConnect_WaitsUntilTheServerIsThere(t *testing.T) {
	log := captureLog(t)
	address := freeAddress(t)
	cfg := DefaultConfig()
	cfg.URL = "nats://" + address
	connected := make(chan *nats.Conn, 1)
	go func() {
		nc, err := Connect(testContext(t), cfg, "edge 1")
		if err != nil {
			t.Error(err)
		}
		connected <- nc
	}()
	waitForLog(t, log, "waiting for NATS")
	s, err := embednats.Start(embednats.Config{StoreDir: t.TempDir(), Listen: address})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown()
	nc := eventually(t, connected, "Connect")
	defer nc.Close()
	if got, want := nc.NewRespInbox(), "_INBOX.edge_1."; !strings.HasPrefix(got, want) {
		t.Errorf("inbox: got %s, want it to begin with %s", got, want)
	}
	if got := strings.Count(log.String(), "waiting for NATS"); got != 1 {
		t.Errorf("log lines about waiting: got %d, want 1 in the first %v", got, waitingLogInterval)
	}
}

func TestConnect_EndsWithItsContext(t *testing.T) {
	cfg := DefaultConfig()
	cfg.URL = "nats://" + freeAddress(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := Connect(ctx, cfg, "edge")
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, nats.ErrNoServers) {
		t.Errorf("got %v, want the context's error and the last attempt's", err)
	}
}

func TestConnect_DoesNotWaitForWhatNoWaitingCures(t *testing.T) {
	cfg := DefaultConfig()
	cfg.CredsFile = filepath.Join(t.TempDir(), "gone.creds")
	_, err := Connect(t.Context(), cfg, "edge")
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "nats.creds_file") {
		t.Errorf("got %v, want the key and the missing file", err)
	}
}

func TestConnect_InProcess(t *testing.T) {
	s, err := embednats.Start(embednats.Config{StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Shutdown()
	nc, err := Connect(testContext(t), DefaultConfig(), "edge", s.InProcess())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := nc.Flush(); err != nil {
		t.Errorf("flush: %v", err)
	}
}

func TestConnect_ComesBackAfterARestart(t *testing.T) {
	log := captureLog(t)
	s := natstest.Start(t)
	nc := connectTo(t, s.ClientURL(), "edge")
	back := nc.StatusChanged(nats.CONNECTED)
	defer nc.RemoveStatusListener(back)
	s.Shutdown()
	until(t, "disconnect", func() bool { return !nc.IsConnected() })
	if err := nc.Publish("x", nil); !IsTransient(err) {
		t.Errorf("publish while away: got %v, want a transient error at once", err)
	}
	natstest.Restart(t, s)
	eventually(t, back, "reconnect")
	if err := nc.Flush(); err != nil {
		t.Errorf("flush: %v", err)
	}
	waitForLog(t, log, "lost NATS")
	waitForLog(t, log, "NATS is back")
}

func TestDrain(t *testing.T) {
	s := natstest.Start(t)
	nc := connectTo(t, s.ClientURL(), "edge")
	got := make(chan *nats.Msg, 1)
	other := natstest.Connect(t, s)
	if _, err := other.ChanSubscribe("last.words", got); err != nil {
		t.Fatal(err)
	}
	if err := other.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := nc.Publish("last.words", nil); err != nil {
		t.Fatal(err)
	}
	Drain(nc)
	if !nc.IsClosed() {
		t.Error("connection: got it open, want it closed")
	}
	eventually(t, got, "what was published before the drain")
	Drain(nc) // a closed connection is no trouble
}

func TestDrain_WhileNATSIsAway(t *testing.T) {
	s := natstest.Start(t)
	nc := connectTo(t, s.ClientURL(), "edge")
	s.Shutdown()
	until(t, "disconnect", func() bool { return !nc.IsConnected() })
	Drain(nc)
	if !nc.IsClosed() {
		t.Error("connection: got it open, want it closed")
	}
}

func TestReconnectDelay_GrowsToItsLimit(t *testing.T) {
	for attempt, limit := range map[int]time.Duration{0: reconnectWait, 1: 2 * reconnectWait, 5: reconnectMaxWait, 1 << 40: reconnectMaxWait} {
		for range 100 {
			if got := reconnectDelay(attempt); got < limit/2 || got > limit {
				t.Fatalf("attempt %d: got %v, want %v to %v", attempt, got, limit/2, limit)
			}
		}
	}
}

func TestInboxToken(t *testing.T) {
	for name, want := range map[string]string{
		"edge-1_a": "edge-1_a", "a.b": "a_b", "*": "_", ">": "_", "": "parley", "ö x\r\n": "__x__",
	} {
		if got := inboxToken(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

func TestInboxPrefix(t *testing.T) {
	for _, one := range []struct{ user, name, want string }{
		{"", "roomsvc", "_INBOX.roomsvc"}, {"edge", "roomsvc", "_INBOX.edge"}, {"edge.a", "edge", "_INBOX.edge.a"},
		{"a.>", "edge", "_INBOX.a._"}, {".", "edge", "_INBOX.parley.parley"},
	} {
		if got := inboxPrefix(one.user, one.name); got != one.want {
			t.Errorf("user %q, service %q: got %q, want %q", one.user, one.name, got, one.want)
		}
	}
}

func TestRedactURL(t *testing.T) {
	for url, want := range map[string]string{
		"nats://h:1":              "nats://h:1",
		"nats://u:p@h:1,nats://k": "nats://[redacted]@h:1,nats://k",
		"nats://token@h":          "nats://[redacted]@h",
	} {
		if got := redactURL(url); got != want {
			t.Errorf("%s: got %s, want %s", url, got, want)
		}
	}
}

func TestConfig_Validate(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	bad := Config{URL: "localhost", Password: "p", CredsFile: "c", CertFile: "x", PingInterval: -1}
	err := bad.Validate()
	for _, want := range []string{"url: ", "password: ", "cert_file: ", "connect_timeout: ", "ping_interval: ", "drain_timeout: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to contain %q", err, want)
		}
	}
	both := DefaultConfig()
	both.User, both.CredsFile = "u", "c"
	if err := both.Validate(); err == nil || !strings.Contains(err.Error(), "creds_file: ") {
		t.Errorf("two ways to sign in: got %v", err)
	}
}
