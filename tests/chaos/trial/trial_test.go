//go:build linux

package trial

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/chaos/crowd"
	"github.com/parley-rtc/parley/tests/chaos/schedule"
)

func TestDiary(t *testing.T) {
	d := newDiary()
	d.begin(schedule.Fault{Index: 1, Kind: schedule.KillEdge}, "edge-1", true, 10*time.Second)
	d.end(12 * time.Second)
	d.begin(schedule.Fault{Index: 2, Kind: schedule.PauseNATS}, "nats-1", false, 20*time.Second)
	for _, one := range []struct {
		begin, end time.Duration
		want       string
	}{
		{0, 9 * time.Second, "no fault"},
		{9 * time.Second, 10 * time.Second, "edge-1"},
		{11 * time.Second, 11 * time.Second, "edge-1"},
		{14 * time.Second, 16 * time.Second, "edge-1"}, // in its shadow
		{16 * time.Second, 17 * time.Second, "no fault"},
		{11 * time.Second, 21 * time.Second, "nats-1"}, // the later one
		{30 * time.Second, 31 * time.Second, "nats-1"}, // still under way
	} {
		if got := d.during(one.begin, one.end); !strings.HasSuffix(got, one.want) {
			t.Errorf("%v to %v: got %q, want %q", one.begin, one.end, got, one.want)
		}
	}
	for i := range 100 {
		d.recovered(crowd.Recovery{What: "signal", Begin: 11 * time.Second, Took: time.Duration(i+1) * time.Millisecond})
	}
	d.recovered(crowd.Recovery{What: "join", Begin: time.Second, Took: time.Second})
	d.recovered(crowd.Recovery{What: "delivery", Begin: 12 * time.Second, Took: 9 * time.Second})  // 3 s of one fault's shadow, 1 s of the other
	d.recovered(crowd.Recovery{What: "delivery", Begin: 14 * time.Second, Took: 10 * time.Second}) // 1 s, and 4 s
	all := d.recovery()
	if got, want := all[string(schedule.KillEdge)]["signal"], (wait{Count: 100, P50: 51, P99: 100, Max: 100}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := all[string(schedule.KillEdge)]["delivery"]; got.Count != 1 || got.Max != 9000 {
		t.Errorf("a wait that lay in the first fault for the longest time: got %+v", got)
	}
	if got := all[string(schedule.PauseNATS)]["delivery"]; got.Count != 1 || got.Max != 10000 {
		t.Errorf("a wait that lay in the second fault for the longest time: got %+v", got)
	}
	if got := all["none"]["join"]; got.Max != 1000 {
		t.Errorf("without a fault: got %+v", got)
	}
	if counted, idle := d.happened(); counted[schedule.KillEdge] != 1 || idle != 1 {
		t.Errorf("got %v and %d idle", counted, idle)
	}
}

func TestDiary_heldUp(t *testing.T) {
	d := newDiary()
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	add := func(kind schedule.Kind, begin, end int) {
		d.begin(schedule.Fault{Kind: kind}, "it", true, seconds(begin))
		d.end(seconds(end))
	}
	add(schedule.PauseNATS, 8, 12)
	add(schedule.KillEdge, 20, 21)
	add(schedule.KillFilter, 25, 30)
	add(schedule.KillLeader, 40, 47)
	add(schedule.KillEdge, 70, 72)
	for _, one := range []struct{ ended, seen, want int }{
		{10, 60, 10 + 7},
		{10, 43, 10 + 3},
		{22, 60, 7},
		{48, 80, 22}, // an edge is killed in its window
		{75, 90, 0},
	} {
		if got, want := d.heldUp(seconds(one.ended), seconds(one.seen), seconds(30)), seconds(one.want); got != want {
			t.Errorf("ended at %d s, seen at %d s: got %s, want %s", one.ended, one.seen, got, want)
		}
	}
}

func TestReport_Clean(t *testing.T) {
	broken := &crowd.Broken{Dropped: 1, Duplicated: 2, Swapped: 3, Misdirected: 4}
	for name, one := range map[string]struct {
		report Report
		want   bool
	}{
		"nothing":        {Report{}, true},
		"lost":           {Report{Lost: 1}, false},
		"twice":          {Report{Duplicated: 1}, false},
		"order":          {Report{Reordered: 1}, false},
		"address":        {Report{Misaddressed: 1}, false},
		"ghost":          {Report{Ghosts: 1}, false},
		"flap":           {Report{Flaps: 1}, false},
		"gap":            {Report{Gaps: 1}, false},
		"history":        {Report{History: 1}, false},
		"trouble":        {Report{Troubles: 1}, false},
		"all found":      {Report{Lost: 1, Duplicated: 2, Reordered: 3, Misaddressed: 4, Broken: broken}, true},
		"one not found":  {Report{Lost: 1, Duplicated: 2, Reordered: 2, Misaddressed: 4, Broken: broken}, false},
		"one too many":   {Report{Lost: 2, Duplicated: 2, Reordered: 3, Misaddressed: 4, Broken: broken}, false},
		"and a ghost":    {Report{Lost: 1, Duplicated: 2, Reordered: 3, Misaddressed: 4, Broken: broken, Ghosts: 1}, false},
		"unknown is not": {Report{Unknown: 9}, true},
	} {
		if got := one.report.Clean(); got != one.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}
