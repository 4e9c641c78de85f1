package candidatefilter

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/link"
)

// check is the name under which the service says whether it is ready.
const check = "candidatefilter"

// filter is one running service.
type filter struct {
	cfg Config
	nc  *nats.Conn
	log *link.Log
}

// Run is the candidate filter. It returns nil when ctx ended and what was in
// hand is done.
func Run(ctx context.Context, cfg Config, nc *nats.Conn) error {
	health := lifecycle.HealthFrom(ctx)
	health.Set(check, lifecycle.ErrStarting)
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("jetstream: %w", err)
	}
	log, err := link.OpenLog(ctx, js)
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	f := &filter{cfg: cfg, nc: nc, log: log}
	server, err := bus.Serve(ctx, nc, contract.SubjectFilterAll, contract.QueueFilter, cfg.Workers, f.handleEntry,
		bus.Capacity(cfg.Queue))
	if err != nil {
		return fmt.Errorf("take entries: %w", err)
	}
	health.Set(check, nil)
	slog.InfoContext(ctx, "candidate filter takes entries", "policy", string(cfg.Policy), "shards", log.Shards())
	<-ctx.Done()
	health.Set(check, errors.New("stopping"))
	server.Close()
	return nil
}
