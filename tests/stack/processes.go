package stack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stopTimeout is how long a program may take to stop after SIGTERM.
const stopTimeout = 20 * time.Second

// Processes starts the seven programs and waits until all are ready.
func Processes(t testing.TB, o Options) *Stack {
	t.Helper()
	o.fill()
	s := &Stack{}
	s.natsURL = s.startNATS(t, o)
	common := append([]string{"PARLEY_NATS__URL=" + s.natsURL}, o.Environ...)
	service := func(name, program string, environ ...string) {
		admin := o.admin(t, name)
		s.keep(name, admin, start(t, program, o.program(t, program), append(append(environ, "PARLEY_ADMIN__LISTEN="+admin), common...)))
		s.Admin = append(s.Admin, admin)
	}
	for i := range 2 {
		rooms := FreeAddress(t)
		s.RoomsURLs = append(s.RoomsURLs, "http://"+rooms)
		service(fmt.Sprintf("roomsvc-%d", i+1), "roomsvc", "PARLEY_ROOMSVC__SHARDS="+strconv.Itoa(o.Shards),
			"PARLEY_ROOMSVC__REPLICAS="+strconv.Itoa(o.Nodes),
			"PARLEY_ROOMSVC__LISTEN="+rooms, "PARLEY_ROOMSVC__RATE=10000", "PARLEY_ROOMSVC__BURST=10000")
	}
	key := s.newKey().Reveal()
	for i := range o.Doubles {
		auth := FreeAddress(t)
		s.AuthURLs = append(s.AuthURLs, "http://"+auth)
		service(numbered("authsvc", i), "authsvc",
			"PARLEY_AUTHSVC__LISTEN="+auth, "PARLEY_AUTHSVC__SIGNING_KEY="+key,
			"PARLEY_AUTHSVC__TURN__URLS="+strings.Join(o.TURN.URLs, ","), "PARLEY_AUTHSVC__TURN__SECRET="+o.TURN.Secret.Reveal(),
			"PARLEY_AUTHSVC__RATE=10000", "PARLEY_AUTHSVC__BURST=10000",
			"PARLEY_AUTHSVC__APPS="+mustJSON([]map[string]any{{"id": App, "api_keys": map[string]string{"test": APIKey.Reveal()}}}))
	}
	for i := range o.Doubles {
		service(numbered("candidatefilter", i), "candidatefilter", "PARLEY_CANDIDATEFILTER__POLICY="+string(o.Policy))
	}
	for i := range o.Edges {
		address := FreeAddress(t)
		s.Edges = append(s.Edges, "ws://"+address+"/v1/ws")
		name := fmt.Sprintf("edge-%d", i+1)
		service(name, "edge", append(limitsEnviron(o),
			"PARLEY_EDGE__NAME="+name, "PARLEY_EDGE__LISTEN="+address,
			"PARLEY_EDGE__ICE_POLICY="+string(o.Policy))...)
	}
	for _, admin := range s.Admin {
		waitHealthy(t, "http://"+admin+"/readyz")
	}
	return s
}

// numbered is the name of the i-th program of its kind; the first has none.
func numbered(name string, i int) string {
	if i == 0 {
		return name
	}
	return fmt.Sprintf("%s-%d", name, i+1)
}

// startNATS starts a server, or a cluster of several, and returns its addresses.
func (s *Stack) startNATS(t testing.TB, o Options) (urls string) {
	t.Helper()
	if o.StoreDir == "" {
		o.StoreDir = t.TempDir()
	}
	var clients, routes []string
	for range o.Nodes {
		clients, routes = append(clients, FreeAddress(t)), append(routes, "nats://"+FreeAddress(t))
	}
	for i, address := range clients {
		host, port, _ := strings.Cut(address, ":")
		monitor := FreeAddress(t)
		_, monitorPort, _ := strings.Cut(monitor, ":")
		name := numbered(NATS, i)
		args := []string{"-n", name, "-js", "-sd", filepath.Join(o.StoreDir, name), "-a", host, "-p", port, "-m", monitorPort}
		if o.Nodes > 1 {
			args = append(args, "--cluster_name", "parley", "--cluster", routes[i], "--routes", strings.Join(routes, ","))
		}
		s.keep(name, monitor, start(t, NATS, binary(t, NATS), o.Environ, args...))
	}
	return "nats://" + strings.Join(clients, ",nats://")
}

