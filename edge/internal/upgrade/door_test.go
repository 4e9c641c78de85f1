package upgrade

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/services/contract"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve runs a door as an edge does; a connection that got in echoes one frame.
func serve(t *testing.T, d *Door) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/v1/check", d.CheckHandler())
	mux.HandleFunc("/v1/ws", func(w http.ResponseWriter, r *http.Request) {
		nc, fault := d.Upgrade(w, r)
		if fault != nil {
			return
		}
		defer nc.Close()
		h, err := ws.ReadHeader(nc)
		if err != nil {
			return
		}
		payload := make([]byte, h.Length)
		if _, err := io.ReadFull(nc, payload); err != nil {
			return
		}
		ws.Cipher(payload, h.Mask, 0)
		_ = ws.WriteFrame(nc, ws.NewTextFrame(payload)) // the test sees what comes
	})
	s := httptest.NewUnstartedServer(mux)
	// Deadlines that would end a connection which kept them.
	s.Config.ReadTimeout, s.Config.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

func door() *Door {
	return &Door{Origins: []string{"https://app.example"}, Subprotocol: contract.Subprotocol}
}

const goodHandshake = "GET /v1/ws HTTP/1.1\r\nHost: edge.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: parley.v1\r\n\r\n"

// answer is an HTTP answer; it has no body if the connection became another.
type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends raw bytes to addr and reads the answer.
func ask(t *testing.T, addr, request string) (answer, net.Conn, *bufio.Reader) {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	if err := nc.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(nc, request); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(nc)
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("no HTTP answer: %v", err)
	}
	defer resp.Body.Close()
	var body []byte
	if resp.StatusCode != http.StatusSwitchingProtocols {
		if body, err = io.ReadAll(resp.Body); err != nil {
			t.Fatal(err)
		}
	}
	return answer{resp.StatusCode, resp.Header, strings.TrimSpace(string(body))}, nc, r
}

func TestDoor_Upgrade(t *testing.T) {
	for _, test := range []struct{ name, from, to string }{
		{"as the RFC has it", "", ""},
		{"in other cases", "Upgrade: websocket\r\nConnection: Upgrade", "upgrade: WebSocket\r\nconnection: keep-alive, UPGRADE"},
		{"with other subprotocols", "parley.v1", "chat, parley.v1, superchat"},
		{"with subprotocols in two headers", "parley.v1", "chat\r\nSec-WebSocket-Protocol: parley.v1"},
		{"from an allowed page", "\r\n\r\n", "\r\nOrigin: https://app.example\r\n\r\n"},
		{"from an allowed page, its port written out", "\r\n\r\n", "\r\nOrigin: https://APP.example:443\r\n\r\n"},
		{"from its own page", "\r\n\r\n", "\r\nOrigin: https://edge.example\r\n\r\n"},
		{"from its own page without TLS", "\r\n\r\n", "\r\nOrigin: http://Edge.Example:80\r\n\r\n"},
		{"with extensions offered", "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp, nc, r := ask(t, serve(t, door()), strings.Replace(goodHandshake, test.from, test.to, 1))
			if got, want := resp.status, http.StatusSwitchingProtocols; got != want {
				t.Fatalf("status %d, want %d", got, want)
			}
			for name, want := range map[string]string{
				"Sec-WebSocket-Accept": "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "Sec-WebSocket-Protocol": contract.Subprotocol, "Sec-WebSocket-Extensions": "",
			} {
				if got := resp.header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			echo(t, nc, r, "hello")
		})
	}
	t.Run("what comes right behind the handshake isn't lost", func(t *testing.T) {
		early := ws.MustCompileFrame(ws.MaskFrame(ws.NewTextFrame([]byte("early"))))
		_, nc, r := ask(t, serve(t, door()), goodHandshake+string(early))
		wantEcho(t, r, "early")
		_ = nc
	})
	t.Run("the server's deadlines are gone", func(t *testing.T) {
		_, nc, r := ask(t, serve(t, door()), goodHandshake)
		// Longer than the server's own read and write time-outs; nothing can be
		// waited for instead, since what is tested is that nothing happens.
		silence := time.NewTimer(400 * time.Millisecond)
		<-silence.C
		echo(t, nc, r, "late")
	})
	t.Run("all pages, if it is told so", func(t *testing.T) {
		d := door()
		d.Origins = []string{"*"}
		for _, origin := range []string{"https://anyone.example", "null", "file://"} {
			resp, _, _ := ask(t, serve(t, d), strings.Replace(goodHandshake, "\r\n\r\n", "\r\nOrigin: "+origin+"\r\n\r\n", 1))
			if got, want := resp.status, http.StatusSwitchingProtocols; got != want {
				t.Errorf("origin %s: status %d, want %d", origin, got, want)
			}
		}
	})
}

