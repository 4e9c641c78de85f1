package standalone

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/candidatefilter"
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
	server, err := embednats.Start(embednats.Config{
		Name: "parley", StoreDir: filepath.Join(cfg.Standalone.StoreDir, "jetstream"), Listen: cfg.Standalone.NATSListen,
	})
	if err != nil {
		return err
	}
	defer server.Shutdown()
	nc, err := bus.Connect(ctx, bus.DefaultConfig(), "parley", server.InProcess())
	if err != nil {
		return fmt.Errorf("connect to the embedded NATS: %w", err)
	}
	defer nc.Close()
	return runServices(ctx, cfg, nc)
}

// runServices runs the four services until ctx ends or one of them fails.
func runServices(ctx context.Context, cfg Config, nc *nats.Conn) error {
	group := lifecycle.NewGroup(ctx)
	group.Go("roomsvc", func(ctx context.Context) error { return roomsvc.Run(ctx, cfg.Rooms, nc) })
	group.Go("authsvc", func(ctx context.Context) error { return authsvc.Run(ctx, cfg.Auth, nc) })
	group.Go("candidatefilter", func(ctx context.Context) error { return candidatefilter.Run(ctx, cfg.Filter, nc) })
	group.Go("edge", func(ctx context.Context) error { return edge.Run(ctx, cfg.Edge, nc) })
	return group.Wait()
}
