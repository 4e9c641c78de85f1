package roomsvc

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/roomsvc/internal/lease"
	"github.com/parley-rtc/parley/services/contract"
)

// tell tells the other roomsvcs how long leases have stood still here, of edges that
// are out. Nobody's clock is compared with another's: a duration is as long there.
func (s *sweeper) tell(ctx context.Context, now time.Time) {
	s.mu.Lock()
	standing := s.observer.Standing(now, s.cfg.LeaseTimeout)
	s.mu.Unlock()
	if len(standing) == 0 {
		return
	}
	var m contract.Standstill
	for _, one := range standing {
		m.Leases = append(m.Leases, contract.StandingLease{Edge: one.Edge, Revision: one.Revision, Milliseconds: one.For.Milliseconds()})
	}
	text, err := json.Marshal(m)
	if err == nil {
		err = s.nc.Publish(contract.SubjectStandstill, text)
	}
	if err != nil {
		slog.DebugContext(ctx, "other roomsvcs aren't told how long leases stand still; they are at the next look", "error", err)
	}
}

// listen hears what other roomsvcs tell, until stop is called.
func (s *sweeper) listen() (stop func(), err error) {
	sub, err := s.nc.Subscribe(contract.SubjectStandstill, s.hear)
	if err != nil {
		return nil, fmt.Errorf("hear how long leases stand still elsewhere: %w", err)
	}
	return func() { _ = sub.Unsubscribe() }, nil // fails only on a connection that is closed
}

func (s *sweeper) hear(m *nats.Msg) {
	var told contract.Standstill
	if err := json.Unmarshal(m.Data, &told); err != nil {
		slog.Warn("what another roomsvc tells of leases can't be read", "error", err)
		return
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range told.Leases {
		s.observer.Heard(lease.Standstill{Edge: one.Edge, Revision: one.Revision, For: time.Duration(one.Milliseconds) * time.Millisecond}, now)
	}
}
