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
	name, program, path, install string
	listen                       string // the line of the snippet that says where, replaced by
	address                      string // this one
	and                          string // what stands between two addresses in it
	around                       string // the rest of the configuration: the snippet, the test's folder
	args                         []string
	silence                      *regexp.Regexp // what the snippet says of silence, if it has to
	reload                       syscall.Signal // has it read its configuration again
	reloaded                     string         // its log has this when it did, and told the earlier one to end
}

var kinds = []kind{
	{
		name: "nginx", program: "nginx", path: "/usr/sbin/nginx", install: "apt-get install nginx-light",
		listen: "listen 443 ssl;", address: "listen %s;", and: "; listen ",
		around: "daemon off; pid %[2]s/pid; error_log stderr notice; events {} http { access_log off; client_body_temp_path %[2]s; " +
			"proxy_temp_path %[2]s; fastcgi_temp_path %[2]s; uwsgi_temp_path %[2]s; scgi_temp_path %[2]s;\n%[1]s}",
		args: []string{"-e", "stderr", "-c"}, silence: regexp.MustCompile(`proxy_read_timeout ([0-9]+s);`),
		reload: syscall.SIGHUP, reloaded: "gracefully shutting down",
	},
	{
		name: "haproxy", program: "haproxy", path: "/usr/sbin/haproxy", install: "apt-get install haproxy",
		listen: "bind :443 ssl crt /etc/haproxy/certificate.pem", address: "bind %s", and: ",", around: "%[1]s",
		args: []string{"-W", "-db", "-f"}, silence: regexp.MustCompile(`timeout tunnel ([0-9]+s)`),
		reload: syscall.SIGUSR2, reloaded: "Proxy public stopped",
	},
	{
		name: "caddyfile", program: "caddy", path: "../../bin/caddy", install: "make test-tools",
		listen: "signal.example.org {", address: "http://%s {", and: ", http://", around: "{\n admin off\n}\n%[1]s",
		args:   []string{"run", "--adapter", "caddyfile", "--config"},
		reload: syscall.SIGUSR1, reloaded: "successfully reloaded config",
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

// proxy is one that runs, with a snippet as its configuration.
type proxy struct {
	*kind
	text    string // the snippet
	dir     string
	address string // where it listens
	cmd     *exec.Cmd
	log     logged
}

// run starts a proxy with a snippet before a stack, until the test ends.
func (k *kind) run(t *testing.T, text string, addresses map[string]string) *proxy {
	t.Helper()
	path, err := exec.LookPath(k.path)
	if err != nil {
		t.Fatalf("%s is missing: %s", k.program, k.install)
	}
	for name, ip := range addresses {
		text = strings.ReplaceAll(text, name+":", ip+":")
	}
	p := &proxy{kind: k, text: text, dir: t.TempDir(), address: stack.FreeAddress(t)}
	file := p.configure(t, p.address)
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), path, append(k.args, file)...)
	p.cmd.Env = append(os.Environ(), "HOME="+p.dir, "XDG_DATA_HOME="+p.dir, "XDG_CONFIG_HOME="+p.dir)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already: its log says why
		_ = p.cmd.Wait()                          // told to end, it may with any code
		if t.Failed() {
			t.Logf("log of %s:\n%s", k.program, p.log.String())
		}
	})
	waitOpen(t, p.address)
	return p
}

// configure writes the configuration, with these addresses to listen on.
func (p *proxy) configure(t *testing.T, addresses ...string) (file string) {
	t.Helper()
	text := replaced(t, p.text, p.listen, fmt.Sprintf(p.kind.address, strings.Join(addresses, p.and)))
	file = filepath.Join(p.dir, "configuration")
	if err := os.WriteFile(file, fmt.Appendf(nil, p.around, text, p.dir), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// reloadWith has the proxy listen on one more address, without a restart, and waits
// until the configuration that it had is on its way out.
func (p *proxy) reloadWith(t *testing.T, address string) {
	t.Helper()
	p.configure(t, p.address, address)
	if err := p.cmd.Process.Signal(p.reload); err != nil {
		t.Fatal(err)
	}
	waitOpen(t, address)
	wait(t, fmt.Sprintf("%s has reloaded (its log says %q)", p.program, p.reloaded), func() bool {
		return strings.Contains(p.log.String(), p.reloaded)
	})
}

// logged is what a program wrote so far.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
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
	wait(t, "somebody listens on "+address, func() bool {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			return false
		}
		_ = c.Close()
		return true
	})
}

// wait waits until something is so.
func wait(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatalf("it isn't so that %s", what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
