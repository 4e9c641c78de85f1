package roomsvc

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
)

const (
	hallKey  = "the-key-of-the-app-app"
	otherKey = "the-key-of-another-app"
)

// apiConfig has a listener of its own; its address comes back.
func apiConfig(t testing.TB) (Config, string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := testConfig()
	cfg.Listener, cfg.Rate, cfg.Burst = l, 10_000, 10_000
	return cfg, "http://" + l.Addr().String()
}

// api is a backend with a key.
type api struct {
	t        testing.TB
	url, key string
}

// runAPI starts a roomsvc with two apps and returns the API of the first.
func (s *stand) runAPI(change func(*Config)) api {
	s.t.Helper()
	cfg, url := apiConfig(s.t)
	if change != nil {
		change(&cfg)
	}
	s.run(cfg)
	s.putApp("app", hallKey)
	s.putApp("other", otherKey)
	for _, key := range []string{hallKey, otherKey} {
		eventually(s.t, "the key is known", func() (bool, any) {
			status, _ := api{s.t, url, key}.call(http.MethodGet, RoomsPath, nil)
			return status == http.StatusOK, status
		})
	}
	return api{s.t, url, hallKey}
}

func (s *stand) putApp(app string, keys ...string) {
	s.t.Helper()
	kv, err := s.js.KeyValue(s.t.Context(), contract.BucketApps)
	if err != nil {
		s.t.Fatal(err)
	}
	record := contract.AppRecord{App: token(app)}
	for _, key := range keys {
		hash := sha256.Sum256([]byte(key))
		record.APIKeys = append(record.APIKeys, hash[:])
	}
	value, err := json.Marshal(record)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := kv.Put(s.t.Context(), app, value); err != nil {
		s.t.Fatal(err)
	}
}

