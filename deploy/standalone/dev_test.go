package standalone

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

func TestFiles_keepTheirSecrets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "here")
	files := Files{dir}
	for name, read := range map[string]func() (config.Secret, error){
		"signing.key": files.SigningKey, "api.key": files.APIKey, "turn.secret": files.TURNSecret,
	} {
		first, err := read()
		if err != nil {
			t.Fatal(err)
		}
		again, err := read()
		if err != nil || again != first || len(first.Reveal()) < 43 {
			t.Errorf("%s: got %d characters and then others (%v), want 32 bytes that stay", name, len(first.Reveal()), err)
		}
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has the mode %v, want 0600", name, got)
		}
		other, err := map[string]func() (config.Secret, error){
			"signing.key": Files{t.TempDir()}.SigningKey, "api.key": Files{t.TempDir()}.APIKey,
			"turn.secret": Files{t.TempDir()}.TURNSecret,
		}[name]()
		if err != nil || other == first {
			t.Errorf("%s is the same in another folder (%v)", name, err)
		}
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("the folder has the mode %v, want 0700", got)
	}
}

func TestFiles_sayWhichOneFailed(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "api.key"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := (Files{dir}).APIKey(); err == nil || !strings.Contains(err.Error(), "api.key") {
		t.Errorf("a folder in its place: got %v, want a fault that names api.key", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (Files{file}).SigningKey(); err == nil || !strings.Contains(err.Error(), "signing.key") {
		t.Errorf("a file for the folder: got %v, want a fault that names signing.key", err)
	}
}

func TestDevelop(t *testing.T) {
	t.Run("takes the folder's keys", func(t *testing.T) {
		c := DevDefaults()
		c.Standalone.StoreDir = t.TempDir()
		temporary := c.Auth.SigningKey
		if err := c.Develop(); err != nil {
			t.Fatal(err)
		}
		want, err := Files{c.Standalone.StoreDir}.SigningKey()
		if err != nil {
			t.Fatal(err)
		}
		if c.Auth.SigningKey != want || want == temporary {
			t.Error("the signing key isn't the folder's")
		}
		apiKey, err := Files{c.Standalone.StoreDir}.APIKey()
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Auth.Apps) != 1 || c.Auth.Apps[0].ID != DevApp || c.Auth.Apps[0].APIKeys["dev"] != apiKey {
			t.Errorf("the apps are %+v, want %s with the folder's API key", c.Auth.Apps, DevApp)
		}
		if err := c.Auth.Validate(); err != nil {
			t.Error(err)
		}
	})
	t.Run("leaves the user's signing key", func(t *testing.T) {
		c := DevDefaults()
		c.Standalone.StoreDir = t.TempDir()
		c.Auth.SigningKey = config.NewSecret()
		want := c.Auth.SigningKey
		if err := c.Develop(); err != nil || c.Auth.SigningKey != want {
			t.Errorf("the signing key was replaced (%v)", err)
		}
	})
	t.Run("takes the folder's TURN secret, and leaves the user's", func(t *testing.T) {
		c := DevDefaults()
		c.Standalone.StoreDir = t.TempDir()
		if err := c.Develop(); err != nil {
			t.Fatal(err)
		}
		want, err := Files{c.Standalone.StoreDir}.TURNSecret()
		if err != nil || c.TURN.Secret != want {
			t.Errorf("the TURN secret isn't the folder's (%v)", err)
		}
		c.TURN.Secret = config.NewSecret()
		want = c.TURN.Secret
		if err := c.Develop(); err != nil || c.TURN.Secret != want {
			t.Errorf("the TURN secret was replaced (%v)", err)
		}
	})
	t.Run("differs from production where it says so", func(t *testing.T) {
		dev, production := DevDefaults(), DefaultConfig()
		if dev.Filter.Policy != contract.PolicyAll || dev.Edge.ICEPolicy != contract.PolicyAll {
			t.Errorf("the policies are %s and %s, want all", dev.Filter.Policy, dev.Edge.ICEPolicy)
		}
		if dev.Standalone.Edges != 2 || dev.TURN.Listen == "" || production.Standalone.Edges != 1 || production.TURN.Listen != "" {
			t.Errorf("edges %d and %d, TURN at %q and %q", dev.Standalone.Edges, production.Standalone.Edges, dev.TURN.Listen, production.TURN.Listen)
		}
		if production.Filter.Policy != contract.PolicyPublic || production.Edge.ICEPolicy != contract.PolicyPublic || len(production.Edge.Origins) != 0 {
			t.Errorf("the default is open: %+v", production)
		}
	})
}

// occupy takes a free port, or the one of an address.
func occupy(t *testing.T, address string) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // it only took the port
	return l.Addr().String()
}

