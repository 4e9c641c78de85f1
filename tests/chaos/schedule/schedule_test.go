package schedule_test

import (
	"slices"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/chaos/schedule"
)

func faults(seed uint64, kinds []schedule.Kind, count int) []schedule.Fault {
	s := schedule.New(seed, kinds)
	var all []schedule.Fault
	for range count {
		all = append(all, s.Next())
	}
	return all
}

func TestSchedule_sameSeedSameFaults(t *testing.T) {
	if got, want := faults(7, nil, 300), faults(7, nil, 300); !slices.Equal(got, want) {
		t.Error("one seed gave two schedules")
	}
	if slices.Equal(faults(7, nil, 300), faults(8, nil, 300)) {
		t.Error("two seeds gave one schedule")
	}
}

// TestSchedule_pinned notices when a seed that somebody wrote down means something
// else than it did.
func TestSchedule_pinned(t *testing.T) {
	var got []string
	for _, f := range faults(1, nil, 4) {
		got = append(got, f.String())
	}
	want := []string{"#1 kill-authsvc down 1.336s", "#2 partition-edge in 7.721s", "#3 kill-filter down 204ms", "#4 cut-sockets reset 11%"}
	if !slices.Equal(got, want) {
		t.Errorf("seed 1 begins with %q, want %q", got, want)
	}
}

func TestSchedule_eachRoundHasEveryKind(t *testing.T) {
	count := map[schedule.Kind]int{}
	for _, f := range faults(3, nil, 220) {
		count[f.Kind]++
		if f.Length < time.Second || f.Length >= 15*time.Second || f.Down >= 4*time.Second || f.Calm < time.Second {
			t.Errorf("%+v is out of bounds", f)
		}
	}
	for _, kind := range schedule.Kinds() {
		if count[kind] < 10 {
			t.Errorf("%d times %s in ten rounds, want at least 10", count[kind], kind)
		}
	}
}

func TestSchedule_beginsWithEachKindOnce(t *testing.T) {
	for seed := range uint64(20) {
		met := map[schedule.Kind]bool{}
		for _, f := range faults(seed, nil, len(schedule.Kinds())) {
			met[f.Kind] = true
		}
		if got, want := len(met), len(schedule.Kinds()); got != want {
			t.Errorf("seed %d: the first %d faults are of %d kinds", seed, want, got)
		}
	}
}

func TestParse(t *testing.T) {
	got, err := schedule.Parse("pause, kill-edge")
	want := []schedule.Kind{schedule.PauseEdge, schedule.PauseFilter, schedule.PauseRoomsvc, schedule.PauseNATS, schedule.KillEdge}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, f := range faults(1, got, 50) {
		if !slices.Contains(want, f.Kind) {
			t.Errorf("%s wasn't asked for", f)
		}
	}
	if _, err := schedule.Parse("kill,storm"); err == nil {
		t.Error("a storm was taken")
	}
}