// request makes a request; path is sent as it stands.
func (a api) request(method, path string, body []byte) *http.Request {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	if a.key != "" {
		req.Header.Set("Authorization", "Bearer "+a.key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req
}

func (a api) send(req *http.Request) (status int, answer map[string]any) {
	a.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil {
		a.t.Fatalf("%s %s: %s: %q: %v", req.Method, req.URL.Path, resp.Status, text, err)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/json" {
		a.t.Errorf("Content-Type %q", got)
	}
	return resp.StatusCode, answer
}

func (a api) call(method, path string, body []byte) (status int, answer map[string]any) {
	a.t.Helper()
	return a.send(a.request(method, path, body))
}

// post calls a verb of the hall and wants an answer.
func (a api) post(verb, body string) map[string]any {
	a.t.Helper()
	var text []byte
	if body != "" {
		text = []byte(body)
	}
	status, answer := a.call(http.MethodPost, RoomsPath+"/hall/"+verb, text)
	if status != http.StatusOK {
		a.t.Errorf("%s: %d %v", verb, status, answer)
	}
	return answer
}

// refuses wants a code, with the status that it has.
func (a api) refuses(code contract.Code, method, path, body string) {
	a.t.Helper()
	var text []byte
	if body != "" {
		text = []byte(body)
	}
	status, answer := a.call(method, path, text)
	if status != code.Status() || answer["code"] != string(code) || answer["message"] == "" || answer["status"] != float64(status) {
		a.t.Errorf("%s %.60s %.60s: got %d %v, want %s", method, path, body, status, answer, code)
	}
}

func show(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func TestAPI_list(t *testing.T) {
	s := newStand(t)
	a := s.runAPI(nil)
	door := s.door("edge-1")
	for peer, name := range map[string]string{"p1": "b", "p2": "a/ä?", "p3": "c"} {
		door.change(room.Ref{App: app, Room: contract.ID(name).Token()}, join(peer, "Ada"))
	}
	door.change(room.Ref{App: token("other"), Room: token("theirs")}, join("pt", "Ted"))
	door.change(room.Ref{App: app, Room: token("c")}, contract.RoomOp{Kind: contract.OpLock})
	door.change(hall, join("ada", "Ada"))
	door.change(hall, leave("ada"))
	get := func(query string) string {
		t.Helper()
		_, answer := a.call(http.MethodGet, RoomsPath+query, nil)
		return show(answer)
	}
	all := `{"locked":false,"members":1,"revision":1,"room":"a/ä?"},{"locked":false,"members":1,"revision":1,"room":"b"}`
	last := `{"locked":true,"members":1,"revision":2,"room":"c"}`
	want(t, "all", get(""), `{"rooms":[`+all+`,`+last+`]}`)
	want(t, "the first two", get("?limit=2"), `{"next":"b","rooms":[`+all+`]}`)
	want(t, "the rest", get("?limit=2&after=b"), `{"rooms":[`+last+`]}`)
	want(t, "none", get("?after=c"), `{"rooms":[]}`)
	want(t, "another app's", func() string { _, x := api{t, a.url, otherKey}.call(http.MethodGet, RoomsPath, nil); return show(x) }(),
		`{"rooms":[{"locked":false,"members":1,"revision":1,"room":"theirs"}]}`)
	for _, limit := range []string{"0", "1001", "x", "-1"} {
		a.refuses(contract.CodeBadFrame, http.MethodGet, RoomsPath+"?limit="+limit, "")
	}
	a.refuses(contract.CodeBadID, http.MethodGet, RoomsPath+"?after="+strings.Repeat("x", 129), "")
}

func TestAPI_show(t *testing.T) {
	s := newStand(t)
	a := s.runAPI(nil)
	ref := room.Ref{App: app, Room: contract.ID("a/b c").Token()}
	door := s.door("edge-1")
	door.change(ref, join("ada", "Ada"), join("bob", "Bob"))
	kv, err := s.js.KeyValue(t.Context(), contract.BucketMembers)
	if err != nil {
		t.Fatal(err)
	}
	record := contract.MemberRecord{
		Peer: token("bob"), Epoch: 2, Edge: token("edge-2"), State: contract.StateAway, Presence: json.RawMessage(`{"x":1}`),
	}
	if _, err := bus.Update(t.Context(), kv, contract.MemberKey(ref.App, ref.Room, token("bob")), func([]byte, uint64) ([]byte, error) {
		return json.Marshal(record)
	}); err != nil {
		t.Fatal(err)
	}
	_, answer := a.call(http.MethodGet, RoomsPath+"/a%2Fb%20c", nil)
	want(t, "room", show(answer), `{"locked":false,"members":[`+
		`{"edge":"edge-1","epoch":1,"identity":"Ada","peer":"ada","state":"here"},`+
		`{"edge":"edge-2","epoch":2,"identity":"Bob","peer":"bob","presence":{"x":1},"state":"away"}],"revision":2,"room":"a/b c"}`)
	door.change(ref, contract.RoomOp{Kind: contract.OpClose})
	status, answer := a.call(http.MethodGet, RoomsPath+"/a%2Fb%20c", nil)
	want(t, "an empty room that is remembered", fmt.Sprint(status, show(answer)), `200{"locked":false,"members":[],"revision":4,"room":"a/b c"}`)
	a.refuses(contract.CodeRoomNotFound, http.MethodGet, RoomsPath+"/a", "")
	api{t, a.url, otherKey}.refuses(contract.CodeRoomNotFound, http.MethodGet, RoomsPath+"/a%2Fb%20c", "")
	for _, path := range []string{"/", "/%ff", "/" + strings.Repeat("x", 129), "/a%00b", "/a%E2%80%A8"} {
		a.refuses(contract.CodeBadID, http.MethodGet, RoomsPath+path, "")
	}
}

func TestAPI_moderate(t *testing.T) {
	s := newStand(t)
	a := s.runAPI(nil)
	s.putApp("app", hallKey)
	door := s.door("edge-1")
	door.change(hall, join("ada", "Ada"), join("bob", "Bob"), join("cy", "Cy"), join("dan", "Dan"))
	at := func(what string, got map[string]any, expect string) {
		t.Helper()
		want(t, what, show(got), expect)
	}
	at("lock", a.post("lock", ""), `{"revision":5}`)
	at("lock again", a.post("lock", ""), `{"revision":5}`)
	want(t, "join", door.ask(door.next(hall, join("eve", "Eve"))).Results[0].Code, contract.CodeRoomLocked)
	at("unlock", a.post("unlock", ""), `{"revision":6}`)
	at("kick a peer", a.post("kick", `{"peer":"bob"}`), `{"kicked":1,"revision":7}`)
	at("kick it again", a.post("kick", `{"peer":"bob"}`), `{"kicked":0,"revision":7}`)
	at("kick an identity", a.post("kick", `{"identity":"Cy"}`), `{"kicked":1,"revision":8}`)
	at("kick nobody", a.post("kick", `{"identity":"Cy"}`), `{"kicked":0,"revision":8}`)
	at("close", a.post("close", ""), `{"kicked":2,"revision":10}`)
	at("close again", a.post("close", ""), `{"kicked":0,"revision":10}`)
	at("unlock an empty room", a.post("unlock", ""), `{"revision":10}`)
	_, seen := follow(t, door.heard(hall), 0)
	var story []string
	for _, e := range seen {
		story = append(story, fmt.Sprint(e.Kind, e.Peer, e.Reason))
	}
	want(t, "the edge heard", story, []string{
		"joined", "joined", "joined", "joined", "locked", "unlocked", "leftbobkicked", "leftcykicked", "leftadaclosed", "leftdanclosed",
	})
	want(t, "writers", len(s.document(hall).Writers), 1)
	base := RoomsPath + "/hall"
	a.refuses(contract.CodeRoomNotFound, http.MethodPost, base+"/lock", "")
	for _, verb := range []string{"lock", "unlock", "close"} {
		a.refuses(contract.CodeRoomNotFound, http.MethodPost, RoomsPath+"/nowhere/"+verb, "")
	}
	a.refuses(contract.CodeRoomNotFound, http.MethodPost, RoomsPath+"/nowhere/kick", `{"identity":"Ada"}`)
	for _, body := range []string{`{}`, `{"peer":"a","identity":"b"}`, `{"peer":1}`, `{"peer":null}`, `{"identity":["a"]}`} {
		a.refuses(contract.CodeBadFrame, http.MethodPost, base+"/kick", body)
	}
	for _, body := range []string{`{"peer":""}`, `{"peer":"*"}`, `{"peer":"a.b"}`, `{"identity":""}`, `{"identity":"a\nb"}`} {
		a.refuses(contract.CodeBadID, http.MethodPost, base+"/kick", body)
	}
	for _, body := range []string{`{`, `[]`, `{"peer":"a","peer":"b"}`, "{\"peer\":\"\xff\"}"} {
		a.refuses(contract.CodeBadJSON, http.MethodPost, base+"/kick", body)
	}
	a.refuses(contract.CodeTooLarge, http.MethodPost, base+"/kick", `{"peer":"`+strings.Repeat("a", maxKickBytes)+`"}`)
}

func TestAPI_refusals(t *testing.T) {
	s := newStand(t)
	a := s.runAPI(func(c *Config) { c.Rate, c.Burst = 0.001, 3 })
	for name, key := range map[string]string{"no key": "", "an unknown key": "nobody's"} {
		t.Run(name, func(t *testing.T) {
			api{t, a.url, key}.refuses(contract.CodeBadAPIKey, http.MethodGet, RoomsPath, "")
		})
	}
	t.Run("a wrong method", func(t *testing.T) {
		for path, method := range map[string]string{"": "POST", "/hall": "DELETE", "/hall/kick": "GET", "/hall/events": "POST"} {
			if status, answer := a.call(method, RoomsPath+path, nil); status != http.StatusMethodNotAllowed || answer["code"] != "bad_frame" {
				t.Errorf("%s %s: got %d %v", method, path, status, answer)
			}
		}
	})
	t.Run("a wrong path", func(t *testing.T) {
		for _, path := range []string{"/", "/v1", "/v1/room", "/v1/roomsx", RoomsPath + "/hall/", RoomsPath + "/hall/fly", RoomsPath + "/hall/kick/now"} {
			if status, answer := a.call(http.MethodGet, path, nil); status != http.StatusNotFound || answer["code"] != "bad_frame" {
				t.Errorf("%s: got %d %v", path, status, answer)
			}
		}
	})
	t.Run("another content type", func(t *testing.T) {
		req := a.request(http.MethodPost, RoomsPath+"/hall/kick", []byte(`{"peer":"a"}`))
		req.Header.Set("Content-Type", "text/plain")
		if status, answer := a.send(req); status != http.StatusBadRequest || answer["code"] != "bad_frame" {
			t.Errorf("got %d %v", status, answer)
		}
	})
	t.Run("too often", func(t *testing.T) {
		// The calls before took some, and one more may have been earned.
		var last map[string]any
		status := 0
		for range 5 {
			status, last = a.call(http.MethodGet, RoomsPath, nil)
		}
		if status != http.StatusTooManyRequests || last["code"] != "rate_limited" || last["retryAfter"].(float64) < 1 {
			t.Errorf("got %d %v", status, last)
		}
	})
	t.Run("a key that is taken away", func(t *testing.T) {
		s.putApp("app")
		eventually(t, "the key counts no more", func() (bool, any) {
			status, answer := a.call(http.MethodGet, RoomsPath, nil)
			return answer["code"] == string(contract.CodeBadAPIKey), status
		})
	})
}

func TestRun_servesByTheHook(t *testing.T) {
	s := newStand(t)
	cfg := testConfig()
	handler := make(chan http.Handler, 1)
	ended := make(chan struct{})
	cfg.Serve = func(ctx context.Context, h http.Handler) error {
		handler <- h
		<-ctx.Done()
		close(ended)
		return nil
	}
	r := s.run(cfg)
	_, checks := r.health.Ready()
	if _, there := checks[checkAPI]; !there {
		t.Errorf("checks %v, want %s among them", checks, checkAPI)
	}
	if h := <-handler; h == nil {
		t.Error("there is no handler")
	}
	r.stop()
	<-ended
}

func TestRun_aTakenPort(t *testing.T) {
	s := newStand(t)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	cfg := testConfig()
	cfg.Listen = l.Addr().String()
	ctx, cancel := context.WithTimeout(lifecycle.WithHealth(t.Context(), lifecycle.NewHealth()), 10*time.Second)
	defer cancel()
	if err := Run(ctx, cfg, s.nc); err == nil || !strings.Contains(err.Error(), "roomsvc.listen") {
		t.Errorf("got %v, want the key of the address", err)
	}
}
