package demo

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	page "github.com/parley-rtc/parley/edge/demo"
)

// elsewhere serves the page from a place that isn't Parley, with these answers beside it.
func elsewhere(t testing.TB, answers map[string]http.HandlerFunc) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/", page.Handler())
	for pattern, handler := range answers {
		mux.HandleFunc(pattern, handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestTrouble_isExplained(t *testing.T) {
	token := answer(http.StatusOK, `{"token":"t","expires":1}`)
	for name, c := range map[string]struct {
		answers map[string]http.HandlerFunc
		want    []string
	}{
		"no tokens": {nil, []string{"No tokens here", "parley-token-url", "/dev/token 404"}},
		"tokens fail": {
			map[string]http.HandlerFunc{"/dev/token": answer(http.StatusInternalServerError, `{"code":"internal","message":"the key is gone"}`)},
			[]string{"No token", "The key is gone.", "/dev/token 500"},
		},
		"the edge refuses": {
			map[string]http.HandlerFunc{
				"/dev/token": token,
				"/v1/check":  answer(http.StatusForbidden, `{"type":"error","code":"forbidden","status":403,"message":"this origin may not connect"}`),
			},
			[]string{"Not allowed", "This origin may not connect.", "forbidden"},
		},
		"no edge": {map[string]http.HandlerFunc{"/dev/token": token}, []string{"No connection", "Is it running?"}},
		"WebSockets don't pass": {
			map[string]http.HandlerFunc{"/dev/token": token, "/v1/check": answer(http.StatusOK, `{"ok":true}`)},
			[]string{"The WebSocket doesn't open", "proxy"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			ada := visit(t, "Ada", Phone, elsewhere(t, c.answers)+"/?room=trouble&name=Ada")
			ada.click("Join")
			for _, want := range c.want {
				ada.reads("[role=alert]", want)
			}
			ada.fits("the screen with the trouble")
			ada.reads(".join-button", "Join") // and it can be tried again
		})
	}
}

// operate uses the Server API as an app's backend does.
func operate(t testing.TB, d *Parley, path, body string) {
	t.Helper()
	key, err := d.APIKey()
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, d.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode/100 != 2 {
		t.Fatalf("POST %s: status %d", path, answer.StatusCode)
	}
}

func TestTrouble_aLockedRoom(t *testing.T) {
	d := startParley(t)
	joins(t, d, "Ada", "locked", Desktop)
	operate(t, d, "/v1/rooms/locked/lock", "{}")
	bob := visit(t, "Bob", Desktop, d.URL+"/?room=locked&name=Bob&join=1")
	bob.reads("[role=alert]", "The room is locked")
	bob.reads("[role=alert]", "room_locked")
}

func TestTrouble_aClosedRoom(t *testing.T) {
	d := startParley(t)
	ada := joins(t, d, "Ada", "closed", Desktop)
	operate(t, d, "/v1/rooms/closed/close", "{}")
	ada.reads("[role=alert]", "The room was closed")
	ada.click("Join")
	ada.until("document.querySelector('.call') !== null")
}
