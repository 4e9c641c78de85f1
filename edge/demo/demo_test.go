package demo

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for _, c := range change {
		c(r)
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w
}

func TestHandler_ServesThePage(t *testing.T) {
	for path, want := range map[string]string{
		"/":           "text/html; charset=utf-8",
		"/index.html": "text/html; charset=utf-8",
		"/?room=a":    "text/html; charset=utf-8",
		"/app.js":     "text/javascript; charset=utf-8",
		"/parley.js":  "text/javascript; charset=utf-8",
		"/app.css":    "text/css; charset=utf-8",
		"/icon.svg":   "image/svg+xml",
	} {
		w := get(t, path)
		if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != want {
			t.Errorf("%s: got status %d and type %q, want 200 and %q", path, w.Code, got, want)
		}
		if w.Body.Len() == 0 {
			t.Errorf("%s is empty", path)
		}
		for header, want := range map[string]string{
			"Cache-Control":          "no-cache",
			"X-Content-Type-Options": "nosniff",
			"Permissions-Policy":     "camera=(self), microphone=(self)",
		} {
			if got := w.Header().Get(header); got != want {
				t.Errorf("%s: got %s %q, want %q", path, header, got, want)
			}
		}
	}
}

func TestHandler_Refuses(t *testing.T) {
	for _, path := range []string{"/nothing", "/dist/app.js", "/app.js/", "/../embed.go", "/v1/ws"} {
		if w := get(t, path); w.Code != http.StatusNotFound {
			t.Errorf("%s: got status %d, want 404", path, w.Code)
		}
	}
	w := get(t, "/", func(r *http.Request) { r.Method = http.MethodPost })
	if got, want := w.Header().Get("Allow"), "GET, HEAD"; w.Code != http.StatusMethodNotAllowed || got != want {
		t.Errorf("POST: got status %d and Allow %q, want 405 and %q", w.Code, got, want)
	}
}

func TestHandler_TellsWhatIsCurrent(t *testing.T) {
	tag := get(t, "/app.js").Header().Get("ETag")
	if !regexp.MustCompile(`^"[\w-]+"$`).MatchString(tag) {
		t.Fatalf("got ETag %q, want a strong one", tag)
	}
	for have, want := range map[string]int{
		tag:                    http.StatusNotModified,
		`"other", W/` + tag:    http.StatusNotModified,
		"*":                    http.StatusNotModified,
		`"other"`:              http.StatusOK,
		strings.Trim(tag, `"`): http.StatusOK,
	} {
		w := get(t, "/app.js", func(r *http.Request) { r.Header.Set("If-None-Match", have) })
		if w.Code != want {
			t.Errorf("If-None-Match %s: got status %d, want %d", have, w.Code, want)
		}
		if w.Code == http.StatusNotModified && w.Body.Len() > 0 {
			t.Errorf("If-None-Match %s: 304 with a body", have)
		}
	}
	if other := get(t, "/app.css").Header().Get("ETag"); other == tag {
		t.Error("two files have the same ETag")
	}
}

func TestHandler_OtherPagesMayImportTheSDKAlone(t *testing.T) {
	for path, want := range map[string]string{"/parley.js": "*", "/app.js": "", "/": ""} {
		if got := get(t, path).Header().Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: got Access-Control-Allow-Origin %q, want %q", path, got, want)
		}
	}
	if got := get(t, "/parley.js").Body.String(); !strings.Contains(got, "export{") || !strings.Contains(got, "as connect") {
		t.Error("/parley.js isn't an ES module that exports connect")
	}
}

func TestHandler_HEAD(t *testing.T) {
	w := get(t, "/app.js", func(r *http.Request) { r.Method = http.MethodHead })
	if w.Code != http.StatusOK || w.Body.Len() > 0 || w.Header().Get("Content-Length") == "0" {
		t.Errorf("got status %d, %d bytes, length %q; want 200, none, the file's", w.Code, w.Body.Len(), w.Header().Get("Content-Length"))
	}
}

// What the policy forbids would be refused by the browser, and the page stay blank.
func TestPage_KeepsItsPolicy(t *testing.T) {
	got := get(t, "/").Header().Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'self'", "connect-src 'self' ws: wss:", "media-src 'self' blob:", "img-src 'self' data:", "style-src 'self'", "script-src 'self'",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("got policy %q, want it to say %q", got, want)
		}
	}
	if strings.Contains(got, "unsafe") {
		t.Errorf("got policy %q, want nothing unsafe in it", got)
	}
	page := get(t, "/").Body.String()
	for what, pattern := range map[string]string{
		"an inline script":       `<script(?:[^>]*)>[^<]`,
		"an inline style":        `<style|\sstyle=`,
		"an inline listener":     `\son\w+=`,
		"something from outside": `(?:src|href)="(?:https?:)?//`,
	} {
		if found := regexp.MustCompile(pattern).FindString(page); found != "" {
			t.Errorf("the page has %s: %s", what, found)
		}
	}
	if !strings.Contains(page, `<meta name="parley-token-url" content="/dev/token">`) {
		t.Error("the page doesn't say where it gets tokens")
	}
}
