package installation

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/parley-rtc/parley/deploy/standalone/natsusers"
)

// Shards is roomsvc.shards of every installation: which subjects a user of NATS
// may use depends on it.
const Shards = 3

// nodes are the NATS servers of compose.yaml, by their host names.
var nodes = []string{"nats-1", "nats-2", "nats-3"}

// nats makes what the NATS servers include: who may do what, and how the servers
// know each other, since whoever is taken for one of them may do everything.
func (m *maker) nats() {
	var users []natsusers.User
	changed := false
	for _, name := range natsusers.Names() {
		password, fresh := m.secret("nats_" + name)
		users = append(users, natsusers.User{Name: name, Password: password})
		changed = changed || fresh
	}
	path := filepath.Join(secretsFolder, "nats_users.conf")
	if changed {
		m.forget(path)
	}
	m.file(path, func() (string, error) { return natsusers.Authorization(users, Shards) })
	m.routes()
}

func (m *maker) routes() {
	password, fresh := m.secret("nats_route")
	path := filepath.Join(secretsFolder, "nats_routes.conf")
	if fresh {
		m.forget(path)
	}
	m.file(path, func() (string, error) { return routes(password.Reveal()), nil })
}

// routes is a part of nats-server's block `cluster`.
func routes(password string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "authorization { user: route, password: %q, timeout: 5 }\nroutes: [\n", password)
	for _, node := range nodes {
		fmt.Fprintf(&text, "  \"nats://route:%s@%s:6222\"\n", password, node)
	}
	text.WriteString("]\n")
	return text.String()
}
