//go:build linux

package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/parley-rtc/parley/tests/load/machine"
	"github.com/parley-rtc/parley/tests/load/target"
)

// Results are all that a bench found.
type Results struct {
	Date      string            `json:"date"`
	Machine   machine.Facts     `json:"machine"`
	Load      float64           `json:"load"` // average of the minute before
	Versions  map[string]string `json:"versions"`
	Plan      Plan              `json:"plan"`
	Figures   []Figure          `json:"figures"`
	Summaries []Summary         `json:"summaries"`
	Faults    []Broken          `json:"faults,omitempty"`
	Climbs    []Climb           `json:"climbs"`
	Idles     []Idle            `json:"idles"`
	Runs      []Run             `json:"runs"`
}

// finish draws the conclusions.
func (r *Results) finish() {
	r.Summaries = summarise(r.Runs)
	r.Figures = figures(r)
}

// Today is the date by which results are called.
func Today() string { return time.Now().UTC().Format(time.DateOnly) }

// Broken tells of a target that broke its word.
type Broken struct {
	Target target.Name `json:"target"`
	Stage  string      `json:"stage"`
	Round  int         `json:"round"`
	Rate   int         `json:"rate,omitempty"` // 0: before any load
	Burst  int         `json:"burst,omitempty"`
	Fault  string      `json:"fault"`
}

// broken reports whether a target has no figure of a load (rate 0: of what has
// no load) because it broke its word then, or before any load.
func (r *Results) broken(name target.Name, stage string, burst, rate int) bool {
	return slices.ContainsFunc(r.Faults, func(f Broken) bool {
		return f.Target == name && f.Stage == stage && (f.Rate == 0 || f.Rate == rate && f.Burst == burst)
	})
}

// Write writes the results to a file, and makes its folder.
func (r *Results) Write(path string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("results: %w", err)
	}
	return write(path, append(text, '\n'))
}

func write(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// Read reads results that were written.
func Read(path string) (*Results, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Results{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("results %s: %w", path, err)
	}
	return r, nil
}