func echo(t *testing.T, nc net.Conn, r *bufio.Reader, s string) {
	t.Helper()
	if err := ws.WriteFrame(nc, ws.MaskFrame(ws.NewTextFrame([]byte(s)))); err != nil {
		t.Fatal(err)
	}
	wantEcho(t, r, s)
}

func wantEcho(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	h, err := ws.ReadHeader(r)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]byte, h.Length)
	if _, err := io.ReadFull(r, got); err != nil || string(got) != want {
		t.Fatalf("echo of %q: %q, %v", want, got, err)
	}
}

func TestDoor_Upgrade_refuses(t *testing.T) {
	for _, test := range []struct {
		name, from, to string
		status         int
		code           contract.Code
		header         string // name: value
	}{
		{"another method", "GET", "POST", 405, contract.CodeBadFrame, "Allow: GET"},
		{"another method, in lower case", "GET", "get", 405, contract.CodeBadFrame, "Allow: GET"},
		{"a body", "\r\n\r\n", "\r\nContent-Length: 1\r\n\r\nx", 400, contract.CodeBadFrame, ""},
		{"a body of unknown length", "\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, contract.CodeBadFrame, ""},
		{"no Upgrade", "Upgrade: websocket\r\n", "", 426, contract.CodeBadFrame, "Sec-WebSocket-Version: 13"},
		{"another Upgrade", "Upgrade: websocket", "Upgrade: h2c", 426, contract.CodeBadFrame, ""},
		{"no Connection", "Connection: Upgrade\r\n", "", 400, contract.CodeBadFrame, ""},
		{"another Connection", "Connection: Upgrade", "Connection: keep-alive", 400, contract.CodeBadFrame, ""},
		{"an older version", "Version: 13", "Version: 8", 426, contract.CodeBadFrame, "Sec-WebSocket-Version: 13"},
		{"no version", "Sec-WebSocket-Version: 13\r\n", "", 426, contract.CodeBadFrame, "Sec-WebSocket-Version: 13"},
		{"no key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400, contract.CodeBadFrame, ""},
		{"a short key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ==", 400, contract.CodeBadFrame, ""},
		{"a key that isn't base64", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZ!==", 400, contract.CodeBadFrame, ""},
		{"two keys", "Sec-WebSocket-Version", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version", 400, contract.CodeBadFrame, ""},
		{"no subprotocol", "Sec-WebSocket-Protocol: parley.v1\r\n", "", 400, contract.CodeBadFrame, ""},
		{"another subprotocol", "parley.v1", "parley.v2", 400, contract.CodeBadFrame, ""},
		{"the subprotocol in another case", "parley.v1", "Parley.V1", 400, contract.CodeBadFrame, ""},
		{"subprotocols that are no list of tokens", "parley.v1", "parley.v1, a b", 400, contract.CodeBadFrame, ""},
		{"HTTP/1.0", "HTTP/1.1", "HTTP/1.0", 400, contract.CodeBadFrame, ""},
		{"a token in the URL", "/v1/ws", "/v1/ws?room=r&token=eyJhbGciOi", 400, contract.CodeBadFrame, ""},
		{"an access token in the URL", "/v1/ws", "/v1/ws?access_token=eyJhbGciOi", 400, contract.CodeBadFrame, ""},
		{"another page", "\r\n\r\n", "\r\nOrigin: https://evil.example\r\n\r\n", 403, contract.CodeForbidden, ""},
		{"an allowed page over http", "\r\n\r\n", "\r\nOrigin: http://app.example\r\n\r\n", 403, contract.CodeForbidden, ""},
		{"an allowed page on another port", "\r\n\r\n", "\r\nOrigin: https://app.example:8443\r\n\r\n", 403, contract.CodeForbidden, ""},
		{"a page below an allowed one", "\r\n\r\n", "\r\nOrigin: https://x.app.example\r\n\r\n", 403, contract.CodeForbidden, ""},
		{"a page that ends like an allowed one", "\r\n\r\n", "\r\nOrigin: https://evilapp.example\r\n\r\n", 403, contract.CodeForbidden, ""},
		{"its own page on another port", "\r\n\r\n", "\r\nOrigin: https://edge.example:8443\r\n\r\n", 403, contract.CodeForbidden, ""},
		{"a page without an origin", "\r\n\r\n", "\r\nOrigin: null\r\n\r\n", 403, contract.CodeForbidden, ""},
		{"an empty origin", "\r\n\r\n", "\r\nOrigin: \r\n\r\n", 403, contract.CodeForbidden, ""},
		{"an origin with a path", "\r\n\r\n", "\r\nOrigin: https://app.example/\r\n\r\n", 403, contract.CodeForbidden, ""},
		{"two origins", "\r\n\r\n", "\r\nOrigin: https://app.example\r\nOrigin: https://app.example\r\n\r\n", 403, contract.CodeForbidden, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp, _, _ := ask(t, serve(t, door()), strings.Replace(goodHandshake, test.from, test.to, 1))
			wantError(t, resp, test.status, test.code)
			if name, value, _ := strings.Cut(test.header, ": "); resp.header.Get(name) != value {
				t.Errorf("%s is %q, want %q", name, resp.header.Get(name), value)
			}
		})
	}
	t.Run("everyone while it drains", func(t *testing.T) {
		d := door()
		d.Closed = func() bool { return true }
		resp, _, _ := ask(t, serve(t, d), goodHandshake)
		e := wantError(t, resp, 503, contract.CodeUnavailable)
		if got, want := resp.header.Get("Retry-After"), "1"; got != want || e.RetryAfter != 1000 || !e.Retryable {
			t.Errorf("Retry-After %q and %+v, want %q and 1000 ms", got, e, want)
		}
	})
	t.Run("a response that can't be hijacked", func(t *testing.T) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(goodHandshake)))
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		nc, fault := door().Upgrade(w, r)
		if nc != nil || !errors.Is(fault, contract.CodeInternal) {
			t.Errorf("connection %v, error %v, want none and internal", nc, fault)
		}
		if got, want := w.Code, 500; got != want {
			t.Errorf("status %d, want %d", got, want)
		}
	})
}

