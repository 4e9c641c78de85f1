package permissions

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/deploy/standalone/natsusers"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	shards   = 1
	password = config.Secret("a-password-for-tests-0123456789")
	// publish and subscribe are what a permission is for, in the words of nats-server.
	publish   = "Publish"
	subscribe = "Subscription"
)

// world is a NATS server with users.
type world struct {
	url   string
	users func(name string) string // the user of a process

	conns map[string]*nats.Conn // by process

	mu    sync.Mutex
	heard func(refusal) // may be nil
}

// refusal is a violation that a user was told of.
type refusal struct{ user, verb, subject string }

// shared are the users of a deployment whose edges share one; named gives each
// edge its own.
func shared(process string) string {
	if strings.HasPrefix(process, contract.UserEdge) {
		return contract.UserEdge
	}
	return service(process)
}

func named(process string) string {
	if strings.HasPrefix(process, contract.UserEdge) {
		return contract.EdgeUser(process)
	}
	return service(process)
}

// service is the process without its number.
func service(process string) string { return strings.TrimRight(process, "-0123456789") }

// newWorld starts a server with the configuration that is generated for the users,
// after change (which may be nil) was at it.
func newWorld(t *testing.T, users func(string) string, change func(all []*server.User)) *world {
	t.Helper()
	var list []natsusers.User
	for _, name := range append(natsusers.Names(), contract.EdgeUser("edge-1"), contract.EdgeUser("edge-2"), contract.EdgeUser("edge-3")) {
		list = append(list, natsusers.User{Name: name, Password: password})
	}
	text, err := natsusers.Authorization(list, shards)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write(t, filepath.Join(folder, "auth.conf"), text)
	file := filepath.Join(folder, "nats.conf")
	write(t, file, fmt.Sprintf("listen: 127.0.0.1:-1\njetstream { store_dir: %q }\ninclude auth.conf\n", filepath.Join(folder, "js")))
	options, err := server.ProcessConfigFile(file)
	if err != nil {
		t.Fatal(err)
	}
	options.NoLog, options.NoSigs = true, true
	if change != nil {
		change(options.Users)
	}
	ns, err := server.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	})
	if !ns.ReadyForConnections(time.Minute) {
		t.Fatal("nats-server isn't ready")
	}
	return &world{url: ns.ClientURL(), users: users, conns: map[string]*nats.Conn{}}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// connect is stack.Options.Connect: as a process of that name connects.
func (w *world) connect(t *testing.T) func(process string) *nats.Conn {
	return func(process string) *nats.Conn {
		t.Helper()
		nc := w.login(t, w.users(process), service(process))
		w.conns[process] = nc
		return nc
	}
}

// login connects as a user.
func (w *world) login(t *testing.T, user, name string) *nats.Conn {
	t.Helper()
	cfg := bus.DefaultConfig()
	cfg.URL, cfg.User, cfg.Password = w.url, user, password
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	nc, err := bus.Connect(ctx, cfg, name, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { w.hear(user, err) }))
	if err != nil {
		t.Fatalf("connect as %s: %v", user, err)
	}
	t.Cleanup(nc.Close)
	return nc
}

var violation = regexp.MustCompile(`(?i)permissions violation for (publish|subscription) to "([^"]*)"`)

func (w *world) hear(user string, err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	r := refusal{user: user, subject: err.Error()}
	if parts := violation.FindStringSubmatch(err.Error()); parts != nil {
		r.verb, r.subject = strings.ToUpper(parts[1][:1])+strings.ToLower(parts[1][1:]), parts[2]
	}
	w.mu.Lock()
	heard := w.heard
	w.mu.Unlock()
	if heard != nil {
		heard(r)
	}
}

// onRefusal has fn called for each refusal from now on.
func (w *world) onRefusal(fn func(refusal)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = fn
}

// covers reports whether a permission's subject takes in another one, which may
// have wildcards of its own.
func covers(pattern, subject string) bool {
	wanted, given := strings.Split(pattern, "."), strings.Split(subject, ".")
	for i, token := range wanted {
		switch {
		case token == ">":
			return len(given) > i
		case i >= len(given), token != "*" && token != given[i], token == "*" && given[i] == ">":
			return false
		}
	}
	return len(given) == len(wanted)
}
