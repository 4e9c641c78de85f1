package candidatefilter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/link"
)

// check is the name under which the service says whether it is ready.
const check = "candidatefilter"

// payloadBytes is what NATS must take in one message: its own default, and more
// than any entry of an edge can grow to (see maxStoredBytes).
const payloadBytes = 1 << 20

// filter is one running service.
type filter struct {
	// Static after construction.
	cfg       Config
	nc        *nats.Conn
	log       *link.Log
	sanitiser sanitiser
	routes    routes
	commits   chan struct{} // holds one for each entry that waits for its commit

	committing sync.WaitGroup // started by workers only, so it may be waited for when they have ended
}

// Run is the candidate filter. It returns nil when ctx ended and what was in
// hand was given to nc, which the caller must flush before closing it.
func Run(ctx context.Context, cfg Config, nc *nats.Conn) error {
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("configuration of candidatefilter: %w", err)
	}
	health := lifecycle.HealthFrom(ctx)
	health.Set(check, lifecycle.ErrStarting)
	if most := nc.MaxPayload(); most < payloadBytes {
		return fmt.Errorf("NATS takes at most %d bytes a message and an entry may need %d: raise max_payload of the servers", most, payloadBytes)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	log, err := link.OpenLog(ctx, js)
	switch {
	case ctx.Err() != nil:
		return nil //nolint:nilerr // asked to stop before the log was there
	case err != nil:
		return err
	}
	return newFilter(cfg, nc, log).serve(ctx)
}

func newFilter(cfg Config, nc *nats.Conn, log *link.Log) *filter {
	return &filter{
		cfg: cfg, nc: nc, log: log, routes: routes{log: log},
		sanitiser: newSanitiser(cfg.Policy, cfg.Descriptions.limits()),
		commits:   make(chan struct{}, cfg.Commits),
	}
}

// serve takes entries until ctx ends, and returns when those it took are done.
func (f *filter) serve(ctx context.Context) error {
	health := lifecycle.HealthFrom(ctx)
	server, err := bus.Serve(ctx, f.nc, contract.SubjectFilterAll, contract.QueueFilter, f.cfg.Workers, f.handleEntry,
		bus.Capacity(f.cfg.Queue))
	if err != nil {
		return fmt.Errorf("take entries: %w", err)
	}
	health.Set(check, nil)
	slog.InfoContext(ctx, "candidate filter takes entries", "policy", string(f.cfg.Policy), "shards", f.log.Shards())
	<-ctx.Done()
	health.Set(check, errors.New("stopping"))
	server.Close()
	f.committing.Wait()
	return nil
}
