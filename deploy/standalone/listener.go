package standalone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of the public listener. Connections that became WebSockets have left
// it, and have the edge's own.
const (
	headerTimeout  = 5 * time.Second
	bodyTimeout    = 15 * time.Second
	writeTimeout   = 30 * time.Second // of an answer; a handler that takes longer sets its own
	idleTimeout    = 60 * time.Second
	maxHeaderBytes = 32 << 10 // browsers send the cookies of every other program on localhost
	closeTimeout   = time.Second
)

// serveFront serves on the listener, which it closes, until ctx ends and the
// requests that have begun are answered.
func serveFront(ctx context.Context, listener net.Listener, h http.Handler) error {
	slog.InfoContext(ctx, "the front listens", "address", listener.Addr().String())
	server := &http.Server{
		Handler:           withBodyTimeout(h),
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve clients: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	if server.Shutdown(stopping) != nil {
		_ = server.Close() // the stalled ones; Shutdown's error says no more
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve clients: %w", err)
	}
	return nil
}

// withBodyTimeout bounds how long a body may take. A time-out of the server's
// would bound the answer, too, and there are answers that stream: it counts as a
// client that has gone away.
func withBodyTimeout(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			// What has no deadlines needs none: it isn't a connection.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout))
		}
		h.ServeHTTP(w, r)
	})
}
