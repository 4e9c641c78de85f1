package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/parley-rtc/parley/services/telemetry"
)

const (
	// adminHeaderTimeout and adminMaxHeader bound what one admin client can
	// hold; adminStopTimeout is for a scrape that is under way at the end.
	adminHeaderTimeout = 5 * time.Second
	adminMaxHeader     = 16 << 10
	adminStopTimeout   = 2 * time.Second
)

// adminPorts are the ports of the services' admin listeners. Each has its own,
// so that all run on one machine.
var adminPorts = map[string]string{
	"edge":            "7421",
	"roomsvc":         "7422",
	"authsvc":         "7423",
	"candidatefilter": "7424",
}

// AdminConfig is the section "admin".
type AdminConfig struct {
	// Listen is host:port of the admin listener; empty means none.
	Listen string `koanf:"listen"`
	// Pprof serves Go's profiles under /debug/pprof/.
	Pprof bool `koanf:"pprof"`

	// Listener, if set, is used instead of Listen, and closed.
	Listener net.Listener `koanf:"-"`
}

// DefaultAdminConfig is the loopback address with the service's own port, or a
// free port for a name that isn't one of Parley's services. Loopback, because
// the listener asks nobody who they are.
func DefaultAdminConfig(name string) AdminConfig {
	port, ok := adminPorts[name]
	if !ok {
		port = "0"
	}
	return AdminConfig{Listen: net.JoinHostPort("127.0.0.1", port)}
}

// Validate reports every fault of the section.
func (c AdminConfig) Validate() error {
	if c.Listen == "" {
		if c.Pprof {
			return errors.New("pprof: needs admin.listen")
		}
		return nil
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("listen: must be host:port, as in 127.0.0.1:7421: %w", err)
	}
	return nil
}

// AdminHandler serves /healthz (the process lives), /readyz (every check is
// good; else 503 and why), /metrics, /version and, when configured,
// /debug/pprof/.
func AdminHandler(cfg AdminConfig, health *Health) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { writeReady(w, health) })
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, BuildVersion()+"\n")
	})
	mux.Handle("GET /metrics", telemetry.MetricsHandler())
	if cfg.Pprof {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

func writeReady(w http.ResponseWriter, health *Health) {
	ready, checks := health.Ready()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	if !ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(struct {
		Ready  bool              `json:"ready"`
		Checks map[string]string `json:"checks"`
	}{ready, checks})
}

// ServeAdmin serves AdminHandler on cfg.Listen, or cfg.Listener, until ctx ends, and then returns
// nil; with an empty Listen it only waits. The address stands in a log line.
func ServeAdmin(ctx context.Context, cfg AdminConfig, health *Health) error {
	listener := cfg.Listener
	if listener == nil {
		if cfg.Listen == "" {
			<-ctx.Done()
			return nil
		}
		var err error
		if listener, err = new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen); err != nil {
			return fmt.Errorf("admin.listen: %w", err)
		}
	}
	slog.InfoContext(ctx, "admin listens", "address", listener.Addr().String())
	server := &http.Server{
		Handler:           AdminHandler(cfg, health),
		ReadHeaderTimeout: adminHeaderTimeout,
		MaxHeaderBytes:    adminMaxHeader,
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve admin: %w", err)
	case <-ctx.Done():
	}
	stopCtx, cancel := context.WithTimeout(context.WithoutCancel(ctx), adminStopTimeout)
	defer cancel()
	if server.Shutdown(stopCtx) != nil {
		_ = server.Close() // a client that doesn't finish is cut off
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve admin: %w", err)
	}
	return nil
}
