package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// read is a file of the place.
func read(t testing.TB, p place, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tail is a running `parley tail`.
type tail struct {
	t     testing.TB
	cmd   *exec.Cmd
	lines chan string
	notes bytes.Buffer
}

func startTail(t testing.TB, p place, args ...string) *tail {
	t.Helper()
	x := &tail{t: t, lines: make(chan string, 1000)}
	x.cmd = p.command(t, context.WithoutCancel(t.Context()), append([]string{"tail"}, args...)...)
	x.cmd.Stderr = &x.notes
	out, err := x.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(x.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			x.lines <- lines.Text()
		}
	}()
	return x
}

// until waits for a line with a text, and returns all up to it.
func (x *tail) until(text string) []string {
	x.t.Helper()
	var all []string
	timeout := time.After(commandTimeout)
	for {
		select {
		case line, more := <-x.lines:
			if !more {
				x.t.Fatalf("tail ended before %q; it printed %q and %q", text, all, x.notes.String())
			}
			if all = append(all, line); strings.Contains(line, text) {
				return all
			}
		case <-timeout:
			x.t.Fatalf("no line with %q; it printed %q", text, all)
		}
	}
}

// stop interrupts it, which is how it ends well.
func (x *tail) stop() {
	x.t.Helper()
	if err := x.cmd.Process.Signal(os.Interrupt); err != nil {
		x.t.Error(err)
	}
	for range x.lines { // until its end
	}
	if err := x.cmd.Wait(); err != nil {
		x.t.Errorf("tail ended with %v: %s", err, x.notes.String())
	}
}

func TestTail(t *testing.T) {
	p := newPlace(t)
	d := startDev(t, p, anyPorts...)
	list, raw := startTail(t, p, "--room", "call"), startTail(t, p, "--room", "call", "--json")
	list.until("nobody was ever here")
	raw.until(`"kind":"snapshot"`)
	p.run(t, "call", "--bytes", "1000").check(t, 0)
	got := strings.Join(list.until("call-b left"), "\n")
	for _, text := range []string{"call-a joined", "-> call-b ", "offer", "answer", "candidate", "host/udp"} {
		if !strings.Contains(got, text) {
			t.Errorf("got %s, want %q in it", got, text)
		}
	}
	if strings.ContainsAny(got, "\x1b│") {
		t.Errorf("off a terminal it draws: %q", got)
	}
	for _, line := range raw.until(`"fromIdentity":"call-b","revision":`) {
		if !json.Valid([]byte(line)) {
			t.Errorf("%q is no JSON", line)
		}
		for _, secret := range []string{"v=0", "ufrag", "127.0.0.1", "a=candidate"} {
			if strings.Contains(line, secret) {
				t.Errorf("%q tells of a body", line)
			}
		}
	}
	raw.stop()
	t.Run("goes on when Parley comes back", func(t *testing.T) {
		address := strings.TrimPrefix(d.greeting.URL, "http://")
		d.stop(t, os.Interrupt)
		startDev(t, p, "--edge.listen", address, "--admin.listen", "127.0.0.1:0", "--turn.listen", "127.0.0.1:0")
		list.until("room call")
		list.stop()
		if !strings.Contains(list.notes.String(), "trying again") {
			t.Errorf("it doesn't say that it was away: %q", list.notes.String())
		}
	})
}

func TestTail_refusals(t *testing.T) {
	p := newPlace(t)
	d := startDev(t, p, anyPorts...)
	for _, one := range []struct {
		name  string
		place place
		args  []string
		code  int
		text  string
	}{
		{"no room", p, nil, 2, "--room"},
		{"an argument", p, []string{"--room", "r", "now"}, 2, `"now"`},
		{"a wrong API key", p.with("PARLEY_API_KEY=nobodys-key-0123456789"), []string{"--room", "r"}, 1, "bad_api_key"},
		{"nobody there", p, []string{"--room", "r", "--url", "http://127.0.0.1:1"}, 1, "is roomsvc, or parley dev, running?"},
		{"no API key", newPlace(t), []string{"--room", "r", "--url", d.greeting.URL}, 1, "api.key"},
	} {
		t.Run(one.name, func(t *testing.T) {
			one.place.run(t, append([]string{"tail"}, one.args...)...).check(t, one.code, one.text)
		})
	}
}
