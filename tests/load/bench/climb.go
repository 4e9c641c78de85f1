//go:build linux

package bench

import (
	"context"
	"time"

	"github.com/parley-rtc/parley/tests/load/driver"
	"github.com/parley-rtc/parley/tests/load/target"
)

const (
	// promptly is the p99 that a server must stay under to hold a rate, in ms.
	promptly = 50
	// The rates of a climb: it begins at firstRate, and ends when the rate that
	// was held and the one that wasn't are within closeEnough.
	firstRate   = 2500
	lowestRate  = 100
	rateCeiling = 80_000
	closeEnough = 1.08
	// tries is how often a rate may fail before it counts as not held.
	tries = 2
)

// ascent is the load of one step of a climb.
var ascent = driver.Load{Burst: 1, Warm: 500 * time.Millisecond, Length: 1500 * time.Millisecond}

// Climb is a search for the highest rate with a p99 under 50 ms.
type Climb struct {
	Target target.Name `json:"target"`
	Round  int         `json:"round"`
	Rate   int         `json:"rate"` // 0: not even the lowest
	Steps  []Step      `json:"steps"`
}

// Step is one rate that was tried.
type Step struct {
	Rate      int     `json:"rate"`
	P99       float64 `json:"p99_ms"`
	Saturated bool    `json:"saturated,omitempty"`
	Held      bool    `json:"held"`
}

// climb searches one target's highest rate. A rate at which it breaks its word is
// not held; the next one gets a new system.
func (b *Bench) climb(ctx context.Context, name target.Name, round int) (err error) {
	var s *session
	defer func() {
		if s != nil {
			err = s.close(ctx, err)
		}
	}()
	climb := Climb{Target: name, Round: round}
	climb.Rate, err = highest(func(rate int) (bool, error) {
		if s == nil {
			if s, err = b.talking(ctx, name); err != nil {
				return false, err
			}
		}
		for range tries {
			step, err := s.step(ctx, rate)
			if b.blame(ctx, err, Broken{Target: name, Stage: highestRate, Round: round, Rate: rate, Burst: ascent.Burst}) {
				climb.Steps = append(climb.Steps, Step{Rate: rate})
				ended := s
				s = nil
				return false, ended.close(ctx, nil)
			}
			if err != nil {
				return false, err
			}
			climb.Steps = append(climb.Steps, step)
			if step.Held {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	b.results.Climbs = append(b.results.Climbs, climb)
	b.say("  highest rate with p99 < %d ms: %d/s", promptly, climb.Rate)
	return nil
}

func (s *session) step(ctx context.Context, rate int) (Step, error) {
	load := ascent
	load.Rate = rate
	w, err := s.crowd.Run(ctx, load)
	if err != nil {
		return Step{}, err
	}
	step := Step{Rate: rate, P99: milliseconds(w.Latency.ValueAtQuantile(99)), Saturated: w.Saturated}
	step.Held = !step.Saturated && step.P99 < promptly
	return step, nil
}

// highest searches the highest rate that is held: by doubling, then between.
func highest(held func(rate int) (bool, error)) (int, error) {
	low, high := 0, 0 // held, and not
	for rate := firstRate; high == 0 && rate <= rateCeiling; rate *= 2 {
		ok, err := held(rate)
		if err != nil {
			return 0, err
		}
		if ok {
			low = rate
		} else {
			high = rate
		}
	}
	if high == 0 {
		return low, nil
	}
	for high > lowestRate && float64(high) > closeEnough*float64(low) {
		rate := (low + high) / 2
		ok, err := held(rate)
		if err != nil {
			return 0, err
		}
		if ok {
			low = rate
		} else {
			high = rate
		}
	}
	return low, nil
}
