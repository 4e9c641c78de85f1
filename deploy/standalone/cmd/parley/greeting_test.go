package main

import (
	"strings"
	"testing"
	"time"
)

func sample() greeting {
	return greeting{
		URL: "http://127.0.0.1:7420", Demo: "http://127.0.0.1:7420/?room=hello", WebSocket: "ws://127.0.0.1:7420/v1/ws",
		Room: "hello", Tokens: "http://127.0.0.1:7420/v1/tokens", DevToken: "http://127.0.0.1:7420/dev/token",
		Rooms: "http://127.0.0.1:7420/v1/rooms", Admin: "http://127.0.0.1:7421", Edges: []string{"edge-1-a", "edge-2-b"},
		ICE: []string{"stun:127.0.0.1:3478"}, Policy: "all", ReadyMS: 80,
	}
}

func TestGreeting(t *testing.T) {
	g := sample()
	got := g.text(".parley", paint{})
	for _, want := range []string{
		g.Demo, g.WebSocket, g.Tokens, g.DevToken, g.Rooms, g.Admin + "/metrics", g.Admin + "/readyz", "2 edges", g.ICE[0],
		"parley token --room hello", ".parley/api.key", `policy "all": on one machine only private addresses exist`, "ready in 80 ms", "Ctrl-C",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("it doesn't say %q: %s", want, got)
		}
	}
	if strings.ContainsAny(got, "\x1b") || strings.Contains(got, "Note") || strings.Contains(got, "Bots") {
		t.Errorf("it says too much: %q", got)
	}
	g.LAN, g.Bots, g.Moved = "https://192.168.1.5:7420", 3, []string{"edge.listen: 127.0.0.1:7420 is busy, 127.0.0.1:7422 is used"}
	got = g.text(".parley", paint{})
	for _, want := range []string{"self-signed", "can join any room", "3 are there", g.Moved[0], "in one network"} {
		if !strings.Contains(got, want) {
			t.Errorf("it doesn't say %q: %s", want, got)
		}
	}
}

func TestColours(t *testing.T) {
	for _, one := range []struct {
		noColour, term string
		want           bool
	}{{"", "xterm-256color", true}, {"1", "xterm-256color", false}, {"", "dumb", false}} {
		t.Setenv("NO_COLOR", one.noColour)
		t.Setenv("TERM", one.term)
		text := sample().text(".parley", colours())
		if got := strings.Contains(text, "\x1b["); got != one.want {
			t.Errorf("with NO_COLOR=%q and TERM=%q: colours %v, want %v", one.noColour, one.term, got, one.want)
		}
		// A link that runs into an escape sequence still ends where it should.
		if !strings.Contains(text, sample().Demo+colours().plain) {
			t.Errorf("the link to the demo doesn't stand alone: %q", text)
		}
	}
}

func TestPrintQR(t *testing.T) {
	var a, b strings.Builder
	printQR(&a, "https://192.168.1.5:7420/?room=hello")
	printQR(&b, "https://192.168.1.6:7420/?room=hello")
	lines := strings.Split(strings.TrimSpace(a.String()), "\n")
	if len(lines) < 15 || len(lines) > 24 || a.String() == b.String() {
		t.Errorf("got %d lines, want a code that fits a terminal and says the link", len(lines))
	}
	for _, line := range lines {
		if got, want := len([]rune(line)), len([]rune(lines[0])); got != want {
			t.Errorf("a line has %d characters, want %d", got, want)
		}
	}
}

func TestProcessStart(t *testing.T) {
	before := time.Now()
	start := processStart()
	if start.After(before.Add(time.Second)) || before.Sub(start) > 10*time.Minute {
		t.Errorf("the process began at %v, now it is %v", start, before)
	}
	if again := processStart(); again.Sub(start).Abs() > 50*time.Millisecond {
		t.Errorf("it began %v later the second time", again.Sub(start))
	}
}

func TestNearAddress(t *testing.T) {
	for listen, want := range map[string]string{
		"127.0.0.1:7420": "127.0.0.1:7420", "[::]:7420": "127.0.0.1:7420", "0.0.0.0:7420": "127.0.0.1:7420", "192.168.1.5:1": "192.168.1.5:1",
	} {
		if got := nearAddress(listen); got != want {
			t.Errorf("%s is reached at %s, want %s", listen, got, want)
		}
	}
	for listen, want := range map[string]bool{
		"127.0.0.1:1": true, "[::1]:1": true, "localhost:1": true, ":1": false, "0.0.0.0:1": false, "192.168.1.5:1": false, "example.com:1": false,
	} {
		if got := loopback(listen); got != want {
			t.Errorf("%s is for this machine alone: got %v, want %v", listen, got, want)
		}
	}
}
