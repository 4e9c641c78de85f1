//go:build linux

package trial

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/parley-rtc/parley/tests/chaos/crowd"
	"github.com/parley-rtc/parley/tests/chaos/ledger"
)

// What a run must keep.
const (
	mostReady        = 15 // s
	mostServiceBytes = 25e6
	mostParleyBytes  = 60e6
)

// Report is what a run came to; as JSON it is the line that a run prints.
type Report struct {
	Ready        float64          `json:"ready_s"` // from `up` until all containers are healthy
	Build        float64          `json:"build_s"`
	ImageBytes   map[string]int64 `json:"image_bytes"`
	Standins     []string         `json:"standins"`          // images that couldn't be pulled
	Changed      []string         `json:"changed"`           // files of deploy/compose that aren't the commit's
	Watched      *Watched         `json:"profile,omitempty"` // nil: without a profile
	Call         Call             `json:"call"`
	Scale        []Step           `json:"scale"`
	Restarts     []Step           `json:"restarts"`
	Faults       []Step           `json:"faults"`
	Signals      int              `json:"signals"`
	Acknowledged int              `json:"acknowledged"`
	Unknown      int              `json:"unknown"`
	Refused      map[string]int   `json:"refused"` // by code
	Deliveries   int              `json:"deliveries"`
	Lost         int              `json:"lost"`
	Duplicated   int              `json:"duplicated"`
	Reordered    int              `json:"reordered"`
	Misaddressed int              `json:"misaddressed"`
	Flaps        int              `json:"flaps"`
	Gaps         int              `json:"gaps"`
	Troubles     []string         `json:"troubles"`
	Resumes      int              `json:"resumes"`
	ResumedTrue  int              `json:"resumed_true"`
	Seconds      float64          `json:"seconds"`

	violations []ledger.Violation
}

// count takes over what the crowd saw.
func (r *Report) count(c crowd.Result) {
	n := c.Counts
	r.Signals, r.Acknowledged, r.Unknown, r.Refused = n.Signals-n.Unsent, n.Acknowledged, n.Unknown+n.Pending, c.Refusals
	r.Deliveries, r.Lost, r.Duplicated, r.Reordered, r.Misaddressed = n.Deliveries, n.Lost, n.Duplicated, n.Reordered, n.Misaddressed
	r.Flaps, r.Gaps, r.Troubles = len(c.Flaps), len(c.Gaps), append(append([]string{}, c.Troubles...), c.History...)
	r.Resumes, r.ResumedTrue = c.Resumes, c.Resumed
	r.violations = c.Violations
}

// write writes what became of signals that it shouldn't have into a file.
func (r *Report) write(file string) error {
	text, err := json.MarshalIndent(r.violations, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// fault says what the run didn't keep.
func (r *Report) fault() error {
	var faults []error
	fault := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	fault(r.Ready > mostReady, "ready after %.1f s, at most %d are promised", r.Ready, mostReady)
	for name, bytes := range r.ImageBytes {
		most := mostServiceBytes
		if name == "parley" {
			most = mostParleyBytes
		}
		fault(float64(bytes) > most, "the image of %s has %d bytes, at most %.0f are promised", name, bytes, most)
	}
	fault(len(r.Changed) > 0, "deploy/compose isn't what the commit has: %v", r.Changed)
	fault(r.Call.Path != "relay relay", "the call went over %q, not over TURN", r.Call.Path)
	fault(r.Acknowledged == 0, "no signal was acknowledged")
	fault(r.Lost+r.Duplicated+r.Reordered+r.Misaddressed > 0, "%d signals were lost, %d duplicated, %d reordered, %d misaddressed",
		r.Lost, r.Duplicated, r.Reordered, r.Misaddressed)
	fault(r.Flaps+r.Gaps+len(r.Troubles) > 0, "%d flaps, %d gaps, %d troubles", r.Flaps, r.Gaps, len(r.Troubles))
	return errors.Join(faults...)
}

// tenths are seconds with one digit after the point.
func tenths(d time.Duration) float64 { return math.Round(d.Seconds()*10) / 10 }
