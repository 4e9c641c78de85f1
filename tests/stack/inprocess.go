package stack

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/candidatefilter"
	"github.com/parley-rtc/parley/edge"
	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/natstest"
)

// InProcess runs the services, edges among them, in this process over an
// embedded NATS server, each over a connection of its own.
func InProcess(t testing.TB, o Options) *Stack {
	t.Helper()
	o.fill()
	server := natstest.Start(t)
	health := lifecycle.NewHealth()
	ctx, cancel := context.WithCancel(lifecycle.WithHealth(context.Background(), health))
	group := lifecycle.NewGroup(ctx)
	s := &Stack{NATS: natstest.Connect(t, server)}
	run := func(name string, service func(ctx context.Context, nc *nats.Conn) error) {
		nc := natstest.Connect(t, server)
		group.Go(name, func(ctx context.Context) error { return service(ctx, nc) })
	}
	rooms := roomsvc.DefaultConfig()
	rooms.Shards = o.Shards
	rooms.Rate, rooms.Burst = 10_000, 10_000
	for i := range 2 {
		rooms := rooms
		rooms.Listener = listen(t)
		s.RoomsURLs = append(s.RoomsURLs, "http://"+rooms.Listener.Addr().String())
		run(fmt.Sprintf("roomsvc-%d", i+1), func(ctx context.Context, nc *nats.Conn) error { return roomsvc.Run(ctx, rooms, nc) })
	}
	auth := authConfig(t, s.newKey())
	auth.TURN = o.TURN
	s.AuthURL = "http://" + auth.Listener.Addr().String()
	run("authsvc", func(ctx context.Context, nc *nats.Conn) error { return authsvc.Run(ctx, auth, nc) })
	filter := candidatefilter.DefaultConfig()
	filter.Policy = o.Policy
	run("candidatefilter", func(ctx context.Context, nc *nats.Conn) error { return candidatefilter.Run(ctx, filter, nc) })
	for i := range o.Edges {
		cfg := edge.DefaultConfig()
		cfg.Name = fmt.Sprintf("edge-%d", i+1)
		cfg.Limits, cfg.ICEPolicy = o.Limits, o.Policy
		cfg.Listener = listen(t)
		s.Edges = append(s.Edges, "ws://"+cfg.Listener.Addr().String()+"/v1/ws")
		run(cfg.Name, func(ctx context.Context, nc *nats.Conn) error { return edge.Run(ctx, cfg, nc) })
	}
	t.Cleanup(func() { // before the connections' own, which were made earlier
		cancel()
		if err := group.Wait(); err != nil {
			t.Errorf("the services ended with %v", err)
		}
	})
	s.waitHealthy(t, health, partsInProcess+o.Edges)
	return s
}

// partsInProcess is the number of services beside the edges whose checks must be
// there.
const partsInProcess = 4

func (s *Stack) waitHealthy(t testing.TB, health *lifecycle.Health, parts int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		ready, checks := health.Ready()
		if ready && len(checks) >= parts {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("not ready: %v", checks)
		}
		wait(ctx, 5*time.Millisecond)
	}
}

func authConfig(t testing.TB, key config.Secret) authsvc.Config {
	t.Helper()
	cfg := authsvc.DefaultConfig()
	cfg.Listener = listen(t)
	cfg.SigningKey = key
	cfg.Rate, cfg.Burst = 10_000, 10_000
	cfg.Apps = []authsvc.App{{ID: App, APIKeys: map[string]config.Secret{"test": APIKey}}}
	return cfg
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // binds at once
	if err != nil {
		t.Fatal(err)
	}
	return l
}
