package edge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/edge/internal/poll"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/link"
	"github.com/parley-rtc/parley/services/token"
	"github.com/parley-rtc/parley/services/token/keywatch"
)

// Edge is one running edge.
type Edge struct {
	// Static after construction.
	cfg      Config
	id       contract.Token
	nc       *nats.Conn
	js       jetstream.JetStream
	log      *link.Log
	links    *link.Links
	rooms    jetstream.KeyValue
	members  jetstream.KeyValue
	keys     jetstream.KeyValue
	verifier *token.Verifier
	tokens   *tokenDesk
	lease    *lease
	reader   *reader
	poller   *poll.Poller
	movers   movers
	shelves  shelves
	logs     logBounds
	reaches  rounds
	rewounds rewounds
	answers  answering
	started  time.Time

	// work ends when the edge gives up what is in flight; wg counts who does it.
	work     context.Context //nolint:containedctx // the life of background work
	stopWork context.CancelFunc
	wg       sync.WaitGroup
	opened   atomic.Bool // it was ready once: before, a good token might not be known to be good
	draining atomic.Bool

	operations atomic.Uint64 // numbers this edge's room changes
	ice        iceDoor
	acks       acks

	mu       sync.Mutex
	byRoom   map[string]*room // by contract.RoomKey
	sessions map[string]*clientSession
	bySecret map[secretHash]*clientSession
}

// Run is the edge. It returns nil when ctx ended and everything is stopped.
func Run(ctx context.Context, cfg Config, nc *nats.Conn) error {
	id, err := contract.NewProcessID(cfg.Name)
	if err != nil {
		return fmt.Errorf("edge id: %w", err)
	}
	health := lifecycle.HealthFrom(ctx)
	e := &Edge{
		cfg: cfg, id: id, nc: nc, started: time.Now(),
		ice:    iceDoor{slots: make(chan struct{}, iceRenewals)},
		byRoom: map[string]*room{}, sessions: map[string]*clientSession{}, bySecret: map[secretHash]*clientSession{},
	}
	checks := newChecks(health, cfg.Name, func() { e.opened.Store(true) })
	e.work, e.stopWork = context.WithCancel(context.WithoutCancel(ctx))
	defer e.stopWork()
	if err := e.open(ctx); err != nil {
		return ignoreEnd(ctx, err)
	}
	serve := cfg.Serve
	if serve == nil {
		listener := cfg.Listener
		if listener == nil {
			if listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen); err != nil {
				return fmt.Errorf("listen for clients: %w", err)
			}
		}
		serve = onListener(listener)
	}
	return e.serve(ctx, serve, checks)
}

// open waits for the buckets and builds what works on them.
func (e *Edge) open(ctx context.Context) (err error) {
	if e.js, err = jetstream.New(e.nc); err != nil {
		return fmt.Errorf("jetstream: %w", err)
	}
	for _, one := range []struct {
		bucket string
		kv     *jetstream.KeyValue
	}{{contract.BucketRooms, &e.rooms}, {contract.BucketMembers, &e.members}, {contract.BucketKeys, &e.keys}} {
		if *one.kv, err = bus.OpenBucket(ctx, e.js, one.bucket); err != nil {
			return fmt.Errorf("open bucket %s: %w", one.bucket, err)
		}
	}
	edges, err := bus.OpenBucket(ctx, e.js, contract.BucketEdges)
	if err != nil {
		return fmt.Errorf("open bucket %s: %w", contract.BucketEdges, err)
	}
	if e.log, err = link.OpenLog(ctx, e.js); err != nil {
		return err
	}
	e.lease = newLease(edges, e.id, e.cfg.Listen)
	e.movers.e, e.shelves.e = e, e
	e.reader = newReader(e)
	options := link.DefaultOptions()
	options.From = e.id
	options.Subject = func(to contract.Token) string { return contract.FilterSubject(e.id, to) }
	streams := bus.StreamsFrom(ctx)
	options.Gate = func() bool { return e.lease.held() && !streams.Lost() }
	options.Gather = min(e.cfg.Gather, options.Gather) * 3 / 4 // shorter than a busy poller waits, so that what it brings goes at once
	options.Settled = e.acks.flush
	if e.links, err = link.New(e.nc, e.log, options); err != nil {
		return err
	}
	if e.poller, err = poll.Start(poll.Options{Tick: e.cfg.Gather, Begin: e.links.Hold, End: e.links.Release}); err != nil {
		return err
	}
	rules := token.DefaultRules()
	rules.Issuer = e.cfg.Issuer
	e.verifier = token.NewVerifier(rules)
	e.tokens = newTokenDesk(e.verifier.Verify)
	return nil
}

