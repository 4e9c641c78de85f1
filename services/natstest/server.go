package natstest

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/embednats"
)

// reconnectWait is short: a test that restarts its server waits for it.
const reconnectWait = 10 * time.Millisecond

// Start runs a server on a free port of the loopback interface, with its files
// in the test's temporary folder, until the test ends.
func Start(t testing.TB) *embednats.Server {
	t.Helper()
	return start(t, embednats.Config{Name: "test", StoreDir: t.TempDir(), Listen: "127.0.0.1:-1"})
}

// Restart stops s and starts a server with the same files on the same port, so
// that connections made by [Connect] find it again.
func Restart(t testing.TB, s *embednats.Server) *embednats.Server {
	t.Helper()
	s.Shutdown()
	return start(t, s.Config())
}

func start(t testing.TB, cfg embednats.Config) *embednats.Server {
	t.Helper()
	s, err := embednats.Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

// Connect makes a connection to s that ends with the test. It goes over TCP and
// outlives [Restart].
func Connect(t testing.TB, s *embednats.Server) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(s.ClientURL(), nats.Name(t.Name()), nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait), nats.ReconnectBufSize(-1))
	if err != nil {
		t.Fatalf("connect to %s: %v", s.ClientURL(), err)
	}
	t.Cleanup(nc.Close)
	return nc
}
