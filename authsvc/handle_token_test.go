package authsvc

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

// fault reads an HTTP answer that isn't a token.
func fault(t *testing.T, answer []byte) backend.Fault {
	t.Helper()
	var f backend.Fault
	if err := json.Unmarshal(answer, &f); err != nil {
		t.Fatalf("answer %q: %v", answer, err)
	}
	return f
}

func TestServeHTTP_faults(t *testing.T) {
	nc, _ := setup(t)
	svc := start(t, nc, testConfig())
	type header = map[string]string
	for _, test := range []struct {
		name, method, path, body string
		change                   header // "" takes one out
		status                   int
		code                     contract.Code
		says                     string
	}{
		{"another path", "POST", "/v1/token", hello, nil, 404, contract.CodeBadFrame, "/v1/tokens"},
		{"the root", "GET", "/", "", nil, 404, contract.CodeBadFrame, "/v1/tokens"},
		{"a path that could be cleaned", "POST", "//v1/tokens", hello, nil, 404, contract.CodeBadFrame, "/v1/tokens"},
		{"GET", "GET", "", "", nil, 405, contract.CodeBadFrame, "use POST"},
		{"PUT", "PUT", "", hello, nil, 405, contract.CodeBadFrame, "use POST"},
		{"a browser's preflight", "OPTIONS", "", "", header{"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}, 405, contract.CodeBadFrame, "use POST"},
		{"no API key", "POST", "", hello, header{"Authorization": ""}, 401, contract.CodeBadAPIKey, "an API key is needed"},
		{"an empty API key", "POST", "", hello, header{"Authorization": "Bearer "}, 401, contract.CodeBadAPIKey, "an API key is needed"},
		{"another scheme", "POST", "", hello, header{"Authorization": "Basic " + demoKey}, 401, contract.CodeBadAPIKey, "an API key is needed"},
		{"the API key in the body", "POST", "", `{"room":"r","identity":"i","apiKey":"` + demoKey + `"}`, header{"Authorization": ""}, 401, contract.CodeBadAPIKey, "Authorization: Bearer"},
		{"an unknown API key", "POST", "", hello, header{"Authorization": "Bearer " + demoKey + "x"}, 401, contract.CodeBadAPIKey, "unknown or was revoked"},
		{"the start of an API key", "POST", "", hello, header{"Authorization": "Bearer " + demoKey[:18]}, 401, contract.CodeBadAPIKey, "unknown or was revoked"},
		{"no content type", "POST", "", hello, header{"Content-Type": ""}, 415, contract.CodeBadFrame, "application/json"},
		{"a form", "POST", "", "room=hello", header{"Content-Type": "application/x-www-form-urlencoded"}, 415, contract.CodeBadFrame, "application/json"},
		{"another charset", "POST", "", hello, header{"Content-Type": "application/json; charset=latin1"}, 415, contract.CodeBadFrame, "application/json"},
		{"a compressed body", "POST", "", hello, header{"Content-Encoding": "gzip"}, 415, contract.CodeBadFrame, "Content-Encoding"},
		{"no body", "POST", "", "", nil, 400, contract.CodeBadJSON, "JSON object"},
		{"not JSON", "POST", "", "{", nil, 400, contract.CodeBadJSON, "JSON object"},
		{"a key twice", "POST", "", `{"room":"a","room":"b","identity":"i"}`, nil, 400, contract.CodeBadJSON, "twice"},
		{"a wrong type", "POST", "", `{"room":1,"identity":"i"}`, nil, 400, contract.CodeBadFrame, "room must be text"},
		{"no identity", "POST", "", `{"room":"r"}`, nil, 400, contract.CodeBadFrame, "identity is missing"},
		{"ttl over the limit", "POST", "", `{"room":"r","identity":"i","ttl":86401}`, nil, 400, contract.CodeBadFrame, "ttl must be 1 to 86400"},
		{"an unknown grant", "POST", "", `{"room":"r","identity":"i","grants":["all"]}`, nil, 400, contract.CodeBadFrame, "kick, lock, close"},
		{"another app", "POST", "", `{"room":"r","identity":"i","app":"other"}`, nil, 403, contract.CodeForbidden, "isn't that app's"},
		{"a body over the limit", "POST", "", `{"room":"r","identity":"i","x":"` + strings.Repeat("x", 8<<10) + `"}`, nil, 413, contract.CodeTooLarge, "8192 bytes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := http.Header{"Authorization": {"Bearer " + demoKey}, "Content-Type": {"application/json"}}
			for name, value := range test.change {
				if h.Set(name, value); value == "" {
					h.Del(name)
				}
			}
			path := test.path
			if path == "" {
				path = TokensPath
			}
			status, got, answer := svc.do(test.method, path, strings.NewReader(test.body), h)
			f := fault(t, answer)
			if status != test.status || f.Status != test.status || f.Code != test.code || f.Retryable || !strings.Contains(f.Message, test.says) {
				t.Errorf("%d %s, want %d %s saying %q", status, answer, test.status, test.code, test.says)
			}
			if strings.Contains(string(answer), demoKey) {
				t.Errorf("the answer repeats the API key: %s", answer)
			}
			for name, want := range map[string]string{
				"Content-Type": "application/json", "Cache-Control": "no-store", "Access-Control-Allow-Origin": "",
				"WWW-Authenticate": map[int]string{401: `Bearer realm="parley"`}[status],
				"Allow":            map[int]string{405: "POST"}[status],
			} {
				if got.Get(name) != want {
					t.Errorf("%s: %q, want %q", name, got.Get(name), want)
				}
			}
		})
	}
	t.Run("two API keys", func(t *testing.T) {
		status, _, answer := svc.do("POST", TokensPath, strings.NewReader(hello), http.Header{
			"Authorization": {"Bearer " + demoKey, "Bearer " + demoKey}, "Content-Type": {"application/json"},
		})
		if status != 401 {
			t.Errorf("%d %s, want 401", status, answer)
		}
	})
	t.Run("headers over the limit", func(t *testing.T) {
		status, _, _ := svc.do("POST", TokensPath, strings.NewReader(hello), http.Header{"X-Long": {strings.Repeat("x", 2*backend.MaxHeaderBytes)}})
		if status != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("%d, want 431", status)
		}
	})
}

