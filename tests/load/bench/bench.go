//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/parley-rtc/parley/tests/load/driver"
	"github.com/parley-rtc/parley/tests/load/machine"
	"github.com/parley-rtc/parley/tests/load/target"
)

// Bench runs a plan.
type Bench struct {
	Plan     Plan
	Folders  target.Folders
	Progress io.Writer // a line for each thing that is done

	began   time.Time
	results *Results
}

// quiet is the load average under which a machine is the bench's own.
const quiet = 1.0

// stage is one round over all targets.
type stage struct {
	name  string
	round int
	work  func(ctx context.Context, name target.Name, round int) error
}

// The names of the stages.
const (
	rates          = "rates"
	highestRate    = "highest rate"
	joinsAndMemory = "joins and memory"
)

// stages are in such an order that everything has been seen once before anything
// is repeated, and that what is left out for lack of time is the least of it.
func (b *Bench) stages() []stage {
	var first, again []stage
	for _, kind := range []struct {
		name   string
		rounds int
		work   func(ctx context.Context, name target.Name, round int) error
	}{{rates, b.Plan.Rounds, b.relay}, {highestRate, b.Plan.Climbs, b.climb}, {joinsAndMemory, b.Plan.Idles, b.idle}} {
		for round := range kind.rounds {
			one := stage{kind.name, round, kind.work}
			if round == 0 {
				first = append(first, one)
			} else {
				again = append(again, one)
			}
		}
	}
	return append(first, again...)
}

// Run runs everything. The results are those until an error, if there is one.
func (b *Bench) Run(ctx context.Context) (*Results, error) {
	b.began = time.Now()
	b.results = &Results{
		Date: Today(), Plan: b.Plan, Machine: machine.Describe(),
		Versions: b.Folders.Versions(ctx, b.Plan.Targets),
	}
	if err := machine.CheckFiles(b.Plan.files()); err != nil {
		return b.results, err
	}
	if b.results.Load = machine.Load(); b.results.Load > quiet {
		b.say("the load average is %.1f: others use this machine, and every time below is longer for it", b.results.Load)
	}
	took := map[string]time.Duration{}
	for _, s := range b.stages() {
		start := time.Now()
		if s.round > 0 && time.Since(b.began)+took[s.name] > b.Plan.Budget {
			b.say("%s, round %d: left out, it doesn't fit in %s", s.name, s.round+1, b.Plan.Budget)
			continue
		}
		for i := range b.Plan.Targets {
			name := b.Plan.Targets[(i+s.round)%len(b.Plan.Targets)]
			b.say("%s, round %d: %s", s.name, s.round+1, name)
			if err := b.attempt(ctx, s, name); err != nil {
				return b.results, err
			}
		}
		took[s.name] = time.Since(start)
	}
	b.results.finish()
	return b.results, nil
}

// attempt does a stage's work for one target. Only what isn't the target's fault
// is an error.
func (b *Bench) attempt(ctx context.Context, s stage, name target.Name) error {
	if err := machine.CheckConntrack(2 * b.Plan.files()); err != nil {
		return err
	}
	err := s.work(ctx, name, s.round)
	if b.blame(ctx, err, Broken{Target: name, Stage: s.name, Round: s.round}) {
		return nil
	}
	return err
}

// blame notes an error if it is a fault of the target, and reports whether it is.
func (b *Bench) blame(ctx context.Context, err error, broken Broken) bool {
	var fault *driver.FaultError
	if !errors.As(err, &fault) || ctx.Err() != nil {
		return false
	}
	broken.Fault = fault.Error()
	b.results.Faults = append(b.results.Faults, broken)
	b.say("  %s broke its word: %v", broken.Target, err)
	return true
}

// files is how many files the driver has open at most.
func (p Plan) files() int {
	const own = 100
	if p.Idles > 0 {
		return max(p.Connections, p.Many) + own
	}
	return p.Connections + own
}

func (b *Bench) say(format string, args ...any) {
	fmt.Fprintf(b.Progress, "%6s  %s\n", time.Since(b.began).Round(time.Second), fmt.Sprintf(format, args...))
}

// session is a running target with its crowd.
type session struct {
	system *target.System
	crowd  *driver.Crowd
}

// open starts a target and a crowd of at most so many for it.
func (b *Bench) open(ctx context.Context, name target.Name, size int) (*session, error) {
	s, err := target.Start(ctx, name, b.Folders)
	if err != nil {
		return nil, err
	}
	c, err := driver.NewCrowd(driver.Options{Dialect: s.Dialect, Bases: s.Bases, Size: size, Room: "room-", Token: s.Token})
	if err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return &session{s, c}, nil
}

// close ends both. It adds the target's logs to an error that came before.
func (s *session) close(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("%s: %w\n%s", s.system.Name, err, s.system.Logs())
	}
	return errors.Join(err, s.system.Stop(), s.crowd.Close())
}

// talking is a session whose peers have exchanged descriptions and have been
// through the rehearsal.
func (b *Bench) talking(ctx context.Context, name target.Name) (*session, error) {
	s, err := b.open(ctx, name, b.Plan.Connections)
	if err != nil {
		return nil, err
	}
	if err := s.meet(ctx, b.Plan.Connections); err != nil {
		return nil, s.close(ctx, err)
	}
	return s, nil
}

func (s *session) meet(ctx context.Context, size int) error {
	if err := s.crowd.Open(ctx, size); err != nil {
		return err
	}
	if _, err := s.crowd.Join(ctx, 0); err != nil {
		return err
	}
	if err := s.crowd.Describe(ctx); err != nil {
		return err
	}
	_, err := s.crowd.Run(ctx, rehearsal)
	return err
}
