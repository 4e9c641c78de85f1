package lifecycle

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/natstest"
)

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func TestAdminHandler(t *testing.T) {
	health := NewHealth()
	h := AdminHandler(AdminConfig{}, health)
	for path, want := range map[string]string{
		"/healthz": "ok\n", "/version": BuildVersion() + "\n", "/metrics": "go_goroutines", "/readyz": `{"ready":true,"checks":{}}`,
	} {
		if code, body := get(t, h, path); code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: got %d %s, want 200 and %s", path, code, body, want)
		}
	}
	if code, _ := get(t, h, "/debug/pprof/"); code != http.StatusNotFound {
		t.Errorf("pprof, not configured: got %d, want 404", code)
	}
	if code, body := get(t, AdminHandler(AdminConfig{Pprof: true}, health), "/debug/pprof/"); code != http.StatusOK || !strings.Contains(body, "goroutine") {
		t.Errorf("pprof, configured: got %d %s", code, body)
	}
}

func TestAdminHandler_ReadySaysWhyNot(t *testing.T) {
	health := NewHealth()
	h := AdminHandler(AdminConfig{}, health)
	steps := []struct {
		check string
		err   error
		code  int
		body  string
	}{
		{"nats", ErrStarting, 503, `{"ready":false,"checks":{"nats":"starting"}}`},
		{"keys", ErrStarting, 503, `{"ready":false,"checks":{"keys":"starting","nats":"starting"}}`},
		{"nats", nil, 503, `{"ready":false,"checks":{"keys":"starting","nats":"ok"}}`},
		{"keys", nil, 200, `{"ready":true,"checks":{"keys":"ok","nats":"ok"}}`},
		{"nats", errors.New("disconnected: EOF"), 503, `{"ready":false,"checks":{"keys":"ok","nats":"disconnected: EOF"}}`},
	}
	for _, s := range steps {
		health.Set(s.check, s.err)
		if code, body := get(t, h, "/readyz"); code != s.code || strings.TrimSpace(body) != s.body {
			t.Errorf("got %d %s, want %d %s", code, body, s.code, s.body)
		}
	}
}

func TestHealthFrom(t *testing.T) {
	h := NewHealth()
	if got := HealthFrom(WithHealth(t.Context(), h)); got != h {
		t.Error("got another Health")
	}
	HealthFrom(t.Context()).Set("x", nil) // must not panic
}

func TestServeAdmin_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	address := freeAddress(t)
	ended := make(chan error, 1)
	go func() { ended <- ServeAdmin(ctx, AdminConfig{Listen: address}, NewHealth()) }()
	until(t, "healthy", func() bool { return Healthcheck(t.Context(), AdminConfig{Listen: address}) == nil })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("got %v, want nil", err)
	}
	if err := ServeAdmin(ctx, AdminConfig{}, NewHealth()); err != nil {
		t.Errorf("without a listener: got %v, want nil", err)
	}
}

func TestServeAdmin_PortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = ServeAdmin(t.Context(), AdminConfig{Listen: l.Addr().String()}, NewHealth())
	if err == nil || !strings.Contains(err.Error(), "admin.listen: ") {
		t.Errorf("got %v, want an error that names the key", err)
	}
}

func TestHealthcheck(t *testing.T) {
	health := NewHealth()
	server := httptest.NewServer(AdminHandler(AdminConfig{}, health))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, listen := range []string{"127.0.0.1:" + port, ":" + port, "0.0.0.0:" + port} {
		if err := Healthcheck(t.Context(), AdminConfig{Listen: listen}); err != nil {
			t.Errorf("%s: %v", listen, err)
		}
	}
	health.Set("nats", errBroken)
	err = Healthcheck(t.Context(), AdminConfig{Listen: ":" + port})
	if err == nil || !strings.Contains(err.Error(), `503 Service Unavailable: {"ready":false,"checks":{"nats":"broken"}}`) {
		t.Errorf("not ready: got %v, want the answer", err)
	}
	for _, listen := range []string{"", ":0", freeAddress(t)} {
		if err := Healthcheck(t.Context(), AdminConfig{Listen: listen}); err == nil {
			t.Errorf("%q: got no error", listen)
		}
	}
}

func TestAdminConfig(t *testing.T) {
	for name, want := range map[string]string{
		"edge": "127.0.0.1:7421", "roomsvc": "127.0.0.1:7422", "authsvc": "127.0.0.1:7423", "candidatefilter": "127.0.0.1:7424", "else": "127.0.0.1:0",
	} {
		if got := DefaultAdminConfig(name); got.Listen != want || got.Pprof || got.Validate() != nil {
			t.Errorf("%s: got %+v, want %s", name, got, want)
		}
	}
	if err := (AdminConfig{Listen: "7421"}).Validate(); err == nil || !strings.HasPrefix(err.Error(), "listen: ") {
		t.Errorf("no host: got %v", err)
	}
	if err := (AdminConfig{Pprof: true}).Validate(); err == nil || !strings.HasPrefix(err.Error(), "pprof: ") {
		t.Errorf("pprof without a listener: got %v", err)
	}
	if err := (AdminConfig{}).Validate(); err != nil {
		t.Errorf("no listener: %v", err)
	}
}

func TestWatchNATS(t *testing.T) {
	s := natstest.Start(t)
	nc := natstest.Connect(t, s)
	health := NewHealth()
	health.Set("nats", ErrStarting)
	ended := make(chan error, 1)
	go func() { ended <- WatchNATS(t.Context(), nc, health) }()
	check := func() string { _, checks := health.Ready(); return checks["nats"] }
	until(t, "connected", func() bool { return check() == "ok" })
	s.Shutdown()
	until(t, "away", func() bool { return strings.HasPrefix(check(), "disconnected") })
	natstest.Restart(t, s)
	until(t, "back", func() bool { return check() == "ok" })
	nc.Close()
	if err := <-ended; err == nil || !strings.Contains(check(), "connection to NATS is closed") {
		t.Errorf("closed: got %v and the check %q", err, check())
	}
}

const patience = 30 * time.Second

// until waits for a condition that nothing announces.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(patience); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not in %v", what, patience)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// readBody is what an admin endpoint answers, "" if nobody does.
func readBody(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
