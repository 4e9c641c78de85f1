package browser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// readyTimeout is how long `parley dev` may take to greet, stopTimeout how
	// long to end when it is asked to.
	readyTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

// anywhere lets `parley dev` listen wherever there is room.
var anywhere = []string{"--edge.listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0", "--log.level", "warn"}

// site is where a tab finds its page, and the page an edge and its tokens.
type site struct {
	WebSocket string `json:"websocket"`

	tokens standalone.Tokens
	page   string // its address
}

// token gets a room token, as an app's backend does.
func (s *site) token(ctx context.Context, r contract.TokenRequest) (string, error) {
	reply, err := s.tokens.Token(ctx, r)
	return reply.Token, err
}

// dev is a running `parley dev`.
type dev struct {
	site

	URL   string   `json:"url"`
	Edges []string `json:"edges"`

	cmd   *exec.Cmd
	logs  bytes.Buffer
	ended chan error
}

// startDev runs `parley dev` in a folder of its own until the test ends, and
// serves the page.
func startDev(t testing.TB, args ...string) *dev {
	t.Helper()
	dir := t.TempDir()
	d := &dev{ended: make(chan error, 1)}
	d.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), parley(t), append(append([]string{"dev"}, anywhere...), args...)...)
	d.cmd.Dir, d.cmd.Env, d.cmd.Stderr = dir, cleanEnviron(), &d.logs
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.stop(t) })
	greeting := make(chan []byte, 1)
	go func() {
		scanner := bufio.NewScanner(out)
		scanner.Scan() // nothing: it ended, and its log says why
		greeting <- bytes.Clone(scanner.Bytes())
		for scanner.Scan() {
			continue // it must never wait for a reader
		}
		d.ended <- d.cmd.Wait()
	}()
	select {
	case line := <-greeting:
		if err := json.Unmarshal(line, d); err != nil {
			t.Fatalf("parley dev printed %q: %v", line, err)
		}
	case <-time.After(readyTimeout):
		t.Fatal("parley dev does not greet")
	}
	key, err := os.ReadFile(filepath.Join(dir, ".parley", "api.key"))
	if err != nil {
		t.Fatal(err)
	}
	d.tokens = standalone.Tokens{URL: d.URL, APIKey: config.Secret(strings.TrimSpace(string(key)))}
	d.page = servePage(t, &d.site)
	return d
}

// stop asks it to end, and shows its log if the test failed.
func (d *dev) stop(t testing.TB) {
	late := time.AfterFunc(stopTimeout, func() { _ = d.cmd.Process.Signal(syscall.SIGQUIT) }) // with its goroutines on stderr
	_ = d.cmd.Process.Signal(os.Interrupt)                                                    // it may have ended already
	if err := <-d.ended; err != nil || !late.Stop() {
		t.Errorf("parley dev didn't end well: %v", err)
	}
	if t.Failed() {
		t.Logf("parley dev logged:\n%s", &d.logs)
	}
}

// parley is the path of the program: $PARLEY_BIN, or what `make build` made.
func parley(t testing.TB) string {
	t.Helper()
	path := os.Getenv("PARLEY_BIN")
	if path == "" {
		path = filepath.Join(repository, "bin", "parley")
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("parley isn't built: run make build (%v)", err)
	}
	return path
}

// cleanEnviron is this process's environment without what configures Parley or
// its tracing.
func cleanEnviron() []string {
	var environ []string
	for _, one := range os.Environ() {
		if !strings.HasPrefix(one, "PARLEY_") && !strings.HasPrefix(one, "OTEL_") {
			environ = append(environ, one)
		}
	}
	return environ
}
