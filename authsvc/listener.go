package authsvc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of the public listener. A request is a few hundred bytes, so whoever
// needs longer has stalled or means harm.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 10 * time.Second
	writeTimeout   = 10 * time.Second
	idleTimeout    = 60 * time.Second
	maxHeaderBytes = 8 << 10
	closeTimeout   = 5 * time.Second // for requests that have begun
)

// open returns what serves a handler as cfg says. A port that is taken is told
// now.
func open(ctx context.Context, cfg Config) (func(context.Context, http.Handler) error, error) {
	if cfg.Serve != nil {
		return cfg.Serve, nil
	}
	ln := cfg.Listener
	if ln == nil {
		var err error
		if ln, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen); err != nil {
			return nil, fmt.Errorf("listen on %s (authsvc.listen): %w", cfg.Listen, err)
		}
	}
	slog.InfoContext(ctx, "listening", "address", ln.Addr().String())
	return func(ctx context.Context, h http.Handler) error { return serveHTTP(ctx, ln, h) }, nil
}

// serveHTTP serves h on ln until ctx ends and requests that have begun are
// answered. It closes ln.
func serveHTTP(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve http: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if err := srv.Shutdown(stopping); err != nil {
		_ = srv.Close() // the stalled ones; Shutdown's error says no more
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve http: %w", err)
	}
	return nil
}
