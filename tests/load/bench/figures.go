//go:build linux

package bench

import (
	"fmt"
	"math"

	"github.com/parley-rtc/parley/tests/load/target"
)

// Figure is a number that Parley has set itself a limit for.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	Least bool    `json:"least,omitempty"` // the limit is a lower one
	Unit  string  `json:"unit,omitempty"`
	Pass  bool    `json:"pass"`
	Note  string  `json:"note,omitempty"`
}

// Line is the figure for people and for grep: name, value, limit, pass or miss.
func (f Figure) Line() string {
	sign, verdict := "<=", "pass"
	if f.Least {
		sign = ">="
	}
	if !f.Pass {
		verdict = "miss"
	}
	value := fmt.Sprintf("%.3g%s", f.Value, f.Unit)
	if f.Value == 0 {
		value = "-"
	}
	line := fmt.Sprintf("%-62s %8s  %s %.3g%s  %s", f.Name, value, sign, f.Limit, f.Unit, verdict)
	if f.Note != "" {
		line += "  (" + f.Note + ")"
	}
	return line
}

// joinLimit is the most that joinsLimited joins may take, in seconds.
const (
	joinLimit    = 10
	joinsLimited = 15_000
)

// ratio is a figure of two targets in the same bench.
type ratio struct {
	name       string
	own, rival target.Name
	rate       int // 0: of the highest rates
	of         func(s Summary) float64
	limit      float64
	least      bool
}

func cpuOf(s Summary) float64 { return s.CPU.Median }
func p99Of(s Summary) float64 { return s.P99.Median }

// ratios are those with limits. Times move from machine to machine, so only what
// is divided by a rival's counts.
var ratios = []ratio{
	{name: "distributed: CPU a message at 5,000/s / Socket.IO + Redis", own: target.Distributed, rival: target.SocketIORedis, rate: 5000, of: cpuOf, limit: 1.0 / 3},
	{name: "distributed: CPU a message at 10,000/s / ws", own: target.Distributed, rival: target.WS, rate: 10_000, of: cpuOf, limit: 1.3},
	{name: "distributed: p99 at 5,000/s / Socket.IO + Redis", own: target.Distributed, rival: target.SocketIORedis, rate: 5000, of: p99Of, limit: 1.0 / 15},
	{name: "distributed: highest rate / Socket.IO + Redis", own: target.Distributed, rival: target.SocketIORedis, limit: 6, least: true},
	{name: "standalone: CPU a message at 5,000/s / ws", own: target.Standalone, rival: target.WS, rate: 5000, of: cpuOf, limit: 1.3},
	{name: "standalone: CPU a message at 10,000/s / ws", own: target.Standalone, rival: target.WS, rate: 10_000, of: cpuOf, limit: 1},
}

// figures compares what was found with the limits. What wasn't measured has no
// figure.
func figures(r *Results) []Figure {
	var all []Figure
	for _, one := range ratios {
		if f, ok := one.figure(r); ok {
			all = append(all, f)
		}
	}
	for _, name := range []target.Name{target.Distributed, target.Standalone} {
		seconds, ok := r.idles(name, func(i Idle) float64 { return i.JoinSeconds })
		if ok && r.Plan.Joins == joinsLimited {
			all = append(all, Figure{
				Name: fmt.Sprintf("%s: %d joins", name, joinsLimited), Value: seconds.Median, Limit: joinLimit, Unit: "s",
				Pass: seconds.Median <= joinLimit,
			})
		}
	}
	return all
}

func (q ratio) figure(r *Results) (Figure, bool) {
	f := Figure{Name: q.name, Limit: q.limit, Least: q.least}
	stage, burst := rates, 1
	if q.rate == 0 {
		stage, burst = highestRate, 0
	}
	for _, name := range []target.Name{q.own, q.rival} {
		if r.broken(name, stage, burst, q.rate) {
			f.Note = string(name) + " broke its word: no figure"
			return f, true
		}
	}
	own, rival, ok := q.values(r, &f)
	if ok && math.IsNaN(own) {
		return f, true
	}
	if !ok || rival == 0 {
		return Figure{}, false
	}
	f.Value = own / rival
	if f.Pass = f.Value <= q.limit; q.least {
		f.Pass = f.Value >= q.limit
	}
	return f, true
}

// values are the two that are compared; NaN: our own target didn't keep up. Of a rival that can't keep up they are
// what they were until it fell behind, which is in its favour.
func (q ratio) values(r *Results, f *Figure) (own, rival float64, ok bool) {
	if q.rate == 0 {
		a, hasOwn := r.highest(q.own)
		b, hasRival := r.highest(q.rival)
		return a.Median, b.Median, hasOwn && hasRival
	}
	a, hasOwn := r.summary(q.own, 1, q.rate)
	b, hasRival := r.summary(q.rival, 1, q.rate)
	if !hasOwn || !hasRival {
		return 0, 0, false
	}
	if !b.Kept() {
		f.Note = string(q.rival) + " is saturated"
	}
	if !a.Kept() {
		f.Note = string(q.own) + " is saturated: no figure"
		return math.NaN(), 0, true
	}
	return q.of(a), q.of(b), true
}
