//go:build linux

package trial

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/parley-rtc/parley/tests/chaos/crowd"
	"github.com/parley-rtc/parley/tests/chaos/ledger"
	"github.com/parley-rtc/parley/tests/chaos/schedule"
	"github.com/parley-rtc/parley/tests/load/machine"
)

// Report is what a run came to; as JSON it is the line that a run prints.
type Report struct {
	Seed         uint64                     `json:"seed"`
	Signals      int                        `json:"signals"` // that a client took
	Acknowledged int                        `json:"acknowledged"`
	Unknown      int                        `json:"unknown"`
	Refused      map[string]int             `json:"refused"` // by code
	Deliveries   int                        `json:"deliveries"`
	Lost         int                        `json:"lost"`
	Duplicated   int                        `json:"duplicated"`
	Reordered    int                        `json:"reordered"`
	Misaddressed int                        `json:"misaddressed"`
	Ghosts       int                        `json:"ghosts"`
	Flaps        int                        `json:"flaps"`
	Gaps         int                        `json:"gaps"`
	History      int                        `json:"history"`     // faults of the rooms' histories
	StaleReads   int                        `json:"stale_reads"` // of a document, through a NATS node that was cut off or had stood still
	Troubles     int                        `json:"troubles"`    // what no other word is for
	Kills        map[string]int             `json:"kills"`
	IdleKills    int                        `json:"idle_kills"` // not counted: nothing was going on there
	Pauses       int                        `json:"pauses"`
	Partitions   int                        `json:"partitions"`
	SlowLinks    int                        `json:"slow_links"`
	Cuts         int                        `json:"cuts"`
	DoubleMoves  int                        `json:"double_moves"`
	Resumes      int                        `json:"resumes"`
	ResumedTrue  int                        `json:"resumed_true"`
	Roomless     int                        `json:"roomless"`
	Recovery     map[string]map[string]wait `json:"recovery_ms"`
	Rate         float64                    `json:"offered_rate"` // signals/s
	Held         int                        `json:"held"`         // offered, and not taken by a client
	Seconds      float64                    `json:"seconds"`
	Broken       *crowd.Broken              `json:"broken,omitempty"`
	Command      string                     `json:"command"`
	Commit       string                     `json:"commit"`
	Machine      machine.Facts              `json:"machine"`

	result crowd.Result
	diary  *diary
}

func (t *trial) report(r crowd.Result, length time.Duration) *Report {
	counted, idle := t.diary.happened()
	staleReads := 0
	for _, stale := range r.Stale {
		if t.diary.natsAway(stale.Begin, stale.End) {
			staleReads++
		} else {
			r.History = append(r.History, stale.String())
		}
	}
	r.Ghosts = slices.DeleteFunc(r.Ghosts, func(g crowd.Ghost) bool {
		return g.Stayed-t.diary.heldUp(g.Ended, g.Ended+g.Stayed, t.o.Window) <= t.o.Window+ghostAllowance
	})
	c := r.Counts
	report := &Report{
		Seed: t.o.Seed, Signals: c.Signals - c.Unsent, Acknowledged: c.Acknowledged, Unknown: c.Unknown + c.Pending, Refused: r.Refusals,
		Deliveries: c.Deliveries, Lost: c.Lost, Duplicated: c.Duplicated, Reordered: c.Reordered, Misaddressed: c.Misaddressed,
		Ghosts: len(r.Ghosts), Flaps: len(r.Flaps), Gaps: len(r.Gaps), History: len(r.History), StaleReads: staleReads, Troubles: len(r.Troubles),
		Kills: map[string]int{}, IdleKills: idle, Resumes: r.Resumes, ResumedTrue: r.Resumed, Roomless: r.Roomless, Recovery: t.diary.recovery(),
		Rate: float64(int(float64(r.Offered)/length.Seconds()*10)) / 10, Held: r.Held, Seconds: float64(int(t.now().Seconds())),
		Commit: t.o.Commit, Machine: machine.Describe(), result: r, diary: t.diary,
	}
	if t.o.Break > 0 {
		report.Broken = &r.Broken
	}
	for kind, count := range counted {
		switch kind {
		case schedule.PauseEdge, schedule.PauseFilter, schedule.PauseRoomsvc, schedule.PauseNATS:
			report.Pauses += count
		case schedule.PartEdge, schedule.PartNATS:
			report.Partitions += count
		case schedule.SlowEdge, schedule.SlowNATS:
			report.SlowLinks += count
		case schedule.CutSockets:
			report.Cuts += count
		case schedule.DoubleMove:
			report.DoubleMoves += count
		default:
			report.Kills[strings.TrimPrefix(string(kind), "kill-")] += count
		}
	}
	return report
}