// serve runs all parts. When ctx ends they go on until the clients are elsewhere,
// see drain; when one fails all end.
func (e *Edge) serve(ctx context.Context, serve serveFunc, checks *checks) error {
	group := lifecycle.NewGroup(context.WithoutCancel(ctx))
	group.Go("keys", func(ctx context.Context) error {
		return keywatch.Run(ctx, e.keys, e.verifier, func() {
			if e.verifier.Keys() == 0 { // the watch waits meanwhile, so awaitKey can't be overtaken
				checks.set("keys", errNoKey)
			}
		})
	})
	for range clerks() {
		e.goWork(e.tokens.work)
	}
	group.Go("first key", func(ctx context.Context) error { return e.awaitKey(ctx, checks) })
	group.Go("lease", func(ctx context.Context) error {
		return e.lease.run(ctx, func(err error) { checks.set("lease", err) }, func() {
			e.eachSession(func(s *clientSession) { s.goaway(goawayTime, "the edge can't reach its log; reconnect to another one") })
		})
	})
	group.Go("fences", e.fences)
	group.Go("reader", func(ctx context.Context) error {
		return e.reader.run(ctx, func(err error) { checks.set("reader", err) })
	})
	group.Go("position", e.reader.readOn)
	group.Go("events", e.followEvents)
	group.Go("pings", e.sweep)
	group.Go("listener", func(ctx context.Context) error {
		checks.set("listener", nil)
		return serve(ctx, e.id, e.handler())
	})
	group.Go("drain", func(parts context.Context) error {
		select {
		case <-ctx.Done():
			checks.set("listener", errDraining)
			if !errors.Is(context.Cause(ctx), bus.ErrRemade) { // or nothing can be settled, nor anybody resumed
				e.drain(parts)
			}
		case <-parts.Done():
		}
		return nil // which ends the others
	})
	err := group.Wait()
	e.stopWork()
	e.links.Close()
	e.closeSessions(contract.CloseRestart, "the edge stops")
	e.wg.Wait()
	e.poller.Close()
	return ignoreEnd(ctx, err)
}

// errNoKey is why an edge isn't ready that could let nobody in.
var errNoKey = errors.New("no signing key is published: is an authsvc running?")

// keyPoll is how often an edge without any key looks for its first one.
const keyPoll = 5 * time.Millisecond

// awaitKey makes the edge ready when it knows a key that tokens may be signed
// with. Keys stay known when every authsvc is down.
func (e *Edge) awaitKey(ctx context.Context, checks *checks) error {
	for ctx.Err() == nil && e.verifier.Keys() == 0 {
		pause(ctx, keyPoll)
	}
	checks.set("keys", nil)
	<-ctx.Done()
	return nil
}

// goawayTime is the time over which clients leave an edge that lost its lease.
const goawayTime = 5 * time.Second

func (e *Edge) eachSession(fn func(*clientSession)) {
	e.mu.Lock()
	all := make([]*clientSession, 0, len(e.sessions))
	for _, s := range e.sessions {
		all = append(all, s)
	}
	e.mu.Unlock()
	for _, s := range all {
		fn(s)
	}
}

// goWork starts background work that the edge waits for when it stops.
func (e *Edge) goWork(fn func(ctx context.Context)) { e.wg.Go(func() { fn(e.work) }) }

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}
