//go:build linux

package trial

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/parley-rtc/parley/tests/chaos/cluster"
	"github.com/parley-rtc/parley/tests/chaos/schedule"
)

const (
	// wellTimeout bounds the time that the cluster may need after a fault.
	wellTimeout = 90 * time.Second
	// loadAttempts is how many seconds a process may take to show load before it is
	// killed all the same, and not counted.
	loadAttempts = 10
)

// kinds are the processes that a fault is about; those of clients have none.
var kinds = map[schedule.Kind]cluster.Kind{
	schedule.KillEdge: cluster.Edge, schedule.PauseEdge: cluster.Edge, schedule.PartEdge: cluster.Edge, schedule.SlowEdge: cluster.Edge,
	schedule.KillFilter: cluster.Filter, schedule.PauseFilter: cluster.Filter,
	schedule.KillRoomsvc: cluster.Roomsvc, schedule.PauseRoomsvc: cluster.Roomsvc,
	schedule.KillAuthsvc:  cluster.Authsvc,
	schedule.KillFollower: cluster.NATS, schedule.KillLeader: cluster.NATS,
	schedule.PauseNATS: cluster.NATS, schedule.PartNATS: cluster.NATS, schedule.SlowNATS: cluster.NATS,
}

// inject has a fault happen, from its begin until all is well again.
func (t *trial) inject(ctx context.Context, f schedule.Fault) error {
	if err := rest(ctx, f.Calm); err != nil {
		return err
	}
	if err := t.fault(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", f, err)
	}
	well, cancel := context.WithTimeout(ctx, wellTimeout)
	defer cancel()
	if err := t.cluster.WaitHealthy(well); err != nil {
		return fmt.Errorf("after %s: %w", f, err)
	}
	t.diary.end(t.now())
	return nil
}

func (t *trial) fault(ctx context.Context, f schedule.Fault) error {
	if kinds[f.Kind] == "" {
		t.begin(f, "clients", true)
		t.crowd.Cut(f.Pick, f.Share, f.Cut, f.Kind == schedule.DoubleMove)
		return nil
	}
	p, err := t.target(ctx, f)
	if err != nil {
		return err
	}
	if f.Kind == schedule.KillFollower {
		well, cancel := context.WithTimeout(ctx, wellTimeout)
		defer cancel()
		if err := t.cluster.StepDown(well, p); err != nil {
			return err
		}
	}
	loaded, err := t.loaded(ctx, p)
	if err != nil {
		return err
	}
	t.begin(f, p.Name, loaded)
	switch f.Kind {
	case schedule.PauseEdge, schedule.PauseFilter, schedule.PauseRoomsvc, schedule.PauseNATS:
		p.Pause()
		defer p.Continue()
		return rest(ctx, f.Length)
	case schedule.PartEdge, schedule.PartNATS:
		if err := p.CutOff(f.Direction, f.NATSOnly); err != nil {
			return err
		}
		_ = rest(ctx, f.Length) // a run that ends heals it, too
		return p.Heal()
	case schedule.SlowEdge, schedule.SlowNATS:
		if err := p.Slow(); err != nil {
			return err
		}
		_ = rest(ctx, f.Length)
		return p.Fast()
	default:
		p.Kill()
		_ = rest(ctx, f.Down)
		return p.Start()
	}
}

// begin notes that a fault begins, and says so.
func (t *trial) begin(f schedule.Fault, target string, loaded bool) {
	t.diary.begin(f, target, loaded, t.now())
	t.progress("%s of %s", f, target)
}

// target finds what a fault meets.
func (t *trial) target(ctx context.Context, f schedule.Fault) (*cluster.Process, error) {
	candidates := slices.DeleteFunc(t.cluster.Of(kinds[f.Kind]), func(p *cluster.Process) bool { return !p.Runs() })
	switch f.Kind {
	case schedule.KillEdge, schedule.PauseEdge, schedule.PartEdge, schedule.SlowEdge:
		candidates = slices.DeleteFunc(candidates, func(p *cluster.Process) bool { return t.crowd.On(p.Name) == 0 })
	case schedule.KillLeader:
		return t.cluster.Leader(ctx, cluster.Stream(f.Pick))
	case schedule.KillFollower:
		first, err := t.cluster.ClusterLeader(ctx)
		if err != nil {
			return nil, err
		}
		candidates = slices.DeleteFunc(candidates, func(p *cluster.Process) bool { return p == first })
	default:
	}
	if len(candidates) == 0 {
		return nil, fmt.Errorf("there is no process for it")
	}
	return candidates[f.Pick%len(candidates)], nil
}

// loaded waits until a process did something within a second.
func (t *trial) loaded(ctx context.Context, p *cluster.Process) (bool, error) {
	before, err := p.Work(ctx)
	if err != nil {
		return false, err
	}
	for range loadAttempts {
		if err := rest(ctx, time.Second); err != nil {
			return false, err
		}
		now, err := p.Work(ctx)
		if err != nil {
			return false, err
		}
		if now > before {
			return true, nil
		}
		before = now
	}
	return false, nil
}

// rest waits, or returns early when ctx ends.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
