package installation

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func mustMake(t *testing.T, o Options) []string {
	t.Helper()
	made, err := Make(o)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMake(t *testing.T) {
	dir := t.TempDir()
	made := mustMake(t, Options{Dir: dir, Host: "localhost"})

	t.Run("the secrets differ", func(t *testing.T) {
		seen := map[string]string{}
		for _, name := range made {
			text := read(t, dir, name)
			if other, twice := seen[text]; twice {
				t.Errorf("%s holds what %s does", name, other)
			}
			seen[text] = name
		}
	})
	t.Run("containers may read them, other users of the host not", func(t *testing.T) {
		for path, want := range map[string]os.FileMode{"secrets": 0o700, "secrets/api_key": 0o644, ".env": 0o644} {
			info, err := os.Stat(filepath.Join(dir, path))
			if err != nil {
				t.Fatal(err)
			}
			if got := info.Mode().Perm(); got != want {
				t.Errorf("%s has the mode %o, want %o", path, got, want)
			}
		}
	})
	t.Run("a second time makes nothing", func(t *testing.T) {
		if again := mustMake(t, Options{Dir: dir, Host: "localhost"}); len(again) != 0 {
			t.Errorf("made %v", again)
		}
	})
	t.Run("a missing secret is made again, with what depends on it", func(t *testing.T) {
		key := read(t, dir, "secrets/api_key")
		if err := os.Remove(filepath.Join(dir, "secrets/nats_route")); err != nil {
			t.Fatal(err)
		}
		want := []string{"secrets/nats_route", "secrets/nats_routes.conf"}
		if got := mustMake(t, Options{Dir: dir, Host: "localhost"}); !slices.Equal(got, want) {
			t.Errorf("made %v, want %v", got, want)
		}
		password := strings.TrimSpace(read(t, dir, "secrets/nats_route"))
		if conf := read(t, dir, "secrets/nats_routes.conf"); strings.Count(conf, password) != 1+len(nodes) {
			t.Errorf("the routes don't use the new password: %s", conf)
		}
		if read(t, dir, "secrets/api_key") != key {
			t.Error("the API key changed")
		}
	})
	if left, _ := filepath.Glob(filepath.Join(dir, "secrets", ".new-*")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

func TestMake_settings(t *testing.T) {
	for host, local := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "[::1]": true, "a.localhost": true, "signal.example.org": false, "192.0.2.1": false,
	} {
		dir := t.TempDir()
		mustMake(t, Options{Dir: dir, Host: host})
		text := read(t, dir, ".env")
		if !strings.Contains(text, "PARLEY_HOST="+host+"\n") {
			t.Errorf("%s: got %s", host, text)
		}
		for _, open := range []string{"PARLEY_ICE_POLICY=all", "PARLEY_DEMO_TOKENS=true"} {
			if got := strings.Contains(text, open); got != local {
				t.Errorf("%s has %s: %t, want %t", host, open, got, local)
			}
		}
	}
}

func TestMake_refuses(t *testing.T) {
	for _, host := range []string{"", "https://example.org", "a b", "$HOME"} {
		if made, err := Make(Options{Dir: t.TempDir(), Host: host}); err == nil {
			t.Errorf("%q: made %v", host, made)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Make(Options{Dir: file, Host: "localhost"}); err == nil || !strings.Contains(err.Error(), "folder") {
		t.Errorf("a file for the folder: got %v", err)
	}
}
