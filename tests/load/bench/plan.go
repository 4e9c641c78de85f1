//go:build linux

package bench

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parley-rtc/parley/tests/load/target"
)

// Plan says what to run.
type Plan struct {
	Targets     []target.Name `json:"targets"`
	Connections int           `json:"connections"` // in rooms of two
	Rates       []int         `json:"rates"`       // messages/s of all of them together
	Bursts      []int         `json:"bursts"`      // messages that a peer sends at once
	Rounds      int           `json:"rounds"`      // of each rate
	Climbs      int           `json:"climbs"`      // searches for the highest rate
	Idles       int           `json:"idles"`       // rounds of joins and memory
	Warm        time.Duration `json:"warm_ns"`     // before what counts
	Length      time.Duration `json:"length_ns"`   // of what counts
	Few         int           `json:"few"`         // connections at which memory is read first
	Many        int           `json:"many"`        // and then
	Joins       int           `json:"joins"`       // of which the time is taken, between the two
	Settle      time.Duration `json:"settle_ns"`   // how long they are idle before
	Budget      time.Duration `json:"budget_ns"`   // rounds after the first that don't fit are left out
}

// Full is the plan of `make bench`.
func Full() Plan {
	return Plan{
		Targets: []target.Name{
			target.Standalone, target.Distributed, target.DistributedR3, target.WS, target.SocketIO, target.SocketIORedis, target.PeerJS,
		},
		Connections: 2000, Rates: []int{1000, 5000, 10_000, 20_000}, Bursts: []int{1, 8},
		Rounds: 5, Climbs: 2, Idles: 1, Warm: 400 * time.Millisecond, Length: 2 * time.Second,
		Few: 2000, Many: 18_000, Joins: 15_000, Settle: 3 * time.Second, Budget: 25 * time.Minute,
	}
}

// Quick is the plan of `make bench-quick`.
func Quick() Plan {
	p := Full()
	p.Targets = []target.Name{target.Standalone, target.Distributed, target.WS, target.SocketIORedis}
	p.Rates, p.Bursts, p.Rounds, p.Climbs, p.Idles, p.Budget = []int{5000}, []int{1}, 1, 0, 0, 2*time.Minute
	p.Length = 4 * time.Second
	return p
}

// Validate reports what can't be run.
func (p Plan) Validate() error {
	var faults []error
	if len(p.Targets) == 0 {
		faults = append(faults, errors.New("there is no target"))
	}
	if p.Connections < 2 || p.Connections%2 != 0 || p.Connections > maxConnections {
		faults = append(faults, fmt.Errorf("connections is %d, it must be an even number from 2 to %d", p.Connections, maxConnections))
	}
	if p.Few%2 != 0 || p.Many%2 != 0 || p.Joins%2 != 0 || p.Few < 2 || p.Few+p.Joins > p.Many || p.Many > maxConnections {
		faults = append(faults, fmt.Errorf("few (%d), joins (%d) and many (%d) must be even, many at least the sum of the "+
			"others and at most %d", p.Few, p.Joins, p.Many, maxConnections))
	}
	if slices.ContainsFunc(p.Rates, func(rate int) bool { return rate < 1 }) {
		faults = append(faults, fmt.Errorf("rates are %v, they must be at least 1", p.Rates))
	}
	if slices.ContainsFunc(p.Bursts, func(burst int) bool { return burst < 1 || burst > 64 }) {
		faults = append(faults, fmt.Errorf("bursts are %v, they must be 1 to 64", p.Bursts))
	}
	if p.Rounds < 1 || p.Length < 100*time.Millisecond {
		faults = append(faults, errors.New("there must be at least one round, of at least 100 ms"))
	}
	return errors.Join(faults...)
}

// maxConnections leaves some of 20,000 files and 28,000 outgoing ports.
const maxConnections = 19_000
