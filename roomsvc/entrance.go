package roomsvc

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/lifecycle"
)

// entrance is how the Server API is reached; nil: it isn't.
type entrance struct {
	listener net.Listener // nil with Config.Serve
	handler  func(ctx context.Context, h http.Handler) error
}

// open listens as cfg says. A port that is taken is told now.
func open(ctx context.Context, cfg Config) (*entrance, error) {
	ln := cfg.Listener
	switch {
	case cfg.Serve != nil:
		return &entrance{handler: cfg.Serve}, nil
	case ln == nil && cfg.Listen == "":
		return nil, nil //nolint:nilnil // there is none, and nothing is wrong
	case ln == nil:
		var err error
		if ln, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen); err != nil {
			return nil, fmt.Errorf("listen on %s (roomsvc.listen): %w", cfg.Listen, err)
		}
	}
	return &entrance{listener: ln, handler: func(ctx context.Context, h http.Handler) error { return backend.Serve(ctx, ln, h) }}, nil
}

// serve serves h until ctx ends.
func (e *entrance) serve(ctx context.Context, h http.Handler, health *lifecycle.Health) error {
	if e.listener != nil {
		slog.InfoContext(ctx, "the Server API is served", "address", e.listener.Addr().String(), "path", RoomsPath)
	}
	health.Set(checkAPI, nil)
	return e.handler(ctx, h)
}

// close closes a listener that was never served.
func (e *entrance) close() {
	if e != nil && e.listener != nil {
		_ = e.listener.Close() // nobody has connected
	}
}
