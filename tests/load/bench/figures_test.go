//go:build linux

package bench

import (
	"encoding/xml"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/tests/load/target"
)

// measured are results in which every figure has a value.
func measured() *Results {
	r := &Results{Plan: Full(), Date: "2026-01-02"}
	add := func(name target.Name, rate int, cpu, p99 float64) {
		for round := range 3 {
			r.Runs = append(r.Runs, Run{
				Target: name, Round: round, Burst: 1, Rate: rate, CPU: cpu + float64(round-1), P99: p99, P50: p99 / 2, P999: 2 * p99, Relayed: 1,
			})
		}
	}
	add(target.Distributed, 5000, 60, 4)
	add(target.Distributed, 10_000, 50, 6)
	add(target.Standalone, 5000, 60, 4)
	add(target.Standalone, 10_000, 50, 4)
	add(target.WS, 5000, 50, 2)
	add(target.WS, 10_000, 45, 2)
	add(target.SocketIORedis, 5000, 200, 60)
	r.Climbs = []Climb{{Target: target.Distributed, Rate: 30_000}, {Target: target.SocketIORedis, Rate: 4000}}
	r.Idles = []Idle{{Target: target.Distributed, Joins: 15_000, JoinSeconds: 12}, {Target: target.Standalone, Joins: 15_000, JoinSeconds: 8}}
	r.finish()
	return r
}

func (r *Results) verdicts() map[string]string {
	verdicts := map[string]string{}
	for _, f := range r.Figures {
		line := f.Line()
		verdict := "miss"
		if strings.Contains(line, "  pass") {
			verdict = "pass"
		}
		verdicts[f.Name] = verdict
	}
	return verdicts
}

func TestResults_figures(t *testing.T) {
	want := map[string]string{
		"distributed: CPU a message at 5,000/s / Socket.IO + Redis": "pass", // 0.3
		"distributed: CPU a message at 10,000/s / ws":               "pass", // 1.11
		"distributed: p99 at 5,000/s / Socket.IO + Redis":           "pass", // 1/15
		"distributed: highest rate / Socket.IO + Redis":             "pass", // 7.5
		"standalone: CPU a message at 5,000/s / ws":                 "pass", // 1.2
		"standalone: CPU a message at 10,000/s / ws":                "miss", // 1.11
		"distributed: 15000 joins":                                  "miss",
		"standalone: 15000 joins":                                   "pass",
	}
	got := measured().verdicts()
	if len(got) != len(want) {
		t.Errorf("got %d figures, want %d", len(got), len(want))
	}
	for name, verdict := range want {
		if got[name] != verdict {
			t.Errorf("%s: got %q, want %q", name, got[name], verdict)
		}
	}
}

func TestResults_figures_without(t *testing.T) {
	const cpu, most = "distributed: CPU a message at 5,000/s / Socket.IO + Redis", "distributed: highest rate / Socket.IO + Redis"
	find := func(r *Results, name string) Figure {
		r.finish()
		for _, f := range r.Figures {
			if f.Name == name {
				return f
			}
		}
		t.Fatalf("there is no figure %q", name)
		return Figure{}
	}
	t.Run("our own can't keep up", func(t *testing.T) {
		r := measured()
		for i := range r.Runs {
			r.Runs[i].Saturated = r.Runs[i].Target == target.Distributed
		}
		if f := find(r, cpu); f.Pass || f.Value != 0 || !strings.Contains(f.Note, "distributed is saturated") {
			t.Errorf("got %+v, want a miss without a value", f)
		}
	})
	t.Run("the other can't keep up", func(t *testing.T) {
		r := measured()
		for i := range r.Runs {
			r.Runs[i].Saturated = r.Runs[i].Target == target.SocketIORedis
		}
		if f := find(r, cpu); !f.Pass || !strings.Contains(f.Note, "socketio-redis is saturated") {
			t.Errorf("got %+v, want a pass that says so", f)
		}
	})
	t.Run("one lost messages at this rate", func(t *testing.T) {
		for _, name := range []target.Name{target.Distributed, target.SocketIORedis} {
			r := measured()
			r.Faults = []Broken{{Target: name, Stage: rates, Rate: 5000, Burst: 1}}
			if f := find(r, cpu); f.Pass || f.Value != 0 || !strings.Contains(f.Note, "broke its word") {
				t.Errorf("%s: got %+v, want no value", name, f)
			}
			if f := find(r, most); !f.Pass {
				t.Errorf("%s: got %+v, want the highest rate as it was", name, f)
			}
		}
	})
	t.Run("nothing was measured", func(t *testing.T) {
		if got := figures(&Results{Plan: Full()}); len(got) != 0 {
			t.Errorf("got %+v, want none", got)
		}
	})
}

