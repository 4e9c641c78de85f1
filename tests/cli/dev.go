package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	// readyTimeout is how long `parley dev` may take to greet, stopTimeout how
	// long to end when it is asked to.
	readyTimeout = 30 * time.Second
	stopTimeout  = 5 * time.Second
)

// anyPorts lets `parley dev` listen wherever there is room.
var anyPorts = []string{"--edge.listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0", "--turn.listen", "127.0.0.1:0"}

// greeting is the line that `parley dev` prints off a terminal.
type greeting struct {
	URL       string   `json:"url"`
	Demo      string   `json:"demo"`
	WebSocket string   `json:"websocket"`
	Room      string   `json:"room"`
	Identity  string   `json:"identity"`
	Token     string   `json:"token"`
	Tokens    string   `json:"tokens"`
	DevToken  string   `json:"dev_token"`
	Rooms     string   `json:"rooms"`
	Admin     string   `json:"admin"`
	Edges     []string `json:"edges"`
	ICE       []string `json:"ice"`
	Bots      int      `json:"bots"`
	LAN       string   `json:"lan"`
	Policy    string   `json:"candidate_policy"`
	ReadyMS   int64    `json:"ready_ms"`
	Moved     []string `json:"moved"`
}

// adminAddress is host:port of the admin listener.
func (g greeting) adminAddress() string { return strings.TrimPrefix(g.Admin, "http://") }

// dev is a running `parley dev`.
type dev struct {
	greeting greeting
	line     string // as it was printed
	cmd      *exec.Cmd
	logs     bytes.Buffer
	rest     chan string // what it prints after the greeting; closed at its end
	ended    bool
}

// startDev runs `parley dev` in the place until the test ends, and waits until
// it greets.
func startDev(t testing.TB, p place, args ...string) *dev {
	t.Helper()
	d := &dev{rest: make(chan string, 1)}
	d.cmd = p.command(t, context.WithoutCancel(t.Context()), append([]string{"dev"}, args...)...)
	d.cmd.Stderr = &d.logs
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.stop(t, os.Interrupt) })
	lines := make(chan string, 1)
	go func() {
		defer close(d.rest)
		scanner := bufio.NewScanner(out)
		if scanner.Scan() {
			lines <- scanner.Text()
		}
		close(lines)
		var rest []string
		for scanner.Scan() {
			rest = append(rest, scanner.Text())
		}
		d.rest <- strings.Join(rest, "\n")
	}()
	select {
	case d.line = <-lines:
	case <-time.After(readyTimeout):
		t.Fatal("parley dev does not greet")
	}
	if err := json.Unmarshal([]byte(d.line), &d.greeting); err != nil {
		t.Fatalf("parley dev printed %q: %v", d.line, err)
	}
	return d
}

// stop asks it to end, which must take a moment only and give exit code 0, and
// returns what it printed after its greeting. Once it has ended, stop does
// nothing.
func (d *dev) stop(t testing.TB, signal os.Signal) (rest string) {
	t.Helper()
	if d.ended {
		return ""
	}
	d.ended = true
	began := time.Now()
	late := time.AfterFunc(stopTimeout, func() { _ = d.cmd.Process.Signal(syscall.SIGQUIT) }) // with its goroutines on stderr
	if err := d.cmd.Process.Signal(signal); err != nil {
		t.Errorf("stop parley dev: %v", err)
	}
	rest = <-d.rest // before Wait, which closes the pipe
	err := d.cmd.Wait()
	if !late.Stop() {
		t.Errorf("parley dev did not end within %v", stopTimeout)
	}
	if err != nil {
		t.Errorf("parley dev ended after %v with %v; its log: %s", time.Since(began), err, d.logs.String())
	}
	return rest
}