// wantError reads an error frame from an HTTP answer.
func wantError(t *testing.T, resp answer, status int, code contract.Code) contract.ErrorFrame {
	t.Helper()
	var e contract.ErrorFrame
	if err := json.Unmarshal([]byte(resp.body), &e); err != nil {
		t.Fatalf("status %d with %q, want a JSON error", resp.status, resp.body)
	}
	if resp.status != status || e.Code != code || e.Type != contract.TypeError || e.Status != code.Status() || e.Message == "" {
		t.Errorf("status %d with %s, want %d with %s", resp.status, resp.body, status, code)
	}
	if got, want := resp.header.Get("Content-Type"), "application/json"; got != want {
		t.Errorf("Content-Type %q, want %q", got, want)
	}
	if strings.Contains(resp.body, "eyJhbGciOi") || strings.Contains(resp.body, "evil") {
		t.Errorf("the answer repeats the request: %s", resp.body)
	}
	return e
}

func TestDoor_CheckHandler(t *testing.T) {
	drains := false
	d := door()
	d.Closed = func() bool { return drains }
	addr := serve(t, d)
	get := func(headers string) answer {
		resp, _, _ := ask(t, addr, "GET /v1/check HTTP/1.1\r\nHost: edge.example\r\n"+headers+"\r\n")
		if got, want := resp.header.Get("Access-Control-Allow-Origin"), "*"; got != want {
			t.Errorf("Access-Control-Allow-Origin is %q, want %q", got, want)
		}
		if got := resp.header.Get("Access-Control-Allow-Credentials"); got != "" {
			t.Errorf("Access-Control-Allow-Credentials is %q, want none", got)
		}
		return resp
	}
	for name, headers := range map[string]string{
		"a program":         "",
		"an allowed page":   "Origin: https://app.example\r\n",
		"a whole handshake": strings.SplitAfterN(strings.TrimSuffix(goodHandshake, "\r\n"), "\r\n", 3)[2],
	} {
		resp := get(headers)
		if got, want := resp.body, `{"ok":true}`; resp.status != http.StatusOK || got != want {
			t.Errorf("%s: status %d with %s, want 200 with %s", name, resp.status, got, want)
		}
	}
	wantError(t, get("Origin: https://evil.example\r\n"), 403, contract.CodeForbidden)
	wantError(t, get("Upgrade: websocket\r\nConnection: Upgrade\r\n"), 426, contract.CodeBadFrame)
	drains = true
	wantError(t, get(""), 503, contract.CodeUnavailable)
}

func TestDoor_Check(t *testing.T) {
	for _, test := range []struct {
		origin string
		want   contract.Code
	}{{"https://app.example", ""}, {"https://evil.example", contract.CodeForbidden}} {
		r := httptest.NewRequest(http.MethodGet, "/v1/check", http.NoBody)
		r.Header.Set("Origin", test.origin)
		fault := door().Check(r)
		if got := fault == nil; got != (test.want == "") || fault != nil && fault.Code != test.want {
			t.Errorf("%s: %v, want %q", test.origin, fault, test.want)
		}
	}
}

func TestValidOrigin(t *testing.T) {
	for text, want := range map[string]bool{
		"*": true, "https://app.example": true, "http://localhost:3000": true, "https://[::1]:8443": true, "HTTPS://App.Example": true,
		"": false, "app.example": false, "https://app.example/": false, "https://app.example?x": false, "https://app.example#": false,
		"https://user@app.example": false, "ftp://app.example": false, "https://": false, "https://app.example:": false,
		"https://*.example.com\n": false, "null": false, "https:app.example": false, "https://app.example?": false,
	} {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			if err := ValidOrigin(text); (err == nil) != want {
				t.Errorf("error %v, want it allowed: %v", err, want)
			}
		})
	}
}