func TestListen(t *testing.T) {
	t.Run("a free port", func(t *testing.T) {
		l, moved, err := Listen("127.0.0.1:0")
		if err != nil || moved {
			t.Fatalf("moved %v, %v", moved, err)
		}
		_ = l.Close() // it only took the port
	})
	t.Run("a busy port", func(t *testing.T) {
		busy := occupy(t, "127.0.0.1:0")
		l, moved, err := Listen(busy)
		if err != nil || !moved || l.Addr().String() == busy {
			t.Fatalf("moved %v, %v, want the next free port after %s", moved, err, busy)
		}
		_ = l.Close() // it only took the port
	})
	t.Run("an address that isn't here", func(t *testing.T) {
		if _, _, err := Listen("192.0.2.1:7420"); err == nil || isBusy(err) {
			t.Errorf("got %v, want a fault that no other port cures", err)
		}
	})
	for _, address := range []string{"", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:70000"} {
		t.Run("no address: "+address, func(t *testing.T) {
			if l, _, err := Listen(address); err == nil {
				t.Errorf("listens on %v", l.Addr())
			}
		})
	}
}

func TestListenTURN(t *testing.T) {
	for _, network := range []string{"tcp", "udp"} {
		t.Run("a port that is busy for "+network, func(t *testing.T) {
			var busy string
			if network == "tcp" {
				busy = occupy(t, "127.0.0.1:0")
			} else {
				conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				busy = conn.LocalAddr().String()
			}
			udp, tcp, moved, err := ListenTURN(t.Context(), busy)
			if err != nil || !moved || udp.LocalAddr().String() == busy || tcp.Addr().String() != udp.LocalAddr().String() {
				t.Fatalf("moved %v, %v, want the next port that is free for both after %s", moved, err, busy)
			}
			_ = errors.Join(udp.Close(), tcp.Close()) // they only took the port
		})
	}
}

func TestFiles_place(t *testing.T) {
	files := Files{t.TempDir()}
	if _, err := files.Place(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without one: got %v, want that there is none", err)
	}
	want := Place{URL: "http://127.0.0.1:1", WebSocket: "ws://127.0.0.1:1/v1/ws", Admin: "http://127.0.0.1:2", PID: 3}
	remove, err := files.LeavePlace(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := files.Place(); err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	for range 2 {
		if err := remove(); err != nil {
			t.Error(err)
		}
	}
	if left, err := os.ReadDir(files.Dir); err != nil || len(left) != 0 {
		t.Errorf("the folder still has %v (%v)", left, err)
	}
}

func TestProcessConfig(t *testing.T) {
	for edges, want := range map[int]bool{0: false, 1: true, MaxEdges: true, MaxEdges + 1: false} {
		err := ProcessConfig{StoreDir: "x", Edges: edges}.Validate()
		if got := err == nil; got != want || err != nil && !strings.HasPrefix(err.Error(), "edges is ") {
			t.Errorf("%d edges: got %v", edges, err)
		}
	}
	if err := (ProcessConfig{}).Validate(); err == nil || !strings.Contains(err.Error(), "store_dir") || !strings.Contains(err.Error(), "edges") {
		t.Errorf("got %v, want all faults", err)
	}
}

func TestLockFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	unlock, err := lockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockFolder(dir); err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second lock: got %v, want that %s is in use", err, dir)
	}
	unlock()
	again, err := lockFolder(dir)
	if err != nil {
		t.Fatalf("after unlock: %v", err)
	}
	again()
	if _, err := lockFolder(filepath.Join(dir, "lock")); err == nil || errors.Is(err, errLocked) {
		t.Errorf("a file for the folder: got %v", err)
	}
}

func TestServiceSections(t *testing.T) {
	all := map[string]bool{}
	for _, s := range ServiceSections() {
		all[s.Name] = true
	}
	for _, name := range []string{"nats", "admin", "log", "edge", "roomsvc", "authsvc", "candidatefilter", "standalone", "turn", "demo"} {
		if !all[name] {
			t.Errorf("the section %s is missing", name)
		}
		if got := ServiceSections(name); len(got) != 1 || got[0].Name != name {
			t.Errorf("asked for %s: got %v", name, got)
		}
	}
}
