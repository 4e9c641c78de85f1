package cli

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
)

// joinTimeout is how long joining and sending may take.
const joinTimeout = 20 * time.Second

// join connects to an edge and joins a room with a token.
func join(t *testing.T, url, room, token string) *client.Room {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), joinTimeout)
	defer cancel()
	c, err := client.Dial(ctx, url, client.WithToken(
		func(context.Context, string, client.TokenReason) (string, error) { return token, nil }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // it never fails
	r, err := c.Join(ctx, room)
	if err != nil {
		t.Fatalf("join %q: %v", room, err)
	}
	return r
}

func TestDev(t *testing.T) {
	p := newPlace(t)
	store := filepath.Join(p.dir, ".parley")
	d := startDev(t, p, anyPorts...)
	before := d.greeting
	t.Run("greets with one line of JSON", func(t *testing.T) {
		if before.Room == "" || before.Identity == "" || before.Policy != "all" || before.ReadyMS <= 0 || len(before.Moved) != 0 {
			t.Errorf("got %s", d.line)
		}
		for _, address := range []string{before.WebSocket, before.Tokens, before.Admin} {
			if !strings.Contains(address, "://127.0.0.1:") || strings.Contains(address, ":0") {
				t.Errorf("%q is no address that can be reached: %s", address, d.line)
			}
		}
	})
	t.Run("its token opens the room", func(t *testing.T) {
		r := join(t, before.WebSocket, before.Room, before.Token)
		if got := r.Self().Identity; got != before.Identity {
			t.Errorf("joined as %q, want %q", got, before.Identity)
		}
		if err := r.Leave(t.Context()); err != nil {
			t.Error(err)
		}
	})
	t.Run("is healthy", func(t *testing.T) {
		p.run(t, "healthcheck", "--admin.listen", before.adminAddress()).check(t, 0)
	})
	t.Run("keeps its secrets to its user, and the log in files", func(t *testing.T) {
		for _, name := range []string{"signing.key", "api.key"} {
			info, err := os.Stat(filepath.Join(store, name))
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm() != 0o600 {
				t.Errorf("%s has the mode %v, want 0600", name, info.Mode())
			}
		}
		if streams := streamFolders(t, store); !slices.Contains(streams, "KV_signals-0") || !slices.Contains(streams, "KV_rooms") {
			t.Errorf("the streams in files are %q", streams)
		}
	})
	t.Run("a second one in the same folder is refused", func(t *testing.T) {
		p.run(t, append([]string{"dev"}, anyPorts...)...).check(t, 1, ".parley", "store_dir")
	})
	t.Run("stops on SIGINT while a client is connected", func(t *testing.T) {
		join(t, before.WebSocket, before.Room, before.Token)
		if rest := d.stop(t, os.Interrupt); rest != "" {
			t.Errorf("it printed more than its greeting: %q", rest)
		}
		p.run(t, "healthcheck", "--admin.listen", before.adminAddress()).check(t, 1, "refused")
	})
	t.Run("keeps its keys over a restart", func(t *testing.T) {
		again := startDev(t, p, anyPorts...)
		join(t, again.greeting.WebSocket, before.Room, before.Token)
		again.stop(t, syscall.SIGTERM)
	})
}

// streamFolders are the names of the streams that JetStream keeps in a folder.
func streamFolders(t *testing.T, store string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(store, "jetstream", "jetstream", "*", "streams", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		names = append(names, filepath.Base(path))
	}
	return names
}

func TestDev_movesOnFromBusyPorts(t *testing.T) {
	var args []string
	busy := map[string]string{}
	for _, key := range []string{"edge.listen", "admin.listen", "turn.listen"} {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() }) // it only took the port
		busy[key] = l.Addr().String()
		args = append(args, "--"+key, busy[key])
	}
	d := startDev(t, newPlace(t), args...)
	if len(d.greeting.Moved) != len(busy) {
		t.Errorf("it says of %d ports that they are busy, want %d: %q", len(d.greeting.Moved), len(busy), d.greeting.Moved)
	}
	for key, address := range busy {
		told := func(text string) bool {
			return strings.HasPrefix(text, key+": ") && strings.Contains(text, address+" is busy")
		}
		if !slices.ContainsFunc(d.greeting.Moved, told) {
			t.Errorf("it doesn't say that %s moved from %s: %q", key, address, d.greeting.Moved)
		}
		if strings.Contains(d.greeting.WebSocket+" "+d.greeting.Tokens+"/ "+d.greeting.Admin+"/", address+"/") {
			t.Errorf("it names the busy address %s as its own: %s", address, d.line)
		}
	}
	join(t, d.greeting.WebSocket, d.greeting.Room, d.greeting.Token)
	newPlace(t).run(t, "healthcheck", "--admin.listen", d.greeting.adminAddress()).check(t, 0)
}

func TestDev_saysWhatKeepsItFromStarting(t *testing.T) {
	p := newPlace(t)
	p.write(t, "a-file", "")
	for _, one := range []struct {
		name  string
		args  []string
		code  int
		texts []string
	}{
		{"a store folder that is a file", []string{"--standalone.store_dir", "a-file"}, 1, []string{"a-file"}},
		{"no store folder", []string{"--standalone.store_dir", ""}, 2, []string{"standalone.store_dir"}},
		{"an address that isn't here", []string{"--edge.listen", "192.0.2.1:7420"}, 1, []string{"edge.listen", "192.0.2.1:7420"}},
		{"an address that is none", []string{"--edge.listen", "nonsense"}, 2, []string{"edge.listen", "host:port"}},
		{"a port that is none", []string{"--admin.listen", "127.0.0.1:http"}, 1, []string{"admin.listen", "number"}},
	} {
		t.Run(one.name, func(t *testing.T) {
			p.run(t, slices.Concat([]string{"dev"}, anyPorts, one.args)...).check(t, one.code, one.texts...)
		})
	}
}
