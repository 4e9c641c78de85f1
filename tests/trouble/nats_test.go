package trouble

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/deploy/standalone/natsusers"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/tests/stack"
)

const password = config.Secret("a-password-for-tests-0123456789")

// natsConfig writes a configuration of nats-server for the address.
func natsConfig(t *testing.T, address, more string) string {
	t.Helper()
	folder := t.TempDir()
	file := filepath.Join(folder, "nats.conf")
	text := fmt.Sprintf("listen: %q\n%s\n", address, strings.ReplaceAll(more, "STORE", filepath.Join(folder, "js")))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// usersText is a generated configuration with one password for all users.
func usersText(t *testing.T) string {
	t.Helper()
	var users []natsusers.User
	for _, name := range natsusers.Names() {
		users = append(users, natsusers.User{Name: name, Password: password})
	}
	text, err := natsusers.Authorization(users, 1)
	if err != nil {
		t.Fatal(err)
	}
	return "jetstream { store_dir: \"STORE\" }\n" + text
}

// waiting is a service that isn't ready.
type waiting struct {
	name, admin string
	environ     []string
	p           *stack.Process
}

// begin starts every service as its user of NATS.
func begin(t *testing.T, address string, password config.Secret) []*waiting {
	t.Helper()
	var all []*waiting
	for name := range services {
		admin, environ := places(t, name)
		environ = append(environ, "PARLEY_NATS__URL=nats://"+address, "PARLEY_NATS__USER="+name, "PARLEY_NATS__PASSWORD="+password.Reveal())
		all = append(all, &waiting{name, admin, environ, stack.Launch(t, name, environ)})
	}
	return all
}

// says waits until a service that isn't ready but alive tells why, in its health,
// by healthcheck, and in its log.
func (w *waiting) says(t *testing.T, texts ...string) {
	t.Helper()
	until(t, w.name+" says why it waits", func() (bool, string) {
		status, ready := get(t, w.admin, "/readyz")
		return status == 503 && containsAll(ready, texts) && containsAll(w.p.Logs(), texts), ready + w.p.Logs()
	})
	if status, _ := get(t, w.admin, "/healthz"); status != 200 {
		t.Errorf("%s: /healthz answers %d: it lives, and a restart mends nothing", w.name, status)
	}
	if code, text := run(t, w.name, w.environ, "healthcheck"); code != 1 || !containsAll(text, texts) {
		t.Errorf("%s healthcheck ended with %d and %q, want 1 and %q", w.name, code, text, texts)
	}
	for _, variable := range w.environ {
		if address, is := strings.CutPrefix(variable, "PARLEY_EDGE__LISTEN="); is {
			if conn, err := net.Dial("tcp", address); err == nil {
				_ = conn.Close() // it shouldn't be there
				t.Errorf("%s takes clients without NATS", w.name)
			}
		}
	}
}

func (w *waiting) isReady(t *testing.T) {
	t.Helper()
	until(t, w.name+" is ready", func() (bool, string) {
		status, text := get(t, w.admin, "/readyz")
		return status == 200, text + w.p.Logs()
	})
	if code, text := run(t, w.name, w.environ, "healthcheck"); code != 0 {
		t.Errorf("%s healthcheck ended with %d and %q", w.name, code, text)
	}
}

func containsAll(text string, parts []string) bool {
	for _, part := range parts {
		if !strings.Contains(text, part) {
			return false
		}
	}
	return true
}

// TestNATS_comesLate starts the services before NATS: they wait, and go on when
// it is there.
func TestNATS_comesLate(t *testing.T) {
	address := stack.FreeAddress(t)
	all := begin(t, address, password)
	for _, w := range all {
		w.says(t, "no servers available", "start nats-server, or correct nats.url")
	}
	stack.Launch(t, stack.NATS, nil, "-c", natsConfig(t, address, usersText(t)))
	for _, w := range all {
		w.isReady(t)
	}
}

// TestNATS_refusesThePassword has NATS take the services' password only after its
// users were mended: they tried all the while.
func TestNATS_refusesThePassword(t *testing.T) {
	address := stack.FreeAddress(t)
	wrong := strings.ReplaceAll(usersText(t), "user: \"", "user: \"other-")
	broken := stack.Launch(t, stack.NATS, nil, "-c", natsConfig(t, address, wrong))
	all := begin(t, address, password)
	for _, w := range all {
		w.says(t, "Authorization Violation", "compare nats.user and nats.password")
		if strings.Contains(w.p.Logs(), password.Reveal()) {
			t.Errorf("%s shows its password", w.name)
		}
	}
	broken.Stop(t)
	stack.Launch(t, stack.NATS, nil, "-c", natsConfig(t, address, usersText(t)))
	for _, w := range all {
		w.isReady(t)
	}
}

// TestNATS_cannotServe has servers that lack something: the services say what, in
// their logs, and aren't ready.
func TestNATS_cannotServe(t *testing.T) {
	for _, one := range []struct {
		name, conf string
		user       string
		texts      map[string][]string
	}{
		{"without JetStream", "", "", map[string][]string{
			"roomsvc": {"JetStream"}, "edge": {"give nats-server JetStream"}, "candidatefilter": {"give nats-server JetStream"}, "authsvc": {"give nats-server JetStream"},
		}},
		{"without a roomsvc", "jetstream { store_dir: \"STORE\" }", "", map[string][]string{
			"edge": {"start a roomsvc"}, "candidatefilter": {"start a roomsvc"}, "authsvc": {"start a roomsvc"},
		}},
		{"another service's user", usersText(t), "candidatefilter", map[string][]string{
			"roomsvc": {"Permissions Violation", "its own nats.user"}, "edge": {"Permissions Violation", "its own nats.user"},
			"authsvc": {"Permissions Violation", "its own nats.user"},
		}},
	} {
		t.Run(one.name, func(t *testing.T) {
			address := stack.FreeAddress(t)
			stack.Launch(t, stack.NATS, nil, "-c", natsConfig(t, address, one.conf))
			for name, texts := range one.texts {
				admin, environ := places(t, name)
				environ = append(environ, "PARLEY_NATS__URL=nats://"+address)
				if one.user != "" {
					environ = append(environ, "PARLEY_NATS__USER="+one.user, "PARLEY_NATS__PASSWORD="+password.Reveal())
				}
				p := stack.Launch(t, name, environ)
				until(t, name+" says what is missing", func() (bool, string) { return containsAll(p.Logs(), texts), p.Logs() })
				if status, text := get(t, admin, "/readyz"); status != 503 {
					t.Errorf("%s is ready: %s", name, text)
				}
			}
		})
	}
}

// TestNATS_hasNoRoom: what no waiting mends ends roomsvc.
func TestNATS_hasNoRoom(t *testing.T) {
	address := stack.FreeAddress(t)
	stack.Launch(t, stack.NATS, nil, "-c", natsConfig(t, address, "jetstream { store_dir: \"STORE\", max_file_store: 1MB }"))
	until(t, "NATS is there", func() (bool, string) {
		conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", address)
		if err != nil {
			return false, err.Error()
		}
		return conn.Close() == nil, ""
	})
	_, environ := places(t, "roomsvc")
	code, text := run(t, "roomsvc", append(environ, "PARLEY_NATS__URL=nats://"+address))
	if code != 1 || !strings.Contains(text, "give JetStream more room, or lower roomsvc.signals_max_bytes") {
		t.Errorf("it ended with %d and %q, want 1 and what to do", code, text)
	}
}
