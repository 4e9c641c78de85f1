package authsvc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/authsvc/internal/request"
	"github.com/parley-rtc/parley/authsvc/internal/turn"
	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/token"
	"github.com/parley-rtc/parley/services/token/keywatch"
)

// The checks of /readyz.
const (
	checkKeys     = "keys"     // the signing key is published, and edges believe it
	checkApps     = "apps"     // all apps are known
	checkListener = "listener" // HTTP is served
	checkICE      = "ice"      // TURN credentials are made
)

// workers answer NATS requests; a signature is pure CPU.
const workers = 4

// service is one running authsvc.
type service struct {
	cfg    Config
	apps   []contract.AppRecord // as configured
	issuer *issuer
	turn   turn.Issuer
	health *lifecycle.Health
}

// Run is the service. It waits for roomsvc to make the buckets, publishes what
// is configured, answers requests for tokens, and ends when ctx does.
func Run(ctx context.Context, cfg Config, nc *nats.Conn) error {
	s, err := newService(ctx, cfg)
	if err != nil {
		return err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	serve, err := open(ctx, cfg)
	if err != nil {
		return err
	}
	slog.InfoContext(ctx, "tokens are served", "path", TokensPath, "kid", s.issuer.ring.KeyID(), "apps", len(s.apps))
	s.health.Set(checkListener, nil)
	group := lifecycle.NewGroup(ctx)
	group.Go("http", func(ctx context.Context) error { return serve(ctx, s) })
	group.Go("records", func(ctx context.Context) error { return s.serveRecords(ctx, nc, js) })
	group.Go("ice", func(ctx context.Context) error {
		return s.answer(ctx, nc, contract.SubjectAuthICE, s.handleICE, func() { s.health.Set(checkICE, nil) })
	})
	return group.Wait()
}

func newService(ctx context.Context, cfg Config) (*service, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configuration of authsvc: %w", err)
	}
	ring, err := cfg.ring()
	if err != nil {
		return nil, fmt.Errorf("configuration of authsvc: %w", err)
	}
	s := &service{
		cfg:    cfg,
		apps:   cfg.records(),
		health: lifecycle.HealthFrom(ctx),
		issuer: &issuer{
			ring:   ring,
			rules:  request.Rules{Issuer: cfg.Issuer, DefaultTTL: cfg.TokenTTL, MaxTTL: cfg.MaxTokenTTL},
			apps:   backend.NewDirectory(),
			keys:   token.NewVerifier(token.DefaultRules()),
			limits: backend.NewLimits(cfg.Rate, cfg.Burst),
			now:    time.Now,
		},
		turn: cfg.TURN.issuer(),
	}
	for _, check := range []string{checkKeys, checkApps, checkListener, checkICE} {
		s.health.Set(check, lifecycle.ErrStarting)
	}
	return s, nil
}

// serveRecords publishes what is configured, keeps up with both buckets, and
// answers over NATS when it has all of them: an authsvc that starts must not
// take requests from those that have.
func (s *service) serveRecords(ctx context.Context, nc *nats.Conn, js jetstream.JetStream) error {
	keys, err := bus.OpenBucket(ctx, js, contract.BucketKeys)
	if err != nil {
		return err
	}
	apps, err := bus.OpenBucket(ctx, js, contract.BucketApps)
	if err != nil {
		return err
	}
	if err := publishKeys(ctx, keys, s.issuer.ring.KeyID(), s.issuer.ring.Records()); err != nil {
		return err
	}
	if err := publishApps(ctx, apps, s.apps, true); err != nil {
		return err
	}
	keysKnown, appsKnown := make(chan struct{}), make(chan struct{})
	group := lifecycle.NewGroup(ctx)
	group.Go("watch keys", func(ctx context.Context) error {
		return keywatch.Run(ctx, keys, s.issuer.keys, func() { close(keysKnown) })
	})
	group.Go("watch apps", func(ctx context.Context) error {
		return s.issuer.watchApps(ctx, apps, func() { close(appsKnown) })
	})
	group.Go("answer", func(ctx context.Context) error {
		if err := s.awaitRecords(ctx, keysKnown, appsKnown); err != nil {
			return err
		}
		return s.answer(ctx, nc, contract.SubjectAuthToken, s.handleNATS, func() {})
	})
	group.Go("refresh", func(ctx context.Context) error { return s.refresh(ctx, keys, apps) })
	return group.Wait()
}

// awaitRecords returns when both buckets are known, and says so.
func (s *service) awaitRecords(ctx context.Context, keysKnown, appsKnown <-chan struct{}) error {
	for _, known := range []<-chan struct{}{keysKnown, appsKnown} {
		select {
		case <-known:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.checkKey(nil)
	s.health.Set(checkApps, nil)
	for _, app := range s.issuer.apps.Apps() {
		if !slices.ContainsFunc(s.apps, func(own contract.AppRecord) bool { return own.App == app }) {
			slog.WarnContext(ctx, "an app isn't in this configuration and its API keys still count; to end it, configure it without any", "app", app)
		}
	}
	return nil
}

// checkKey says how the signing key stands.
func (s *service) checkKey(err error) {
	if err == nil && !s.issuer.keys.Knows(s.issuer.ring.KeyID()) {
		err = errors.New("the signing key isn't believed: its record in the bucket is missing or retired")
	}
	s.health.Set(checkKeys, err)
}

// answer serves one subject until ctx ends and the requests that have come are
// answered. It calls ready when they do come.
func (s *service) answer(ctx context.Context, nc *nats.Conn, subject string, handle bus.Handler, ready func()) error {
	server, err := bus.Serve(ctx, nc, subject, contract.QueueAuth, workers, handle)
	if err != nil {
		return err
	}
	ready()
	<-ctx.Done()
	server.Close()
	return nil
}

// refresh writes again what has gone from the buckets, for they outlive neither
// a lost disk nor an operator's slip, and looks at the signing key. Faults are
// told and tried again: what was issued stays good meanwhile.
func (s *service) refresh(ctx context.Context, keys, apps jetstream.KeyValue) error {
	ticker := time.NewTicker(s.cfg.Refresh)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
		err := publishKeys(ctx, keys, s.issuer.ring.KeyID(), s.issuer.ring.Records())
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.checkKey(err)
		if err := errors.Join(err, publishApps(ctx, apps, s.apps, false)); err != nil && ctx.Err() == nil {
			slog.WarnContext(ctx, "records not refreshed", "error", err)
		}
	}
}
