//go:build linux

package bench

import (
	"context"
	"errors"
	"time"

	"github.com/parley-rtc/parley/tests/load/driver"
	"github.com/parley-rtc/parley/tests/load/machine"
	"github.com/parley-rtc/parley/tests/load/target"
)

// rehearsal is what every system gets before its first window, so that run-times
// which compile while they run have done so.
var rehearsal = driver.Load{Rate: 5000, Burst: 1, Length: 1500 * time.Millisecond}

// Run is what came of one window.
type Run struct {
	Target    target.Name        `json:"target"`
	Round     int                `json:"round"`
	Burst     int                `json:"burst"`
	Rate      int                `json:"rate"`
	Relayed   int64              `json:"relayed"`
	Saturated bool               `json:"saturated,omitempty"`
	CPU       float64            `json:"cpu_us"`       // of all server processes, a relayed message
	Processes map[string]float64 `json:"processes_us"` // the same by process
	Driver    float64            `json:"driver_cpu_us"`
	P50       float64            `json:"p50_ms"`
	P99       float64            `json:"p99_ms"`
	P999      float64            `json:"p99_9_ms"`
	Max       float64            `json:"max_ms"`
}

// relay runs all rates against one target, the lower ones first. After a fault
// the next rate gets a new system.
func (b *Bench) relay(ctx context.Context, name target.Name, round int) (err error) {
	var s *session
	defer func() {
		if s != nil {
			err = s.close(ctx, err)
		}
	}()
	for _, burst := range b.Plan.Bursts {
		for _, rate := range b.Plan.Rates {
			if s == nil {
				if s, err = b.talking(ctx, name); err != nil {
					return err
				}
			}
			run, err := b.window(ctx, s, rate, burst)
			if b.blame(ctx, err, Broken{Target: name, Stage: rates, Round: round, Rate: rate, Burst: burst}) {
				ended := s
				s = nil
				if err := ended.close(ctx, nil); err != nil {
					return err
				}
				continue
			}
			if err != nil {
				return err
			}
			run.Round = round
			b.results.Runs = append(b.results.Runs, run)
			b.say("  %s", run)
		}
	}
	return nil
}

// window measures one load.
func (b *Bench) window(ctx context.Context, s *session, rate, burst int) (Run, error) {
	var m meter
	w, err := s.crowd.Run(ctx, driver.Load{
		Rate: rate, Burst: burst, Warm: b.Plan.Warm, Length: b.Plan.Length, Mark: func() { m.read(s.system) },
	})
	if err = errors.Join(err, m.fault); err != nil {
		return Run{}, err
	}
	run := Run{
		Target: s.system.Name, Burst: burst, Rate: rate, Relayed: w.Relayed, Saturated: w.Saturated, Processes: map[string]float64{},
		P50: milliseconds(w.Latency.ValueAtQuantile(50)), P99: milliseconds(w.Latency.ValueAtQuantile(99)),
		P999: milliseconds(w.Latency.ValueAtQuantile(99.9)), Max: milliseconds(w.Latency.Max()),
	}
	from, to := 1, 2
	if w.Saturated {
		// It wasn't sent everything, and what it was sent came late: only all of it
		// says what a message costs.
		from, to, run.Relayed = 0, 3, w.Total
	}
	messages := float64(max(run.Relayed, 1))
	for process, used := range m.servers[to] {
		one := microseconds(used-m.servers[from][process]) / messages
		run.Processes[process] = one
		run.CPU += one
	}
	run.Driver = microseconds(m.own[to]-m.own[from]) / messages
	return run, nil
}

// meter reads what the processor did, at each mark of a window.
type meter struct {
	servers []map[string]time.Duration
	own     []time.Duration
	fault   error
}

func (m *meter) read(s *target.System) {
	servers, err := s.CPU()
	own, ownErr := machine.OwnCPU()
	m.servers, m.own = append(m.servers, servers), append(m.own, own)
	m.fault = errors.Join(m.fault, err, ownErr)
}

func milliseconds(us int64) float64        { return float64(us) / 1000 }
func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
