package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// dial connects without joining, with tokens that anybody gets.
func dial(t *testing.T, d *dev, url, identity string) *client.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), joinTimeout)
	defer cancel()
	c, err := client.Dial(ctx, url, client.WithToken(func(_ context.Context, room string, _ client.TokenReason) (string, error) {
		status, body := post(t, d.greeting.DevToken, `{"room":`+quoted(room)+`,"identity":`+quoted(identity)+`}`)
		if status != http.StatusCreated {
			t.Errorf("a token: got %d %s", status, body)
		}
		var reply contract.TokenReply
		err := json.Unmarshal([]byte(body), &reply)
		return reply.Token, err
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // it never fails
	return c
}

func quoted(text string) string {
	var b bytes.Buffer
	_ = json.NewEncoder(&b).Encode(text) // text always encodes
	return strings.TrimSpace(b.String())
}

// post sends JSON, with more headers as name and value.
func post(t *testing.T, url, body string, header ...string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for ; len(header) > 1; header = header[2:] {
		if header[0] == "Host" {
			req.Host = header[1]
		}
		req.Header.Set(header[0], header[1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestDev_hasOneAddress(t *testing.T) {
	p := newPlace(t)
	d := startDev(t, p, anyPorts...)
	g := d.greeting
	t.Run("that the greeting and dev.json tell", func(t *testing.T) {
		for _, address := range []string{g.Demo, g.Tokens, g.DevToken, g.Rooms} {
			if !strings.HasPrefix(address, g.URL+"/") {
				t.Errorf("%s isn't at %s", address, g.URL)
			}
		}
		if len(g.Edges) != 2 || !strings.HasPrefix(g.Edges[0], "edge-1-") || !strings.HasPrefix(g.Edges[1], "edge-2-") || len(g.ICE) != 3 || g.LAN != "" || g.Bots != 0 {
			t.Errorf("got %s", d.line)
		}
		path := filepath.Join(p.dir, ".parley", "dev.json")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			URL, WebSocket, Admin string
			PID                   int
		}
		if err := json.Unmarshal(text, &got); err != nil || got.URL != g.URL || got.WebSocket != g.WebSocket || got.Admin != g.Admin || got.PID != d.cmd.Process.Pid {
			t.Errorf("dev.json is %s (%v)", text, err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("dev.json has the mode %v (%v), want 0600", info.Mode(), err)
		}
	})
	t.Run("that shows the demo", func(t *testing.T) {
		resp, err := http.Get(g.Demo)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte("<html")) {
			t.Errorf("got %d %.100s (%v)", resp.StatusCode, body, err)
		}
	})
	t.Run("where each connection comes to the next edge", func(t *testing.T) {
		first := slices.Index(g.Edges, dial(t, d, g.WebSocket, "someone").Edge())
		if first < 0 {
			t.Fatal("the first one is on no edge that was told")
		}
		for i := range 3 {
			if got, want := dial(t, d, g.URL, "someone").Edge(), g.Edges[(first+1+i)%2]; got != want {
				t.Errorf("connection %d is on %s, want %s", i+2, got, want)
			}
		}
	})
	t.Run("or to the one that it asks for", func(t *testing.T) {
		for range 3 {
			if got, want := dial(t, d, g.WebSocket+"?edge="+g.Edges[1], "someone").Edge(), g.Edges[1]; got != want {
				t.Errorf("it is on %s, want %s", got, want)
			}
		}
	})
	t.Run("and where people on different edges meet", func(t *testing.T) {
		var rooms [2]*client.Room
		for i, identity := range []string{"ada", "bob"} {
			var err error
			if rooms[i], err = dial(t, d, g.WebSocket+"?edge="+g.Edges[i], identity).Join(t.Context(), "a/b ü"); err != nil {
				t.Fatal(err)
			}
		}
		if err := rooms[1].Send(t.Context(), rooms[0].Self().Peer, "hello"); err != nil {
			t.Fatal(err)
		}
		if got := message(t, rooms[0]); got != "hello" {
			t.Errorf("got %q", got)
		}
	})
	d.stop(t, os.Interrupt)
	if left, err := filepath.Glob(filepath.Join(p.dir, ".parley", "dev.json*")); err != nil || len(left) != 0 {
		t.Errorf("it leaves %q (%v)", left, err)
	}
}

func TestDev_devToken(t *testing.T) {
	d := startDev(t, newPlace(t), anyPorts...)
	const ask = `{"room":"r","identity":"i","grants":["kick","lock","close"]}`
	t.Run("opens the room", func(t *testing.T) {
		status, body := post(t, d.greeting.DevToken, ask, "Origin", "http://localhost:5173")
		var reply contract.TokenReply
		if err := json.Unmarshal([]byte(body), &reply); err != nil || status != http.StatusCreated || reply.Expires == 0 {
			t.Fatalf("got %d %s (%v)", status, body, err)
		}
		room := join(t, d.greeting.WebSocket, "r", reply.Token)
		if err := room.Moderate(t.Context(), contract.ActionLock, contract.Token{}); err != nil {
			t.Errorf("with all grants: %v", err)
		}
	})
	for name, one := range map[string]struct {
		body   string
		header []string
		status int
		code   contract.Code
	}{
		"another Content-Type":      {ask, []string{"Content-Type", "text/plain"}, http.StatusUnsupportedMediaType, contract.CodeBadFrame},
		"a name that points here":   {ask, []string{"Host", "evil.example"}, http.StatusForbidden, contract.CodeForbidden},
		"a page of the web":         {ask, []string{"Origin", "https://evil.example"}, http.StatusForbidden, contract.CodeForbidden},
		"a page without an origin":  {ask, []string{"Origin", "null"}, http.StatusForbidden, contract.CodeForbidden},
		"no room":                   {`{"identity":"i"}`, nil, http.StatusBadRequest, contract.CodeBadFrame},
		"a grant that there isn't":  {`{"room":"r","identity":"i","grants":["fly"]}`, nil, http.StatusBadRequest, contract.CodeBadFrame},
		"what isn't JSON":           {`{`, nil, http.StatusBadRequest, contract.CodeBadJSON},
		"a body without end or sum": {strings.Repeat("x", 1<<20), nil, http.StatusRequestEntityTooLarge, contract.CodeTooLarge},
	} {
		t.Run("refuses "+name, func(t *testing.T) {
			status, body := post(t, d.greeting.DevToken, one.body, one.header...)
			var got struct {
				Code    contract.Code
				Status  int
				Message string
			}
			if err := json.Unmarshal([]byte(body), &got); err != nil || status != one.status || got.Status != status || got.Code != one.code || got.Message == "" {
				t.Errorf("got %d %s (%v), want %d %s", status, body, err, one.status, one.code)
			}
		})
	}
}

func TestDev_readyTime(t *testing.T) {
	p := newPlace(t)
	got := p.run(t, append([]string{"dev", "--ready-time"}, anyPorts...)...)
	if got.code != 0 {
		t.Fatalf("exit code %d, it says %s", got.code, got.err)
	}
	var times struct {
		Ready  float64 `json:"ready_ms"`
		Joined float64 `json:"joined_ms"`
	}
	if err := json.Unmarshal([]byte(got.out), &times); err != nil || strings.Count(got.out, "\n") != 1 || times.Ready <= 0 || times.Joined <= times.Ready {
		t.Errorf("got %q (%v), want one line with two times", got.out, err)
	}
}

func TestDev_ownFlags(t *testing.T) {
	p := newPlace(t)
	for _, one := range []struct {
		args []string
		text string
	}{
		{[]string{"--edges", "0"}, "standalone.edges is 0"},
		{[]string{"--edges=9"}, "1 to 8"},
		{[]string{"--edges", "many"}, "standalone.edges"},
		{[]string{"--edges"}, "--edges needs a value"},
		{[]string{"--bots", "21"}, "--bots: \"21\" is no number from 0 to 20"},
		{[]string{"--bots=-1"}, "--bots"},
		{[]string{"--bots-room", ""}, "--bots-room"},
		{[]string{"--lan=yes"}, "--lan takes no value"},
		{[]string{"--botz", "1"}, "--botz"},
	} {
		t.Run(strings.Join(one.args, " "), func(t *testing.T) {
			p.run(t, append([]string{"dev"}, one.args...)...).check(t, 2, one.text)
		})
	}
	t.Run("--edges 1", func(t *testing.T) {
		d := startDev(t, newPlace(t), append([]string{"--edges", "1"}, anyPorts...)...)
		if len(d.greeting.Edges) != 1 || !strings.HasPrefix(d.greeting.Edges[0], "edge-") {
			t.Errorf("the edges are %q, want one", d.greeting.Edges)
		}
	})
}

func TestDev_warnsWhenOthersCanReachIt(t *testing.T) {
	d := startDev(t, newPlace(t), append(slices.Clone(anyPorts), "--edge.listen", "0.0.0.0:0")...)
	if !strings.HasPrefix(d.greeting.URL, "http://127.0.0.1:") {
		t.Errorf("got %s, want an address of this machine", d.line)
	}
	join(t, d.greeting.WebSocket, d.greeting.Room, d.greeting.Token)
	d.stop(t, os.Interrupt)
	if logs := d.logs.String(); !strings.Contains(logs, "others can reach it") || !strings.Contains(logs, "edge.listen") {
		t.Errorf("its log says %q, want a warning", logs)
	}
}
