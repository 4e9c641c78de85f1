//go:build linux

package trial

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/parley-rtc/parley/tests/compose/engine"
)

const (
	// wellTimeout bounds how long the stack may need after a step.
	wellTimeout = 2 * time.Minute
	// between is how long all is well between two steps, downtime how long a killed
	// container is away, and cut how long one is without its network: longer than
	// the 10 s after which a NATS node and a balancer take a silent peer for gone.
	between  = 2 * time.Second
	downtime = 2 * time.Second
	cut      = 12 * time.Second
)

// scalable are the services that run in any number, single those of which there is
// one: while haproxy is away nobody has a connection, and coturn's end must not be
// noticed by who signals.
var (
	scalable = []string{"edge", "candidatefilter", "roomsvc", "authsvc"}
	single   = []string{"haproxy", "coturn"}
)

// Step is something that was done to the stack under load.
type Step struct {
	What    string  `json:"what"`
	Seconds float64 `json:"seconds"` // until all was well again
}

// do does one step and waits until all is well again.
func (t *trial) do(ctx context.Context, steps *[]Step, what string, act func(ctx context.Context) error) error {
	begin := t.now()
	if err := act(ctx); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	well, cancel := context.WithTimeout(ctx, wellTimeout)
	defer cancel()
	if err := t.stack.WaitHealthy(well); err != nil {
		return fmt.Errorf("after %s: %w", what, err)
	}
	*steps = append(*steps, Step{what, tenths(t.now() - begin)})
	t.progress("%s: well again after %.1f s", what, (t.now() - begin).Seconds())
	return rest(ctx, between)
}

// rest waits, and returns early with the error of ctx.
func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// steps are all that is done under load.
func (t *trial) steps(ctx context.Context) error {
	for _, scale := range []map[string]int{
		{"edge": 3, "candidatefilter": 3, "roomsvc": 2, "authsvc": 2},
		{"edge": 1, "candidatefilter": 1, "roomsvc": 1, "authsvc": 1},
		{"edge": 2, "candidatefilter": 2, "roomsvc": 2, "authsvc": 2},
	} {
		var names []string
		for _, service := range scalable {
			names = append(names, fmt.Sprintf("%s=%d", service, scale[service]))
		}
		if err := t.do(ctx, &t.report.Scale, strings.Join(names, " "), func(ctx context.Context) error { return t.stack.Up(ctx, scale) }); err != nil {
			return err
		}
	}
	if err := t.restart(ctx); err != nil {
		return err
	}
	for _, service := range slices.Concat([]string{"nats-2"}, scalable, single) {
		if err := t.fault(ctx, "kill", service, downtime, t.stack.Kill, t.stack.Revive); err != nil {
			return err
		}
	}
	for _, service := range append([]string{"nats-3"}, scalable...) {
		if err := t.fault(ctx, "disconnect", service, cut, t.stack.Disconnect, t.stack.Connect); err != nil {
			return err
		}
	}
	return nil
}

// restart restarts every container but the demo's, one after the other.
func (t *trial) restart(ctx context.Context) error {
	all, err := t.stack.Containers(ctx, slices.Concat([]string{"nats-1", "nats-2", "nats-3"}, scalable, single)...)
	if err != nil {
		return err
	}
	for _, c := range all {
		name := strings.TrimPrefix(c.Name, project+"-")
		if err := t.do(ctx, &t.report.Restarts, name, func(ctx context.Context) error { return t.stack.Restart(ctx, c) }); err != nil {
			return err
		}
	}
	return nil
}

// fault breaks one container of a service for a while.
func (t *trial) fault(ctx context.Context, verb, service string, length time.Duration, begin, end func(context.Context, engine.Container) error) error {
	return t.do(ctx, &t.report.Faults, verb+" "+service, func(ctx context.Context) error {
		of, err := t.stack.Containers(ctx, service)
		if err != nil {
			return err
		}
		if err := begin(ctx, of[0]); err != nil {
			return err
		}
		if err := rest(ctx, length); err != nil {
			return err
		}
		return end(ctx, of[0])
	})
}
