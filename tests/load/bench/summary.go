//go:build linux

package bench

import (
	"slices"

	"github.com/parley-rtc/parley/tests/load/target"
)

// Spread is a median with what lies around it.
type Spread struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

func spread(values []float64) Spread {
	if len(values) == 0 {
		return Spread{}
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + median) / 2
	}
	return Spread{Median: median, Min: sorted[0], Max: sorted[len(sorted)-1]}
}

// Summary is what all rounds of one load came to.
type Summary struct {
	Target    target.Name `json:"target"`
	Burst     int         `json:"burst"`
	Rate      int         `json:"rate"`
	Rounds    int         `json:"rounds"`
	Saturated int         `json:"saturated"` // of the rounds
	CPU       Spread      `json:"cpu_us"`
	Driver    Spread      `json:"driver_cpu_us"`
	P50       Spread      `json:"p50_ms"`
	P99       Spread      `json:"p99_ms"`
	P999      Spread      `json:"p99_9_ms"`
}

// Kept reports whether the server kept up in most rounds.
func (s Summary) Kept() bool { return 2*s.Saturated < s.Rounds }

// summarise puts the rounds of each load together, in the order in which they
// came first.
func summarise(runs []Run) []Summary {
	var summaries []Summary
	for _, first := range runs {
		same := func(r Run) bool { return r.Target == first.Target && r.Burst == first.Burst && r.Rate == first.Rate }
		if slices.ContainsFunc(summaries, func(s Summary) bool {
			return s.Target == first.Target && s.Burst == first.Burst && s.Rate == first.Rate
		}) {
			continue
		}
		var rounds []Run
		for _, r := range runs {
			if same(r) {
				rounds = append(rounds, r)
			}
		}
		summaries = append(summaries, summary(rounds))
	}
	return summaries
}

func summary(rounds []Run) Summary {
	s := Summary{Target: rounds[0].Target, Burst: rounds[0].Burst, Rate: rounds[0].Rate, Rounds: len(rounds)}
	all := func(of func(r Run) float64) Spread {
		var values []float64
		for _, r := range rounds {
			values = append(values, of(r))
		}
		return spread(values)
	}
	for _, r := range rounds {
		if r.Saturated {
			s.Saturated++
		}
	}
	s.CPU, s.Driver = all(func(r Run) float64 { return r.CPU }), all(func(r Run) float64 { return r.Driver })
	s.P50, s.P99 = all(func(r Run) float64 { return r.P50 }), all(func(r Run) float64 { return r.P99 })
	s.P999 = all(func(r Run) float64 { return r.P999 })
	return s
}

// summary finds the summary of a load. ok is false if there is none, or if the
// target has no figures.
func (r *Results) summary(name target.Name, burst, rate int) (s Summary, ok bool) {
	if r.broken(name, rates, burst, rate) {
		return Summary{}, false
	}
	for _, s := range r.Summaries {
		if s.Target == name && s.Burst == burst && s.Rate == rate {
			return s, true
		}
	}
	return Summary{}, false
}

// highest is the highest rate that a target held, over its climbs.
func (r *Results) highest(name target.Name) (rate Spread, ok bool) {
	if r.broken(name, highestRate, 0, 0) {
		return Spread{}, false
	}
	var values []float64
	for _, c := range r.Climbs {
		if c.Target == name {
			values = append(values, float64(c.Rate))
		}
	}
	return spread(values), len(values) > 0
}

// idles are figures of a target's idle rounds.
func (r *Results) idles(name target.Name, of func(i Idle) float64) (value Spread, ok bool) {
	if r.broken(name, joinsAndMemory, 0, 0) {
		return Spread{}, false
	}
	var values []float64
	for _, i := range r.Idles {
		if i.Target == name {
			values = append(values, of(i))
		}
	}
	return spread(values), len(values) > 0
}
