//go:build linux

package bench

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/load/target"
)

// TestBench_standalone runs a whole bench in small against Parley in one process:
// rates, joins and memory, with every delivery checked.
func TestBench_standalone(t *testing.T) {
	plan := Plan{
		Targets: []target.Name{target.Standalone}, Connections: 20, Rates: []int{200}, Bursts: []int{1, 8}, Rounds: 1, Idles: 1,
		Warm: 200 * time.Millisecond, Length: 2 * time.Second, Few: 10, Many: 40, Joins: 20, Settle: 100 * time.Millisecond, Budget: time.Minute,
	}
	if err := plan.Validate(); err != nil {
		t.Fatal(err)
	}
	folders := target.Folders{Bin: filepath.Join("..", "..", "..", "bin"), Peers: filepath.Join("..", "peers")}
	results, err := (&Bench{Plan: plan, Folders: folders, Progress: t.Output()}).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(results.Faults) > 0 {
		t.Fatalf("got faults: %+v", results.Faults)
	}
	if got, want := len(results.Runs), 2; got != want {
		t.Fatalf("got %d runs, want %d", got, want)
	}
	for _, run := range results.Runs {
		// Those that are on their way at the marks may be counted in or out.
		if run.Relayed < 300 || run.Relayed > 500 || run.Saturated {
			t.Errorf("got %d messages relayed in 2 s (saturated %v), want about 400", run.Relayed, run.Saturated)
		}
		if run.CPU <= 0 || run.P50 <= 0 || run.P99 < run.P50 || run.Max < run.P999 || run.Driver <= 0 || run.Processes["parley"] != run.CPU {
			t.Errorf("got %+v: these can't be", run)
		}
	}
	if got := results.Idles; len(got) != 1 || got[0].JoinSeconds <= 0 || got[0].Few["parley"] <= 0 || got[0].Many["parley"] <= 0 {
		t.Errorf("got %+v of joins and memory", got)
	}
}
