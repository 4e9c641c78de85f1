package standalone

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/lifecycle"
)

// runTestDemo serves the page until the test ends.
func runTestDemo(t *testing.T, cfg DemoConfig) (address string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listener = l
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(lifecycle.WithHealth(t.Context(), lifecycle.NewHealth()))
	ended := make(chan error, 1)
	go func() { ended <- RunDemo(ctx, cfg) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return "http://" + l.Addr().String()
}

// ask posts to /dev/token under the name of a host.
func ask(t *testing.T, address, host string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/dev/token", strings.NewReader(`{"room":"a"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestRunDemo(t *testing.T) {
	authsvc := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization")+" "+string(body)) //nolint:gosec // no browser reads it
	}))
	t.Cleanup(authsvc.Close)
	with := DemoConfig{Listen: "127.0.0.1:0", Tokens: true, Authsvc: authsvc.URL, APIKey: "a key", Hosts: []string{"demo.example"}}

	t.Run("it shows the page", func(t *testing.T) {
		resp, err := http.Get(runTestDemo(t, with) + "/")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if got, want := resp.Header.Get("Content-Type"), "text/html; charset=utf-8"; got != want {
			t.Errorf("got type %q, want %q", got, want)
		}
	})
	t.Run("it asks for tokens with the key that no page holds", func(t *testing.T) {
		status, body := ask(t, runTestDemo(t, with), "demo.example:7420")
		if want := `POST /v1/tokens Bearer a key {"room":"a"}`; status != http.StatusOK || body != want {
			t.Errorf("got %d %q, want 200 %q", status, body, want)
		}
	})
	t.Run("a page of another host gets none", func(t *testing.T) {
		if status, _ := ask(t, runTestDemo(t, with), "evil.example"); status != http.StatusForbidden {
			t.Errorf("got status %d, want 403", status)
		}
	})
	t.Run("without demo.tokens nobody gets one", func(t *testing.T) {
		if status, _ := ask(t, runTestDemo(t, DemoConfig{Listen: "127.0.0.1:0"}), "localhost"); status != http.StatusNotFound {
			t.Errorf("got status %d, want 404", status)
		}
	})
	t.Run("an authsvc that isn't there is said", func(t *testing.T) {
		away := with
		away.Authsvc = "http://127.0.0.1:1"
		status, body := ask(t, runTestDemo(t, away), "localhost")
		if status != http.StatusServiceUnavailable || !strings.Contains(body, `"unavailable"`) {
			t.Errorf("got %d %q, want 503 with the code unavailable", status, body)
		}
	})
}

func TestDemoConfig_Validate(t *testing.T) {
	err := DemoConfig{Listen: "nowhere", Tokens: true, Authsvc: "authsvc:7412"}.Validate()
	for _, want := range []string{"listen:", "authsvc:", "api_key:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want a fault of %s", err, want)
		}
	}
	if err := DefaultDemoConfig().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}
