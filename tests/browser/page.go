package browser

import (
	"bytes"
	"embed"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

//go:embed page/index.html
var files embed.FS

// repository is the path from here to the top of the repository.
var repository = filepath.Join("..", "..")

// bundle is page/call.ts with the sources of the SDK, as one script.
var bundle = sync.OnceValues(func() ([]byte, error) {
	esbuild := filepath.Join(repository, "edge", "node_modules", ".bin", "esbuild")
	if _, err := os.Stat(esbuild); err != nil {
		return nil, missing{"esbuild", "npm ci --prefix edge", err}
	}
	var faults bytes.Buffer
	cmd := exec.Command(esbuild, "page/call.ts", "--bundle", "--format=iife", "--target=es2022", "--sourcemap=inline", "--log-level=warning")
	cmd.Stderr = &faults
	script, err := cmd.Output()
	if err != nil {
		return nil, missing{"the page's script", "mend: " + faults.String(), err}
	}
	return script, nil
})

// missing is something that a test needs, and how to get it.
type missing struct {
	what, cure string
	err        error
}

func (m missing) Error() string { return m.what + " is missing (" + m.err.Error() + "): " + m.cure }
func (m missing) Unwrap() error { return m.err }

// servePage serves the page, and the room tokens that it asks for, until the
// test ends. It returns the page's address.
func servePage(t testing.TB, s *site) string {
	t.Helper()
	script, err := bundle()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "page/index.html")
	})
	mux.HandleFunc("GET /call.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(script) // a tab that is gone wants nothing
	})
	mux.HandleFunc("GET /token", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		token, err := s.token(r.Context(), contract.TokenRequest{
			Room: q.Get("room"), Identity: q.Get("identity"), ICE: contract.Policy(q.Get("ice")),
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		_, _ = w.Write([]byte(token))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}
