package trouble

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/tests/stack"
)

// TestConfiguration_faultsEndTheProgram gives each program what it can't run
// with: it ends with 2, names the key as the user wrote it, and says what to do.
func TestConfiguration_faultsEndTheProgram(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	empty, gone := write("empty", "\n"), filepath.Join(folder, "gone")
	unknown := write("unknown.yaml", "nats: {ulr: x}\n")
	own := map[string][]struct{ environ, text string }{
		"edge": {
			{"PARLEY_EDGE__PING_INTERVAL=20", "500ms"},
			{"PARLEY_EDGE__ICE_POLICY=some", "edge.ice_policy"},
			{"PARLEY_EDGE__LISTN=x", "did you mean PARLEY_EDGE__LISTEN?"},
		},
		"roomsvc": {
			{"PARLEY_ROOMSVC__REPLICAS=2", "roomsvc.replicas: 2 is none of 1, 3 and 5"},
			{"PARLEY_ROOMSVC__SIGNALS_MAX_BYTES=1000", "signals_bytes_per_second"},
			{"PARLEY_ROOMSVC__SHARD=2", "did you mean PARLEY_ROOMSVC__SHARDS?"},
		},
		"candidatefilter": {
			{"PARLEY_CANDIDATEFILTER__POLICY=none", "candidatefilter.policy"},
			{"PARLEY_CANDIDATEFILTER__WORKERS=0", "candidatefilter.workers"},
		},
		"authsvc": {
			{"PARLEY_AUTHSVC__SIGNING_KEY=", "openssl genpkey"},
			{"PARLEY_AUTHSVC__TOKEN_TTL=100h", "authsvc.token_ttl"},
			{`PARLEY_AUTHSVC__APPS=[{"id":"a","api_keys":{"b":"short"}}]`, "openssl rand"},
		},
	}
	for name := range services {
		cases := append(own[name], []struct{ environ, text string }{
			{"PARLEY_NATS__URL=4222", "nats.url"},
			{"PARLEY_NATS__PASSWORD=secret", "nats.user"},
			{"PARLEY_NATS__USER=" + name, "password_file"},
			{"PARLEY_NATS__PASSWORD_FILE=" + gone, gone},
			{"PARLEY_NATS__PASSWORD_FILE=" + empty, "is empty"},
			{"PARLEY_CONFIG=" + gone, gone},
			{"PARLEY_CONFIG=" + unknown, "did you mean"},
			{"PARLEY_LOG__LEVEL=loud", "log.level"},
		}...)
		for _, one := range cases {
			t.Run(name+"/"+strings.ReplaceAll(one.environ, folder, ""), func(t *testing.T) {
				_, environ := places(t, name)
				code, text := run(t, name, append(environ, one.environ))
				if code != 2 || !strings.Contains(text, one.text) {
					t.Errorf("it ended with %d and %q, want 2 and %q", code, text, one.text)
				}
				if strings.Contains(text, "starting") || strings.Contains(text, "secret\"") {
					t.Errorf("it began to run, or showed a secret: %q", text)
				}
			})
		}
	}
}

// TestStart_withoutItsPort: a program whose admin listener's port is taken ends
// with 1, and names the key.
func TestStart_withoutItsPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name := range services {
		_, environ := places(t, name)
		code, text := run(t, name, append(environ, "PARLEY_ADMIN__LISTEN="+taken.Addr().String()))
		if code != 1 || !strings.Contains(text, taken.Addr().String()) || !strings.Contains(text, "address already in use") {
			t.Errorf("%s ended with %d and %q, want 1 and the address", name, code, text)
		}
	}
}

// TestHealthcheck_ofNobody: without a process there it fails and says so.
func TestHealthcheck_ofNobody(t *testing.T) {
	for name := range services {
		_, environ := places(t, name)
		if code, text := run(t, name, append(environ, "PARLEY_ADMIN__LISTEN="+stack.FreeAddress(t)), "healthcheck"); code != 1 || !strings.Contains(text, "refused") {
			t.Errorf("%s healthcheck ended with %d and %q, want 1 and that nobody listens", name, code, text)
		}
	}
}
