package authsvc

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/parley-rtc/parley/services/backend"
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
	return func(ctx context.Context, h http.Handler) error { return backend.Serve(ctx, ln, h) }, nil
}
