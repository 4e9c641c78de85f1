package standalone

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
)

// named answers with its name and the path that it saw.
func named(name string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, name+" "+r.URL.EscapedPath()) //nolint:gosec // no browser reads it
	})
}

// served is a front behind a listener.
type served struct {
	front *Front
	url   string
	ctx   context.Context //nolint:containedctx // the life of its parts
	end   context.CancelFunc
	parts sync.WaitGroup
}

func serveTestFront(t *testing.T, front *Front) *served {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &served{front: front, url: "http://" + l.Addr().String()}
	s.ctx, s.end = context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serveFront(s.ctx, l, front) }()
	t.Cleanup(func() {
		s.end()
		s.parts.Wait()
		if err := <-ended; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return s
}

// edge adds an edge, which stays until stop is called.
func (s *served) edge(t *testing.T, name string) (id string, stop func()) {
	t.Helper()
	token, err := contract.NewProcessID(name)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	before := len(s.front.EdgeIDs())
	ended := make(chan struct{})
	s.parts.Go(func() {
		defer close(ended)
		_ = s.front.Edge(ctx, token, named(name)) // it never fails
	})
	for len(s.front.EdgeIDs()) == before {
		if ctx.Err() != nil {
			t.Fatal("the edge doesn't come")
		}
	}
	return token.String(), func() { cancel(); <-ended }
}

// mount adds a service.
func (s *served) mount(path, name string) {
	s.parts.Go(func() { _ = s.front.Mount(path)(s.ctx, named(name)) }) // it never fails
	for s.front.service(path) == nil && s.ctx.Err() == nil {
		continue
	}
}

// do makes a request and returns what came.
func do(t *testing.T, method, url, body string, header ...string) (int, http.Header, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for ; len(header) > 1; header = header[2:] {
		if header[0] == "Host" {
			req.Host = header[1]
			continue
		}
		req.Header.Set(header[0], header[1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(text)
}

// wantFault holds an answer against the form of every refusal.
func wantFault(t *testing.T, status int, header http.Header, body string, want int, code contract.Code) {
	t.Helper()
	var got backend.Fault
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("got %d %q, want JSON: %v", status, body, err)
	}
	if status != want || got.Status != want || got.Code != code || got.Message == "" || got.Retryable != code.Retryable() {
		t.Errorf("got %d %s, want %d %s", status, body, want, code)
	}
	if header.Get("Content-Type") != "application/json" || header.Get("Cache-Control") != "no-store" {
		t.Errorf("the headers are %v", header)
	}
}

func TestFront_givesEachRequestToItsPart(t *testing.T) {
	s := serveTestFront(t, &Front{Page: named("page"), DevToken: named("token")})
	s.edge(t, "one")
	s.mount(authsvc.TokensPath, "auth")
	s.mount(roomsvc.RoomsPath, "rooms")
	for path, want := range map[string]string{
		"/v1/ws": "one /v1/ws", "/v1/check": "one /v1/check", "/v1/tokens": "auth /v1/tokens", "/dev/token": "token /dev/token",
		"/v1/rooms": "rooms /v1/rooms", "/v1/rooms/hello/kick": "rooms /v1/rooms/hello/kick", "/v1/rooms/": "rooms /v1/rooms/",
		"/v1/rooms/a%2Fb": "rooms /v1/rooms/a%2Fb", "/v1/rooms//": "rooms /v1/rooms//", "/v1/rooms/%2E%2E": "rooms /v1/rooms/%2E%2E",
		"/": "page /", "/app.js": "page /app.js", "/v1x": "page /v1x",
	} {
		if status, _, got := do(t, http.MethodGet, s.url+path, ""); status != http.StatusOK || got != want {
			t.Errorf("%s: got %d %q, want %q", path, status, got, want)
		}
	}
	for _, path := range []string{"/v1", "/v1/", "/v1/ws/", "/v1/tokens/x", "/v1/roomsx", "/dev/", "/dev/other"} {
		status, header, body := do(t, http.MethodGet, s.url+path, "")
		wantFault(t, status, header, body, http.StatusNotFound, contract.CodeBadFrame)
	}
	t.Run("and says of one that isn't there when to come again", func(t *testing.T) {
		s := serveTestFront(t, &Front{})
		for _, path := range []string{"/v1/ws", "/v1/check", "/v1/tokens", "/v1/rooms/x"} {
			status, header, body := do(t, http.MethodGet, s.url+path, "")
			wantFault(t, status, header, body, http.StatusServiceUnavailable, contract.CodeUnavailable)
			if got := header.Get("Retry-After"); got != "1" {
				t.Errorf("%s: Retry-After is %q, want 1", path, got)
			}
		}
		for _, path := range []string{"/", "/dev/token"} {
			status, header, body := do(t, http.MethodGet, s.url+path, "")
			wantFault(t, status, header, body, http.StatusNotFound, contract.CodeBadFrame)
		}
	})
}

func TestFront_takesTheEdgesInTurn(t *testing.T) {
	s := serveTestFront(t, &Front{})
	two, stopTwo := s.edge(t, "two")
	one, _ := s.edge(t, "one")
	next := func(query string) string {
		t.Helper()
		_, _, got := do(t, http.MethodGet, s.url+"/v1/ws"+query, "")
		name, _, _ := strings.Cut(got, " ")
		return name
	}
	if got := next("") + next("") + next("") + next(""); got != "onetwoonetwo" {
		t.Errorf("got %s, want each in its turn", got)
	}
	t.Run("but for who asks for one", func(t *testing.T) {
		if got := next("?edge="+two) + next("?edge="+two) + next("?edge="+one); got != "twotwoone" {
			t.Errorf("got %s, want the ones that were asked for", got)
		}
		if got := next("") + next("?edge=another") + next("?edge="); got != "onetwoone" {
			t.Errorf("got %s: an edge that isn't here must not matter, nor those that were asked for count", got)
		}
	})
	t.Run("and a check takes no turn", func(t *testing.T) {
		before := next("")
		do(t, http.MethodGet, s.url+"/v1/check", "")
		if got := next(""); got == before {
			t.Errorf("got %s twice", got)
		}
	})
	t.Run("as long as they serve", func(t *testing.T) {
		stopTwo()
		if got := next("") + next("") + next("?edge="+two); got != "oneoneone" {
			t.Errorf("got %s, want the one that is left", got)
		}
	})
}

func TestFront_saysWhatIsMissing(t *testing.T) {
	health := lifecycle.NewHealth()
	s := serveTestFront(t, &Front{Edges: 2, Services: []string{authsvc.TokensPath}, Health: health})
	check := func(want string) {
		t.Helper()
		if _, checks := health.Ready(); checks[CheckFront] != want {
			t.Errorf("got %q, want %q", checks[CheckFront], want)
		}
	}
	s.edge(t, "one")
	check("1 of 2 edges serve\nnobody serves /v1/tokens")
	s.mount(authsvc.TokensPath, "auth")
	check("1 of 2 edges serve")
	_, stop := s.edge(t, "two")
	check("ok")
	stop()
	check("1 of 2 edges serve")
}

func TestFront_ofARunningParley(t *testing.T) {
	r := start(t, t.TempDir())
	url := "http://" + r.cfg.Edge.Listen
	a, b := r.join(t, "ada"), r.join(t, "bob")
	t.Run("puts two clients on two edges", func(t *testing.T) {
		if got, want := len(r.cfg.Front.EdgeIDs()), 2; got != want {
			t.Errorf("%d edges, want %d", got, want)
		}
		for i, room := range []*client.Room{a, b} {
			if got := r.edges[i]; got != r.cfg.Front.EdgeIDs()[i] {
				t.Errorf("%s is on %s, want %v in turn", room.Self().Identity, got, r.cfg.Front.EdgeIDs())
			}
		}
	})
	t.Run("tells members of the TURN server", func(t *testing.T) {
		var urls []string
		credentials := 0
		for _, server := range a.ICEServers() {
			urls = append(urls, server.URLs...)
			if server.Username != "" && server.Credential != "" {
				credentials++
			}
		}
		if got, want := fmt.Sprint(urls), fmt.Sprint(r.cfg.TURN.URLs()); got != want || credentials != 1 {
			t.Errorf("got %s with %d credentials, want %s with one", got, credentials, want)
		}
	})
	t.Run("answers the Server API", func(t *testing.T) {
		key, err := Files{r.cfg.Standalone.StoreDir}.APIKey()
		if err != nil {
			t.Fatal(err)
		}
		status, _, body := do(t, http.MethodGet, url+"/v1/rooms/a%20room", "", "Authorization", "Bearer "+key.Reveal())
		if status != http.StatusOK || !strings.Contains(body, `"ada"`) || !strings.Contains(body, `"bob"`) {
			t.Errorf("got %d %s, want the room with its members", status, body)
		}
	})
	t.Run("shows the demo", func(t *testing.T) {
		status, header, body := do(t, http.MethodGet, url+"/?room=hello", "")
		if status != http.StatusOK || !strings.HasPrefix(header.Get("Content-Type"), "text/html") || !strings.Contains(body, "<html") {
			t.Errorf("got %d %.200s", status, body)
		}
	})
	t.Run("makes development tokens with any grant", func(t *testing.T) {
		status, _, body := do(t, http.MethodPost, url+"/dev/token", `{"room":"r","identity":"i","grants":["kick","lock","close"]}`, "Content-Type", "application/json")
		var reply contract.TokenReply
		if err := json.Unmarshal([]byte(body), &reply); err != nil || status != http.StatusCreated || reply.Token == "" || reply.Expires == 0 {
			t.Errorf("got %d %q (%v), want a token", status, body, err)
		}
	})
}

func TestDevToken_isForThisMachine(t *testing.T) {
	asked := 0
	tokens := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if r.URL.Path != authsvc.TokensPath || r.Header.Get("Authorization") != "Bearer the-key" || r.Header.Get("Cookie") != "" || r.Header.Get("Origin") != "" {
			t.Errorf("the authsvc is asked at %s with %v", r.URL.Path, r.Header)
		}
		_, _ = io.Copy(w, r.Body) // the test sees what comes
	})
	s := serveTestFront(t, &Front{DevToken: &DevToken{Tokens: tokens, APIKey: "the-key", Hosts: []string{"192.168.1.5", "laptop"}}})
	url := s.url + "/dev/token"
	for name, header := range map[string][]string{
		"a program":                        {"Cookie", "a=b", "Authorization", "Bearer another"},
		"a page of its own":                {"Origin", s.url},
		"localhost":                        {"Host", "localhost:7420"},
		"a name below localhost":           {"Host", "app.LOCALHOST:7420", "Origin", "http://other.localhost:5173"},
		"IPv6":                             {"Host", "[::1]:7420", "Origin", "http://[::1]:5173"},
		"IPv6 without a port":              {"Host", "[::1]"},
		"a development server":             {"Origin", "http://localhost:5173"},
		"a page with TLS":                  {"Origin", "https://127.0.0.1:5173"},
		"another address of the machine":   {"Host", "192.168.1.5:7420", "Origin", "https://192.168.1.5:7420"},
		"another name of the machine":      {"Host", "LAPTOP", "Origin", "https://laptop"},
		"another address of the interface": {"Host", "127.9.9.9:1"},
	} {
		status, answer, got := do(t, http.MethodPost, url, "the body", header...)
		if status != http.StatusOK || got != "the body" {
			t.Errorf("%s: got %d %q", name, status, got)
		}
		for i := 0; i < len(header); i += 2 {
			if header[i] == "Origin" && answer.Get("Access-Control-Allow-Origin") != header[i+1] {
				t.Errorf("%s: allowed is %q", name, answer.Get("Access-Control-Allow-Origin"))
			}
		}
	}
	asked = 0
	for name, header := range map[string][]string{
		"a name that points here":      {"Host", "evil.example:7420"},
		"one that begins like it":      {"Host", "localhost.evil.example"},
		"one that ends like it":        {"Host", "evillocalhost"},
		"another machine's address":    {"Host", "192.168.1.6"},
		"a page of the web":            {"Origin", "https://evil.example"},
		"one that begins like it, too": {"Origin", "http://localhost.evil.example"},
		"a page without an origin":     {"Origin", "null"},
		"a file":                       {"Origin", "file://localhost"},
	} {
		for _, method := range []string{http.MethodPost, http.MethodOptions} {
			status, answer, body := do(t, method, url, "", header...)
			wantFault(t, status, answer, body, http.StatusForbidden, contract.CodeForbidden)
			if allowed := answer.Get("Access-Control-Allow-Origin"); allowed != "" {
				t.Errorf("%s: pages of %q may read it", name, allowed)
			}
		}
	}
	status, answer, _ := do(t, http.MethodOptions, url, "", "Origin", "http://localhost:5173", "Access-Control-Request-Method", "POST")
	if status != http.StatusNoContent || answer.Get("Access-Control-Allow-Methods") != "POST" || !strings.Contains(answer.Get("Access-Control-Allow-Headers"), "Content-Type") {
		t.Errorf("a preflight got %d %v", status, answer)
	}
	status, answer, body := do(t, http.MethodGet, url, "")
	wantFault(t, status, answer, body, http.StatusMethodNotAllowed, contract.CodeBadFrame)
	if asked != 0 {
		t.Errorf("the authsvc was asked %d times", asked)
	}
}
