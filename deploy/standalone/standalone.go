package standalone

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/candidatefilter"
	"github.com/parley-rtc/parley/deploy/standalone/turn"
	"github.com/parley-rtc/parley/edge"
	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/embednats"
	"github.com/parley-rtc/parley/services/lifecycle"
)

// Run is all of Parley. It returns nil when ctx ended and everything is
// stopped. Health is that of ctx, see lifecycle.WithHealth.
//
// Only one process at a time may use the store folder.
func Run(ctx context.Context, cfg Config) error {
	unlock, err := lockFolder(cfg.Standalone.StoreDir)
	if err != nil {
		return err
	}
	defer unlock()
	if cfg.Edge.Listener == nil {
		if cfg.Edge.Listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Edge.Listen); err != nil {
			return fmt.Errorf("listen for clients: %w", err)
		}
	}
	server, err := embednats.Start(embednats.Config{
		Name: "parley", StoreDir: filepath.Join(cfg.Standalone.StoreDir, "jetstream"), Listen: cfg.Standalone.NATSListen,
	})
	if err != nil {
		_ = cfg.Edge.Listener.Close() // nobody has connected
		return err
	}
	defer server.Shutdown()
	own := bus.DefaultConfig()
	own.URL = "nats://in-process" // stands in the log; nothing connects to it
	nc, err := bus.Connect(ctx, own, "parley", server.InProcess())
	if err != nil {
		_ = cfg.Edge.Listener.Close() // nobody has connected
		return fmt.Errorf("connect to the embedded NATS: %w", err)
	}
	defer nc.Close()
	return runParts(ctx, cfg, nc)
}

// runParts runs the services behind the front until ctx ends or one of them
// fails.
func runParts(ctx context.Context, cfg Config, nc *nats.Conn) error {
	front := cfg.Front
	if front == nil {
		front = &Front{}
	}
	edges := max(1, cfg.Standalone.Edges)
	front.Edges, front.Services, front.Health = edges, []string{authsvc.TokensPath, roomsvc.RoomsPath}, lifecycle.HealthFrom(ctx)
	front.Health.Set(CheckFront, lifecycle.ErrStarting)
	cfg.Auth.Serve, cfg.Rooms.Serve = front.Mount(authsvc.TokensPath), front.Mount(roomsvc.RoomsPath)
	group := lifecycle.NewGroup(ctx)
	if cfg.TURN.Listen != "" {
		if len(cfg.Auth.TURN.URLs) == 0 {
			cfg.Auth.TURN.URLs, cfg.Auth.TURN.Secret = cfg.TURN.URLs(), cfg.TURN.Secret
		}
		group.Go("turn", func(ctx context.Context) error { return turn.Run(ctx, cfg.TURN) })
	}
	group.Go("front", func(ctx context.Context) error { return serveFront(ctx, cfg.Edge.Listener, front) })
	group.Go("roomsvc", func(ctx context.Context) error { return roomsvc.Run(ctx, cfg.Rooms, nc) })
	group.Go("authsvc", func(ctx context.Context) error { return authsvc.Run(ctx, cfg.Auth, nc) })
	group.Go("candidatefilter", func(ctx context.Context) error { return candidatefilter.Run(ctx, cfg.Filter, nc) })
	for i := range edges {
		one := cfg.Edge
		one.Serve = front.Edge
		if edges > 1 {
			one.Name += "-" + strconv.Itoa(i+1)
		}
		group.Go(one.Name, func(ctx context.Context) error { return edge.Run(ctx, one, nc) })
	}
	return group.Wait()
}