func TestSpread(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   Spread
	}{
		{nil, Spread{}}, {[]float64{3}, Spread{3, 3, 3}}, {[]float64{5, 1, 3}, Spread{3, 1, 5}}, {[]float64{4, 1, 2, 9}, Spread{3, 1, 9}},
	} {
		if got := spread(test.values); got != test.want {
			t.Errorf("%v: got %+v, want %+v", test.values, got, test.want)
		}
	}
}

func TestHighest(t *testing.T) {
	for _, limit := range []int{150, 2600, 9000, 33_333, 79_000} {
		got, err := highest(func(rate int) (bool, error) { return rate <= limit, nil })
		if err != nil || got > limit || float64(limit) > closeEnough*float64(got)+1 {
			t.Errorf("got %d (%v), want at most %d and near it", got, err, limit)
		}
	}
	if got, err := highest(func(int) (bool, error) { return true, nil }); err != nil || got != rateCeiling {
		t.Errorf("got %d (%v), want the ceiling %d", got, err, rateCeiling)
	}
	if got, err := highest(func(int) (bool, error) { return false, nil }); err != nil || got != 0 {
		t.Errorf("got %d (%v), want 0", got, err)
	}
	fault := errors.New("fault")
	if _, err := highest(func(int) (bool, error) { return false, fault }); !errors.Is(err, fault) {
		t.Errorf("got %v, want the fault", err)
	}
}

func TestResults_Write(t *testing.T) {
	r, path := measured(), filepath.Join(t.TempDir(), "results", "one.json")
	if err := r.Write(path); err != nil {
		t.Fatal(err)
	}
	again, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := again.svg(), r.svg(); got != want {
		t.Error("what was read draws another picture than what was written")
	}
}

func TestResults_Draw(t *testing.T) {
	r := measured()
	r.Faults = []Broken{{Target: target.WS, Stage: rates}}
	svg := r.svg()
	for decoder := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
	}
	for _, want := range []string{"60 µs", "3.3×", "no figure: messages were lost", "prefers-color-scheme: dark", "30,000 /s"} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture lacks %q", want)
		}
	}
}

func TestPlan_Validate(t *testing.T) {
	for _, plan := range []Plan{Full(), Quick()} {
		if err := plan.Validate(); err != nil {
			t.Errorf("%+v: %v", plan, err)
		}
	}
	for name, change := range map[string]func(p *Plan){
		"no targets":      func(p *Plan) { p.Targets = nil },
		"odd connections": func(p *Plan) { p.Connections = 21 },
		"too many":        func(p *Plan) { p.Connections = maxConnections + 2 },
		"idle over many":  func(p *Plan) { p.Joins = p.Many },
		"a rate of 0":     func(p *Plan) { p.Rates = []int{0} },
		"a burst of 0":    func(p *Plan) { p.Bursts = []int{0} },
		"no round":        func(p *Plan) { p.Rounds = 0 },
		"no length":       func(p *Plan) { p.Length = 0 },
	} {
		p := Full()
		change(&p)
		if err := p.Validate(); err == nil {
			t.Errorf("%s: the plan was taken", name)
		}
	}
}
