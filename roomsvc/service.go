package roomsvc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/link"
)

// The checks of readiness.
const (
	checkBuckets  = "roomsvc buckets"  // made and open
	checkIndex    = "roomsvc index"    // every document and policy was seen
	checkRequests = "roomsvc requests" // subscribed
	checkAPI      = "roomsvc api"      // the Server API is served, if there is one
)

// errStopping is why a service that ends is no longer ready.
var errStopping = errors.New("stopping")

// service is one running roomsvc.
type service struct {
	cfg       Config
	self      contract.Token
	store     *store.Store
	index     *index.Index
	policies  *policies
	keys      *backend.Keys
	settling  *settling
	streams   *streamer
	committer *committer
	documents *documents
	records   *records
	teller    *teller
	sweeper   *sweeper
	refresher *refresher
}

// Run makes the buckets, builds the index and serves until ctx ends; it then
// finishes what it has taken. Several may run over one NATS.
func Run(ctx context.Context, cfg Config, nc *nats.Conn) error {
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("roomsvc's configuration: %w", err)
	}
	health := lifecycle.HealthFrom(ctx)
	entrance, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	checks := []string{checkBuckets, checkIndex, checkRequests}
	if entrance != nil {
		checks = append(checks, checkAPI)
	}
	for _, check := range checks {
		health.Set(check, lifecycle.ErrStarting)
	}
	s, err := start(ctx, cfg, nc, health)
	if err != nil {
		entrance.close()
		if ctx.Err() != nil {
			return nil //nolint:nilerr // asked to stop before JetStream was ready
		}
		return err
	}
	return s.run(ctx, nc, health, entrance)
}

// start makes the buckets and opens all that needs them. What it returns must
// be run.
func start(ctx context.Context, cfg Config, nc *nats.Conn, health *lifecycle.Health) (*service, error) {
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("use JetStream: %w", err)
	}
	self, err := contract.NewProcessID(cfg.Name)
	if err != nil {
		return nil, fmt.Errorf("make process id: %w", err)
	}
	bus.StreamsFrom(ctx).Make()
	err = store.Ensure(ctx, js, cfg.layout(), func(why error) { health.Set(checkBuckets, why) })
	if err != nil {
		return nil, err
	}
	st, err := store.Open(ctx, js)
	if err != nil {
		return nil, err
	}
	log, err := link.OpenLog(ctx, js)
	if err != nil {
		return nil, err
	}
	health.Set(checkBuckets, nil)
	return assemble(cfg, self, nc, js, st, log)
}

func assemble(cfg Config, self contract.Token, nc *nats.Conn, js jetstream.JetStream, st *store.Store, log *link.Log) (*service, error) {
	x := index.New()
	options := link.DefaultOptions()
	options.From = self
	options.Subject = func(to contract.Token) string { return log.Subject(self, to) }
	links, err := link.New(nc, log, options)
	if err != nil {
		return nil, err
	}
	t := &teller{self: self, nc: nc, index: x, due: map[contract.Token]map[room.Ref]uint64{}}
	p := newPolicies(cfg.rules())
	settling := newSettling(self, nc)
	c := newCommitter(cfg, st, x, p, &announcer{self: self, links: links, tell: t.tell}, settling)
	return &service{
		cfg: cfg, self: self, store: st, index: x, policies: p, committer: c, teller: t, settling: settling,
		keys:      backend.NewKeys(backend.NewLimits(cfg.Rate, cfg.Burst)),
		streams:   newStreamer(cfg, js, log.Shards(), x),
		documents: &documents{index: x, refresh: cfg.RefreshInterval, tell: t.tell, keep: c.saw, waiting: map[room.Ref]store.Value{}},
		records:   &records{index: x, tell: t.tell},
		sweeper:   newSweeper(cfg, st, x, c, nc),
		refresher: &refresher{index: x, store: st, interval: cfg.RefreshInterval},
	}, nil
}

// run starts what watches, then what acts on it: a sweep or an answer before
// the index is whole would be wrong.
func (s *service) run(ctx context.Context, nc *nats.Conn, health *lifecycle.Health, entrance *entrance) error {
	const watches = 3
	seen := make(chan struct{}, watches)
	ready := func() { seen <- struct{}{} }
	g := lifecycle.NewGroup(ctx)
	g.Go("rooms", func(ctx context.Context) error {
		return s.store.WatchRooms(ctx, s.documents.saw, func() { s.documents.ready(); ready() })
	})
	g.Go("apps", func(ctx context.Context) error {
		return s.store.WatchApps(ctx, s.sawApp, func() { s.keys.Complete(); ready() })
	})
	g.Go("leases", func(ctx context.Context) error { return s.store.WatchLeases(ctx, s.sweeper.saw, ready) })
	g.Go("serve", func(ctx context.Context) error {
		defer s.committer.close()
		for range watches {
			select {
			case <-seen:
			case <-ctx.Done():
				entrance.close()
				return ctx.Err()
			}
		}
		health.Set(checkIndex, nil)
		s.act(g)
		if entrance != nil {
			g.Go("api", func(ctx context.Context) error { return entrance.serve(ctx, s, health) })
		}
		return s.serve(ctx, nc, health)
	})
	return g.Wait()
}

// sawApp takes over an app's record: its rules, and its API keys.
func (s *service) sawApp(v store.Value) {
	s.policies.saw(v)
	s.keys.Saw(v.Key, v.Data)
}

// act starts all that needs a whole index.
func (s *service) act(g *lifecycle.Group) {
	g.Go("documents", s.documents.run)
	g.Go("members", func(ctx context.Context) error { return s.store.WatchMembers(ctx, s.records.saw, nil) })
	g.Go("sweep", s.sweeper.run)
	g.Go("settling", func(ctx context.Context) error { return s.settling.serve(ctx, s.committer.over) })
	g.Go("streams", s.streams.run)
	g.Go("refresh", s.refresher.run)
	g.Go("tell", func(ctx context.Context) error { return s.teller.run(ctx, s.cfg.TellInterval) })
}

// serve answers requests until ctx ends, and then those that were taken.
func (s *service) serve(ctx context.Context, nc *nats.Conn, health *lifecycle.Health) error {
	server, err := bus.Serve(ctx, nc, contract.SubjectRoomChange, contract.QueueRooms, s.cfg.Workers, s.handleChange)
	if err != nil {
		return err
	}
	health.Set(checkRequests, nil)
	slog.InfoContext(ctx, "serving rooms", "id", s.self.String())
	<-ctx.Done()
	health.Set(checkRequests, errStopping)
	server.Close()
	return ctx.Err()
}

// level is this process's part of a gauge that several may share.
type level struct {
	gauge prometheus.Gauge
	value float64
}

func (l *level) set(value float64) {
	l.gauge.Add(value - l.value)
	l.value = value
}
