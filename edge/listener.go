package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/parley-rtc/parley/services/contract"
)

// serveFunc serves an edge's handler until ctx ends, see Config.Serve.
type serveFunc func(ctx context.Context, id contract.Token, h http.Handler) error

// onListener serves on a listener, which it closes. Sockets that became
// WebSockets are hijacked and go on.
func onListener(listener net.Listener) serveFunc {
	return func(ctx context.Context, id contract.Token, h http.Handler) error {
		slog.InfoContext(ctx, "edge is open", "edge", id.String(), "address", listener.Addr().String())
		server := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout, MaxHeaderBytes: maxHeaderBytes}
		stopped := make(chan error, 1)
		go func() { stopped <- server.Serve(listener) }()
		select {
		case err := <-stopped:
			return fmt.Errorf("serve clients: %w", err)
		case <-ctx.Done():
		}
		err := server.Close()
		if ended := <-stopped; !errors.Is(ended, http.ErrServerClosed) {
			err = errors.Join(err, ended)
		}
		return err
	}
}
