package embednats

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

func bucketOf(t *testing.T, nc *nats.Conn) jetstream.KeyValue {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.CreateOrUpdateKeyValue(testContext(t), jetstream.KeyValueConfig{Bucket: "b"})
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestServer_InProcess(t *testing.T) {
	s := start(t, Config{StoreDir: t.TempDir(), SyncInterval: -1, MaxMemory: 1 << 20, MaxStore: 1 << 30})
	if got := s.ClientURL(); got != "" {
		t.Errorf("address: got %s, want none", got)
	}
	nc, err := s.Connect("test")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if _, err := bucketOf(t, nc).Put(testContext(t), "k", []byte("v")); err != nil {
		t.Errorf("JetStream: %v", err)
	}
}

func TestServer_KeepsItsFilesAndItsPort(t *testing.T) {
	s := start(t, Config{StoreDir: t.TempDir(), Listen: "127.0.0.1:-1"})
	nc, err := nats.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bucketOf(t, nc).Put(testContext(t), "k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	nc.Close()
	url, cfg := s.ClientURL(), s.Config()
	s.Shutdown()
	s.Shutdown() // a second one is no trouble

	s = start(t, cfg)
	if got := s.ClientURL(); got != url {
		t.Errorf("address: got %s, want %s as before", got, url)
	}
	nc, err = s.Connect("test")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	entry, err := bucketOf(t, nc).Get(testContext(t), "k")
	if err != nil || string(entry.Value()) != "v" {
		t.Errorf("after the restart: got %v, %v; want v", entry, err)
	}
}

func TestStart_Faults(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tc := range []struct {
		name string
		cfg  Config
		want string
	}{
		{"no folder", Config{}, "folder for JetStream's files must be set"},
		{"a folder that can't be made", Config{StoreDir: "/proc/nats"}, "/proc/nats"},
		{"no port", Config{StoreDir: t.TempDir(), Listen: "127.0.0.1"}, "listen address"},
		{"no number", Config{StoreDir: t.TempDir(), Listen: "127.0.0.1:nats"}, "must be a number"},
		{"a port in use", Config{StoreDir: t.TempDir(), Listen: taken.Addr().String()}, "address already in use"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			began := time.Now()
			s, err := Start(tc.cfg)
			if err == nil {
				s.Shutdown()
				t.Fatal("got no error")
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want it to contain %q", err, tc.want)
			}
			if took := time.Since(began); took > readyTimeout/2 {
				t.Errorf("took %v, want the fault at once", took)
			}
		})
	}
}