// Clean reports whether all was well, or, of a run that broke deliveries on purpose,
// whether exactly those were found.
func (r *Report) Clean() bool {
	var b crowd.Broken
	if r.Broken != nil {
		b = *r.Broken
	}
	return r.Lost == b.Dropped && r.Duplicated == b.Duplicated && r.Reordered == b.Swapped && r.Misaddressed == b.Misdirected &&
		r.Ghosts+r.Flaps+r.Gaps+r.History+r.Troubles == 0
}

// write writes what went wrong into the folder of the logs.
func (r *Report) write(dir string) error {
	path := filepath.Join(dir, "violations.txt")
	if err := os.WriteFile(path, []byte(r.Text()), 0o644); err != nil {
		return fmt.Errorf("write what went wrong: %w", err)
	}
	return fmt.Errorf("Parley broke its promise: %s says how, the logs are beside it", path) //nolint:staticcheck // a name
}

// Text says what went wrong, and what was broken meanwhile.
func (r *Report) Text() string {
	var text strings.Builder
	for _, v := range r.result.Violations {
		text.WriteString(r.describe(v) + "\n")
	}
	for _, g := range r.result.Ghosts {
		fmt.Fprintf(&text, "ghost: %s in %s, which ended at %.3f s (%s), was still there %.3f s later; then: %s\n",
			g.Peer, g.Room, g.Ended.Seconds(), g.End, g.Stayed.Seconds(), r.diary.during(g.Ended, g.Ended+g.Stayed))
	}
	for what, lines := range map[string][]string{"flap": r.result.Flaps, "gap": r.result.Gaps, "history": r.result.History, "trouble": r.result.Troubles} {
		for _, line := range lines {
			fmt.Fprintf(&text, "%s: %s\n", what, line)
		}
	}
	for _, stale := range r.result.Stale {
		fmt.Fprintf(&text, "stale read: %s\n", stale)
	}
	text.WriteString("\nfaults:\n")
	for _, e := range r.diary.list() {
		fmt.Fprintf(&text, "%.3f s to %.3f s: %s of %s (load: %t)\n", e.begin.Seconds(), e.end.Seconds(), e.fault, e.target, e.loaded)
	}
	return text.String()
}

// outcomes are the words for what a sender knows.
var outcomes = map[ledger.Outcome]string{
	ledger.Pending: "not settled", ledger.Acked: "acknowledged", ledger.Unknown: "of unknown outcome", ledger.Refused: "refused", ledger.Unsent: "not sent",
}

func (r *Report) describe(v ledger.Violation) string {
	text := fmt.Sprintf("%s: signal %d of member %d", v.Fault, v.Number, v.Sender)
	if v.From != "" {
		text += " (peer " + v.From + ")"
	}
	text += fmt.Sprintf(" to member %d (peer %s) in %s; sent at %.3f s, %s at %.3f s", v.Receiver, v.To, v.Room,
		v.Sent.Seconds(), outcomes[v.Outcome], v.Settled.Seconds())
	if v.Delivered > 0 {
		text += fmt.Sprintf(", delivered at %.3f s", v.Delivered.Seconds())
	}
	if v.Detail != "" {
		text += "; " + v.Detail
	}
	if v.ReceiverReturn {
		text += "; the receiver came back, and was told that its session is lost"
	}
	return text + "; meanwhile: " + r.diary.during(v.Sent, max(v.Settled, v.Delivered))
}