func limitsEnviron(o Options) []string {
	l := o.Limits
	var environ []string
	for key, value := range map[string]int{
		"FRAME_RATE": l.FrameRate, "FRAME_BURST": l.FrameBurst, "BYTE_RATE": l.ByteRate, "BYTE_BURST": l.ByteBurst,
		"OUTBOUND_FRAMES": l.OutboundFrames, "OUTBOUND_BYTES": l.OutboundBytes,
	} {
		environ = append(environ, fmt.Sprintf("PARLEY_EDGE__LIMITS__%s=%d", key, value))
	}
	return environ
}

// process is one program, running or stopped.
type process struct {
	name    string
	path    string
	args    []string
	environ []string
	cmd     *exec.Cmd // nil: it doesn't run
	logs    lockedBuffer
}

// start starts a program that is stopped, and must stop cleanly, when the test
// ends.
func start(t testing.TB, name, path string, environ []string, args ...string) *process {
	t.Helper()
	p := &process{name: name, path: path, args: args, environ: append(cleanEnviron(), environ...)}
	p.start(t)
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("log of %s:\n%s", p.name, p.logs.tail())
		}
	})
	return p
}

func (p *process) start(t testing.TB) {
	t.Helper()
	cmd := exec.Command(p.path, p.args...) //nolint:noctx // our own programs, which stop ends
	cmd.Env = p.environ
	cmd.Stdout, cmd.Stderr = &p.logs, &p.logs
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", p.name, err)
	}
	p.cmd = cmd
}

// stop ends the program by SIGTERM, if it runs, and waits for it.
func (p *process) stop(t testing.TB) {
	t.Helper()
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("stop %s: %v", p.name, err)
	}
	p.wait(t)
}

// wait waits until a program has ended that was asked to.
func (p *process) wait(t testing.TB) {
	t.Helper()
	timer := time.AfterFunc(stopTimeout, func() {
		t.Errorf("%s did not stop in %s", p.name, stopTimeout)
		_ = p.cmd.Process.Kill() // it may have ended just now
	})
	defer timer.Stop()
	err := p.cmd.Wait()
	p.cmd = nil
	if err != nil && p.name != NATS { // it exits with 1 after SIGTERM
		t.Errorf("%s ended with %v", p.name, err)
	}
}

func (p *process) signal(t testing.TB, sig syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		t.Errorf("%s: %v: %v", p.name, sig, err)
	}
}

// kill ends the program without a word.
func (p *process) kill(t testing.TB) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Errorf("kill %s: %v", p.name, err)
	}
	_ = p.cmd.Wait() // it says that it was killed
	p.cmd = nil
}

// binary is the path of a program that `make build` made, or that isn't ours.
func binary(t testing.TB, name string) string {
	t.Helper()
	if filepath.IsAbs(name) {
		return name
	}
	folder, err := os.Getwd() // of the test's package, also when its paths are trimmed
	for err == nil && folder != filepath.Dir(folder) {
		if _, absent := os.Stat(filepath.Join(folder, "go.work")); absent == nil {
			break
		}
		folder = filepath.Dir(folder)
	}
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "bin", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%s isn't built: run `make build` first", name)
	}
	return path
}

func (o *Options) admin(t testing.TB, name string) string {
	t.Helper()
	if o.Admin != nil {
		return o.Admin(name)
	}
	return FreeAddress(t)
}

// program is the path of a service's program.
func (o *Options) program(t testing.TB, name string) string {
	t.Helper()
	if o.Bin != "" {
		return filepath.Join(o.Bin, name)
	}
	return binary(t, name)
}

// cleanEnviron is this process's environment without what configures Parley
// or its tracing.
func cleanEnviron() []string {
	var environ []string
	for _, one := range os.Environ() {
		if !strings.HasPrefix(one, "PARLEY_") && !strings.HasPrefix(one, "OTEL_") {
			environ = append(environ, one)
		}
	}
	return environ
}

// lockedBuffer collects a program's output.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// tail is the end of the output.
func (b *lockedBuffer) tail() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	const most = 8 << 10
	text := b.buf.Bytes()
	return string(text[max(0, len(text)-most):])
}
