//go:build linux

package exodus

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/load/target"
)

// TestRun ends the edge of a small crowd: all are back with their sessions, and
// nothing was lost. Of a drain nobody sees anything.
func TestRun(t *testing.T) {
	for _, end := range []End{Kill, Drain} {
		t.Run(string(end), func(t *testing.T) {
			plan := Plan{End: end, Sessions: 60, Servers: 1, Targets: 2, Rate: 300, Steady: time.Second, Most: 30 * time.Second}
			report, err := Run(t.Context(), plan, target.Folders{Bin: filepath.Join("..", "..", "..", "bin")}, t.Output())
			if err != nil {
				t.Fatal(err)
			}
			if err := report.Fault(); err != nil {
				t.Error(err)
			}
			if report.Resumed != plan.Sessions || report.Acked < plan.Rate || report.All <= 0 || report.P99 > report.All ||
				report.Peak < 1 || report.Peak > plan.Sessions || end == Drain && report.Aways > 0 {
				t.Errorf("got %+v", report)
			}
		})
	}
}

func TestPeak(t *testing.T) {
	const ms = time.Millisecond
	for _, tt := range []struct {
		moments []time.Duration
		want    int
	}{{nil, 0}, {[]time.Duration{0}, 1}, {[]time.Duration{0, 1000 * ms, 1500 * ms, 1999 * ms, 2000 * ms, 4000 * ms}, 3}} {
		if got := peak(tt.moments); got != tt.want {
			t.Errorf("%v: got %d, want %d", tt.moments, got, tt.want)
		}
	}
}

func TestReport_Fault(t *testing.T) {
	if err := (&Report{Sessions: 2, Resumed: 2, Acked: 5, Delivered: 5}).Fault(); err != nil {
		t.Errorf("a good one: %v", err)
	}
	for _, r := range []Report{{Lost: 1}, {Gaps: 1}, {Flaps: 1}, {Refused: 1}, {Disordered: 1}, {Undelivered: 1}} {
		if r.Fault() == nil {
			t.Errorf("%+v passes", r)
		}
	}
}
