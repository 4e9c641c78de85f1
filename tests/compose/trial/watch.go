//go:build linux

package trial

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/parley-rtc/parley/tests/compose/engine"
	"github.com/parley-rtc/parley/tests/monitor"
)

// watchTimeout bounds the wait for one thing that the profile must show: spans wait
// 5 s in a process, and a rate needs two scrapes, which come every 10 s.
const watchTimeout = 90 * time.Second

// Watched is what the profile's programs knew of the rest.
type Watched struct {
	Services []string       `json:"services"`
	LeftOut  []string       `json:"left_out"` // their images could neither be pulled nor built
	Ready    float64        `json:"ready_s"`
	Join     []string       `json:"join"`   // spans of one trace, by service and name
	Signal   []string       `json:"signal"` // the same
	Targets  map[string]int `json:"targets"`
	Alerts   int            `json:"alerts"`
	Queries  int            `json:"queries"` // of the dashboard, each with data
	Seconds  float64        `json:"seconds"`
}

// watch adds the profile to the stack that runs, looks through its programs' eyes,
// and takes it away. Nothing else may be made anew or restarted for that.
func (t *trial) watch(ctx context.Context) error {
	begin := t.now()
	before, err := t.stack.Begun(ctx)
	if err != nil {
		return err
	}
	if err := t.stack.UpProfile(ctx, t.o.Profile, t.watched.LeftOut); err != nil {
		return err
	}
	t.watched.Ready = tenths(t.now() - begin)
	t.progress("the profile %s is ready after %.1f s, without %q", t.o.Profile, t.watched.Ready, t.watched.LeftOut)
	containers, err := t.stack.ProfileContainers(ctx, t.o.Profile, t.watched.Services)
	if err != nil {
		return err
	}
	for _, c := range containers {
		if err := engine.Confined(ctx, c); err != nil {
			return err
		}
	}
	if err := errors.Join(t.traces(ctx), t.metrics(ctx)); err != nil {
		return err
	}
	gone := time.Now()
	if err := t.stack.RemoveProfile(ctx, t.o.Profile, t.watched.Services); err != nil {
		return err
	}
	if err := t.say(ctx, "no traces are recorded until there is a collector", gone); err != nil {
		return err
	}
	after, err := t.stack.Begun(ctx)
	if err != nil {
		return err
	}
	maps.DeleteFunc(before, func(name, begun string) bool { return after[name] == begun })
	if len(before) > 0 {
		return fmt.Errorf("for the profile containers were made anew or restarted: %q", slices.Sorted(maps.Keys(before)))
	}
	t.watched.Seconds = tenths(t.now() - begin)
	t.progress("the profile has come and gone, and all others ran on")
	return nil
}