func TestServeHTTP_accepts(t *testing.T) {
	nc, _ := setup(t)
	svc := start(t, nc, testConfig())
	space := strings.Repeat(" ", 8<<10-len(hello))
	for _, test := range []struct{ name, auth, contentType, body string }{
		{"a charset", "Bearer " + demoKey, "application/json; charset=UTF-8", hello},
		{"the scheme by another case", "bearer " + demoKey, "application/json", hello},
		{"fields that it doesn't know", "Bearer " + demoKey, "application/json", `{"room":"r","identity":"i","new":{"x":1}}`},
		{"its own app", "Bearer " + demoKey, "application/json", `{"room":"r","identity":"i","app":"demo"}`},
		{"a body at the limit", "Bearer " + demoKey, "application/json", hello + space},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, header, answer := svc.do("POST", TokensPath, strings.NewReader(test.body), http.Header{
				"Authorization": {test.auth}, "Content-Type": {test.contentType},
			})
			if status != http.StatusCreated || header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s, want 201", status, answer)
			}
		})
	}
}

// TestIDs tries ids that are trouble elsewhere at both entrances.
func TestIDs(t *testing.T) {
	nc, b := setup(t)
	svc := start(t, nc, testConfig())
	verifier := edge(t, b.keys)
	for _, test := range []struct {
		id   string
		want contract.Code
	}{
		{"*", ""}, {">", ""}, {"a.b", ""}, {"🦊", ""}, {"$KV.rooms.x", ""}, {`"<\`, ""},
		{strings.Repeat("a", contract.MaxIDBytes), ""},
		{"", contract.CodeBadID},
		{strings.Repeat("a", contract.MaxIDBytes+1), contract.CodeBadID},
		{strings.Repeat("a", 4096), contract.CodeBadID},
		{"a\r\nb", contract.CodeBadID},
		{"a\x00b", contract.CodeBadID},
	} {
		for _, ask := range []contract.TokenRequest{{Room: test.id, Identity: "ada"}, {Room: "hello", Identity: test.id}} {
			body, err := json.Marshal(ask)
			if err != nil {
				t.Fatal(err)
			}
			status, _, answer := svc.post(demoKey, string(body))
			ask.APIKey = demoKey
			reply := overNATS(t, nc, ask, nil)
			if test.want != "" {
				if f := fault(t, answer); status != 400 || f.Code != test.want {
					t.Errorf("%.20q over HTTP: %d %s, want 400 %s", test.id, status, answer, test.want)
				}
				if reply.Token != "" || reply.Error == nil || reply.Error.Code != test.want {
					t.Errorf("%.20q over NATS: %+v, want %s", test.id, reply.Error, test.want)
				}
				continue
			}
			var overHTTP contract.TokenReply
			if err := json.Unmarshal(answer, &overHTTP); err != nil || status != 201 {
				t.Errorf("%.20q over HTTP: %d %s, want a token", test.id, status, answer)
			}
			for _, raw := range []string{overHTTP.Token, reply.Token} {
				claims, err := verifier.Verify(raw, time.Now())
				if err != nil || claims.Room != ask.Room || claims.Subject != ask.Identity {
					t.Errorf("%.20q: %q in %q, %v, want it as it was", test.id, claims.Subject, claims.Room, err)
				}
			}
		}
	}
}

func TestHandleNATS_faults(t *testing.T) {
	nc, _ := setup(t)
	start(t, nc, testConfig())
	ask := func(change func(*contract.TokenRequest)) contract.TokenRequest {
		req := contract.TokenRequest{APIKey: demoKey, Room: "hello", Identity: "ada"}
		change(&req)
		return req
	}
	for _, test := range []struct {
		name string
		body any
		want contract.Code
	}{
		{"nothing", []byte{}, contract.CodeBadJSON},
		{"not JSON", []byte("{"), contract.CodeBadJSON},
		{"a key twice", []byte(`{"room":"a","room":"b"}`), contract.CodeBadJSON},
		{"a wrong type", []byte(`{"room":"a","identity":{}}`), contract.CodeBadFrame},
		{"over the limit", []byte(hello + strings.Repeat(" ", 8<<10)), contract.CodeTooLarge},
		{"no API key", ask(func(r *contract.TokenRequest) { r.APIKey = "" }), contract.CodeBadAPIKey},
		{"an unknown API key", ask(func(r *contract.TokenRequest) { r.APIKey += "x" }), contract.CodeBadAPIKey},
		{"another app", ask(func(r *contract.TokenRequest) { r.App = "other" }), contract.CodeForbidden},
		{"a negative ttl", ask(func(r *contract.TokenRequest) { r.TTL = -1 }), contract.CodeBadFrame},
	} {
		t.Run(test.name, func(t *testing.T) {
			reply := overNATS(t, nc, test.body, nil)
			if reply.Token != "" || reply.Error == nil || reply.Error.Code != test.want || reply.Error.Message == "" {
				t.Errorf("%+v, want %s", reply.Error, test.want)
			}
		})
	}
}

func TestRateLimit(t *testing.T) {
	nc, _ := setup(t)
	cfg := testConfig()
	cfg.Rate, cfg.Burst = .001, 3
	cfg.Apps[0].APIKeys["batch"] = config.Secret("batch-key-0123456789")
	svc := start(t, nc, cfg)
	for range 2 {
		svc.token(demoKey, hello)
	}
	if reply := overNATS(t, nc, contract.TokenRequest{APIKey: demoKey, Room: "r", Identity: "i"}, nil); reply.Error != nil {
		t.Errorf("the third of three: %v", reply.Error.Err())
	}
	status, header, answer := svc.post(demoKey, hello)
	f := fault(t, answer)
	if status != 429 || f.Code != contract.CodeRateLimited || !f.Retryable || f.RetryAfter < 900_000 || f.RetryAfter > 1_000_000 {
		t.Errorf("the fourth: %d %s, want 429, to come back in at most 1000 s", status, answer)
	}
	if got := header.Get("Retry-After"); len(got) < 3 {
		t.Errorf("Retry-After: %q, want the seconds", got)
	}
	reply := overNATS(t, nc, contract.TokenRequest{APIKey: demoKey, Room: "r", Identity: "i"}, nil)
	if reply.Error == nil || reply.Error.Code != contract.CodeRateLimited || reply.Error.RetryAfter < 900_000 {
		t.Errorf("over NATS: %+v, want the same limit", reply.Error)
	}
	svc.token("batch-key-0123456789", hello)
}
