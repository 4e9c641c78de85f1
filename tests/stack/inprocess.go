package stack

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
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
// embedded NATS server, each over a connection of its own, and waits until all
// are ready.
func InProcess(t testing.TB, o Options) *Stack {
	t.Helper()
	o.fill()
	s := Begin(t, o)
	t.Cleanup(func() { // before the connections' own, which were made earlier
		if err := s.End(); err != nil {
			t.Errorf("the services ended with %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.AllReady(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// Begin is InProcess without the wait: who calls it waits for AllReady, and must
// End it.
func Begin(t testing.TB, o Options) *Stack {
	t.Helper()
	o.fill()
	health := lifecycle.NewHealth()
	ctx, cancel := context.WithCancel(lifecycle.WithHealth(context.Background(), health))
	group := lifecycle.NewGroup(ctx)
	s := &Stack{health: health, parts: o.parts(), end: func() error {
		cancel()
		return group.Wait()
	}}
	if o.Connect == nil {
		server := natstest.Start(t)
		o.Connect = func(string) *nats.Conn { return natstest.Connect(t, server) }
		s.NATS = natstest.Connect(t, server)
	}
	run := func(name string, service func(ctx context.Context, nc *nats.Conn) error) {
		nc := o.Connect(name)
		group.Go(name, func(ctx context.Context) error {
			if err := service(ctx, nc); !nc.IsClosed() || ctx.Err() != nil { // else it was cut off for good
				return err
			}
			return nil
		})
	}
	rooms := roomsvc.DefaultConfig()
	rooms.Shards = o.Shards
	rooms.Rate, rooms.Burst = 10_000, 10_000
	if o.Rooms != nil {
		o.Rooms(&rooms)
	}
	for i := range 2 {
		rooms := rooms
		rooms.Listener = listen(t)
		s.RoomsURLs = append(s.RoomsURLs, "http://"+rooms.Listener.Addr().String())
		run(fmt.Sprintf("roomsvc-%d", i+1), func(ctx context.Context, nc *nats.Conn) error { return roomsvc.Run(ctx, rooms, nc) })
	}
	auth := authConfig(t, s.newKey())
	auth.TURN = o.TURN
	s.AuthURLs = []string{"http://" + auth.Listener.Addr().String()}
	run("authsvc", func(ctx context.Context, nc *nats.Conn) error { return authsvc.Run(ctx, auth, nc) })
	filter := candidatefilter.DefaultConfig()
	filter.Policy = o.Policy
	if o.Filter == nil {
		o.Filter = func(ctx context.Context, nc *nats.Conn) error { return candidatefilter.Run(ctx, filter, nc) }
	}
	run("candidatefilter", o.Filter)
	for i := range o.Edges {
		cfg := edgeConfig(t, o, i)
		s.Edges = append(s.Edges, "ws://"+cfg.Listener.Addr().String()+"/v1/ws")
		run(cfg.Name, func(ctx context.Context, nc *nats.Conn) error { return edge.Run(ctx, cfg, nc) })
	}
	return s
}

// AllReady waits until all services in this process are ready, or ctx ends.
func (s *Stack) AllReady(ctx context.Context) error {
	for {
		ready, checks := s.health.Ready()
		if ready && s.begun(checks) {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("not ready: %v", checks)
		}
		wait(ctx, 5*time.Millisecond)
	}
}

// parts are how the names of a check of each part begin; a test's own filter has none.
func (o *Options) parts() []string {
	parts := []string{"roomsvc ", "ice"} // of authsvc
	if o.Filter == nil {
		parts = append(parts, "candidatefilter")
	}
	for i := range o.Edges {
		parts = append(parts, edgeName(i)+"/")
	}
	return parts
}

// begun reports whether every part has registered its checks, which none is ready
// without.
func (s *Stack) begun(checks map[string]string) bool {
	missing := slices.Clone(s.parts)
	for check := range checks {
		missing = slices.DeleteFunc(missing, func(part string) bool { return strings.HasPrefix(check, part) })
	}
	return len(missing) == 0
}

// End stops the services in this process and returns how they ended.
func (s *Stack) End() error { return s.end() }

func edgeName(i int) string { return fmt.Sprintf("edge-%d", i+1) }

func edgeConfig(t testing.TB, o Options, i int) edge.Config {
	t.Helper()
	cfg := edge.DefaultConfig()
	cfg.Name = edgeName(i)
	cfg.Limits, cfg.ICEPolicy = o.Limits, o.Policy
	if o.Edge != nil {
		o.Edge(&cfg)
	}
	cfg.Listener = listen(t)
	return cfg
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