// say waits until each service has said something since a time.
func (t *trial) say(ctx context.Context, words string, since time.Time) error {
	for _, service := range append([]string{"demo"}, scalable...) {
		if err := eventually(ctx, func(ctx context.Context) error {
			text, err := t.stack.Log(ctx, service, since)
			if err == nil && !strings.Contains(text, `"msg":"`+words+`"`) {
				err = fmt.Errorf("%s doesn't say that %s", service, words)
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// traces has two members begin a trace each, and looks for them in Jaeger.
func (t *trial) traces(ctx context.Context) error {
	if err := t.say(ctx, "traces are recorded", t.begun); err != nil {
		return err
	}
	ada, bob, joining, err := t.pair(ctx)
	if err != nil {
		return err
	}
	defer ada.close()
	defer bob.close()
	// The first join on an edge, which asks authsvc for ICE servers.
	if t.watched.Join, err = t.trace(ctx, joining, "authsvc auth.ice", "edge edge.deliver", "edge edge.receive", "roomsvc log.append", "roomsvc room.join"); err != nil {
		return err
	}
	talking := monitor.NewParent(true)
	ada.begin(talking)
	if err := ada.talk(ctx, bob); err != nil {
		return err
	}
	t.watched.Signal, err = t.trace(ctx, talking, "candidatefilter filter.sanitise", "edge edge.deliver", "edge edge.receive", "edge log.append")
	return err
}

// trace waits until Jaeger has all spans of a trace, and says which these are. All
// but the first must hang on another one.
func (t *trial) trace(ctx context.Context, of monitor.Parent, want ...string) (have []string, err error) {
	err = eventually(ctx, func(ctx context.Context) error {
		spans, err := monitor.Jaeger{URL: t.addresses["jaeger"]}.Spans(ctx, of.Trace)
		if err != nil {
			return err
		}
		parents := map[string]bool{of.ID: true}
		for _, s := range spans {
			parents[s.ID] = true
		}
		have = nil
		for _, s := range spans {
			have = append(have, s.Service+" "+s.Name)
			if !parents[s.Parent] {
				err = fmt.Errorf("the span %s of %s hangs on %q, which isn't there", s.Name, s.Service, s.Parent)
			}
		}
		slices.Sort(have)
		for _, span := range want {
			if !slices.Contains(have, span) {
				err = errors.Join(err, fmt.Errorf("the trace has %q, want %q", have, want))
			}
		}
		return err
	})
	return have, err
}

// metrics scales the services, and asks Prometheus for all of them, for our alerts
// and for what the dashboard shows.
func (t *trial) metrics(ctx context.Context) error {
	prometheus := monitor.Prometheus{URL: t.addresses["prometheus"]}
	if err := t.stack.Up(ctx, map[string]int{"edge": 3, "candidatefilter": 3, "roomsvc": 2, "authsvc": 2}); err != nil {
		return err
	}
	want := map[string]int{"edge up": 3, "candidatefilter up": 3, "roomsvc up": 2, "authsvc up": 2, "demo up": 1}
	if err := eventually(ctx, func(ctx context.Context) (err error) {
		if t.watched.Targets, err = prometheus.Targets(ctx); err == nil && !maps.Equal(t.watched.Targets, want) {
			err = fmt.Errorf("targets are %v, want %v", t.watched.Targets, want)
		}
		return err
	}); err != nil {
		return err
	}
	rules, err := prometheus.Rules(ctx)
	if err != nil {
		return err
	}
	for name, health := range rules {
		if health != "ok" {
			return fmt.Errorf("the rule %s is %s", name, health)
		}
	}
	t.watched.Alerts = len(rules)
	if err := t.dashboard(ctx, prometheus); err != nil {
		return err
	}
	if firing, err := prometheus.Alerts(ctx); err != nil || len(firing) > 0 {
		return fmt.Errorf("while all is well alerts wait or fire: %v: %w", firing, err)
	}
	return t.stack.Up(ctx, nil)
}

// dashboard talks until each query of the dashboard had a number.
func (t *trial) dashboard(ctx context.Context, prometheus monitor.Prometheus) error {
	waiting, err := monitor.Queries(filepath.Join(t.stack.Dir, "observability", "parley.json"))
	if err != nil {
		return err
	}
	t.watched.Queries = len(waiting)
	ada, bob, _, err := t.pair(ctx)
	if err != nil {
		return err
	}
	defer ada.close()
	defer bob.close()
	return eventually(ctx, func(ctx context.Context) error {
		if err := errors.Join(ada.talk(ctx, bob), ada.rejoin(ctx)); err != nil {
			return err
		}
		var failed error
		waiting = slices.DeleteFunc(waiting, func(expr string) bool {
			samples, err := prometheus.Samples(ctx, expr)
			failed = errors.Join(failed, err)
			return samples > 0
		})
		if failed == nil && len(waiting) > 0 {
			failed = fmt.Errorf("no data for %q", waiting)
		}
		return failed
	})
}

// eventually asks again and again until there is no error.
func eventually(ctx context.Context, ask func(ctx context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, watchTimeout)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if rest(ctx, time.Second) != nil {
			return fmt.Errorf("in the end: %w", err)
		}
	}
}
