//go:build linux

package target

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// packages are the npm packages that the peers are made of.
var packages = []string{"ws", "socket.io", "@socket.io/redis-adapter", "redis", "peer"}

// Versions tells the versions of all that the targets are made of, as far as they
// can be found.
func (f Folders) Versions(ctx context.Context, targets []Name) map[string]string {
	found := map[string]string{}
	ask := func(name, program string, args ...string) {
		out, err := exec.CommandContext(ctx, program, args...).Output()
		if line, _, _ := strings.Cut(string(out), "\n"); err == nil && line != "" {
			found[name] = strings.TrimSpace(line)
		}
	}
	ask("parley", filepath.Join(f.Bin, "parley"), "version")
	ask("nats-server", filepath.Join(f.Bin, "nats-server"), "--version")
	if slices.Contains(targets, Traced) || slices.Contains(targets, TracedAll) {
		ask("otelcol", filepath.Join(f.Bin, "otelcol"), "--version")
	}
	if !slices.ContainsFunc(targets, Name.foreign) {
		return found
	}
	ask("node", "node", "--version")
	if slices.Contains(targets, SocketIORedis) {
		ask("redis-server", "redis-server", "--version")
	}
	for _, name := range packages {
		text, err := os.ReadFile(filepath.Join(f.Peers, "node_modules", name, "package.json"))
		var about struct{ Version string }
		if err == nil && json.Unmarshal(text, &about) == nil {
			found[name] = about.Version
		}
	}
	return found
}

// Own reports whether a target is Parley.
func (n Name) Own() bool {
	return slices.Contains([]Name{Standalone, Distributed, DistributedR3, Traced, TracedAll}, n)
}

func (n Name) foreign() bool { return !n.Own() }
