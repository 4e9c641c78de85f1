package proxies

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/stack"
)

// hosts are the names in the snippets; each gets a loopback address of its own, so
// that the ports can stay as they are.
var hosts = []string{"edge-1", "edge-2", "roomsvc"}

// kind is a proxy, and what a snippet of its needs around it to run as a test does.
type kind struct {
	name, program, install string
	listen                 string // the line of the snippet that says where, replaced by
	address                string // this one
	around                 string // the rest of the configuration: the snippet, the test's folder
	args                   []string
	silence                *regexp.Regexp // what the snippet says of silence, if it has to
	newer                  string         // a line that Debian's version doesn't know
}

// missing is why a test can't run.
const missing = "%s is missing; install it: apt-get install %s"

var kinds = []kind{
	{
		name: "nginx", program: "nginx", install: "nginx-light", listen: "listen 443 ssl;", address: "listen %s;",
		around: "daemon off; pid %[2]s/pid; error_log stderr; events {} http { access_log off; client_body_temp_path %[2]s; " +
			"proxy_temp_path %[2]s; fastcgi_temp_path %[2]s; uwsgi_temp_path %[2]s; scgi_temp_path %[2]s;\n%[1]s}",
		args: []string{"-e", "stderr", "-c"}, silence: regexp.MustCompile(`proxy_read_timeout ([0-9]+s);`),
	},
	{
		name: "haproxy", program: "haproxy", install: "haproxy", listen: "bind :443 ssl crt /etc/haproxy/certificate.pem",
		address: "bind %s", around: "%[1]s", args: []string{"-db", "-f"}, silence: regexp.MustCompile(`timeout tunnel ([0-9]+s)`),
	},
	{
		name: "caddyfile", program: "caddy", install: "caddy", listen: "signal.example.org {", address: "http://%s {",
		around: "{\n admin off\n}\n%[1]s", args: []string{"run", "--adapter", "caddyfile", "--config"}, newer: "stream_close_delay 5m",
	},
}

// snippet is the one of a language in docs/operations.md.
func snippet(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "\n```"+language+"\n")
	body, _, ended := strings.Cut(after, "\n```\n")
	if !found || !ended {
		t.Fatalf("docs/operations.md has no snippet for %s", language)
	}
	return body + "\n"
}

// replaced replaces a text that must be there.
func replaced(t *testing.T, text, old, by string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("the snippet has no %q any more:\n%s", old, text)
	}
	return strings.ReplaceAll(text, old, by)
}

// run starts a proxy with a snippet before a stack, until the test ends, and returns
// where it listens.
func (k *kind) run(t *testing.T, text string, addresses map[string]string) (address string) {
	t.Helper()
	path, err := exec.LookPath(k.program)
	if err != nil {
		path = filepath.Join("/usr/sbin", k.program)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf(missing, k.program, k.install)
	}
	address = stack.FreeAddress(t)
	text = replaced(t, text, k.listen, fmt.Sprintf(k.address, address))
	if k.newer != "" {
		text = replaced(t, text, k.newer, "")
	}
	for name, ip := range addresses {
		text = strings.ReplaceAll(text, name+":", ip+":")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "configuration")
	if err := os.WriteFile(file, fmt.Appendf(nil, k.around, text, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), path, append(k.args, file)...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already: its log says why
		_ = cmd.Wait()                          // told to end, it may with any code
		if t.Failed() {
			t.Logf("log of %s:\n%s", k.program, log.String())
		}
	})
	return address
}

// door passes connections on from an address of the snippets to a program.
type door struct {
	listener net.Listener
	running  sync.WaitGroup
	mu       sync.Mutex
	open     []net.Conn
}

func openDoor(t *testing.T, address, to string) *door {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{listener: l}
	d.running.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			d.running.Go(func() { d.pass(in, to) })
		}
	})
	t.Cleanup(d.close)
	return d
}

func (d *door) pass(in net.Conn, to string) {
	defer in.Close()
	out, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", to)
	if err != nil {
		return
	}
	d.mu.Lock()
	d.open = append(d.open, in, out)
	d.mu.Unlock()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(in, out) // the end of either is the end of both
		_ = in.Close()
	})
	_, _ = io.Copy(out, in)
	_ = out.Close()
	back.Wait()
}

// close is what the death of a machine looks like from outside.
func (d *door) close() {
	_ = d.listener.Close()
	d.mu.Lock()
	for _, c := range d.open {
		_ = c.Close()
	}
	d.mu.Unlock()
	d.running.Wait()
}

// waitOpen waits until somebody listens.
func waitOpen(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("nobody listens on %s: %v", address, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
