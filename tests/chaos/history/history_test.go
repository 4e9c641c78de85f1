package history_test

import (
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/chaos/history"
)

const ms = time.Millisecond

func TestLog(t *testing.T) {
	for name, one := range map[string]struct {
		play func(l *history.Log)
		want string // part of the only fault; empty: there is none
	}{
		"all is well": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			o := l.Observe("ada", 1)
			l.Joined("bob", 2, 3*ms, 5*ms)
			o.Saw(2, true, "bob", 6*ms)
			l.Read(2, []string{"bob", "ada"}, 6*ms, 7*ms)
			l.Left("bob", 8*ms, 9*ms)
			o.Saw(3, false, "bob", 9*ms)
			l.Read(3, []string{"ada"}, 8*ms, 10*ms)
		}, ""},
		"joins at the same time in either order": {func(l *history.Log) {
			l.Joined("ada", 2, 0, 9*ms)
			l.Joined("bob", 1, 0, 9*ms)
		}, ""},
		"a later join with a lower epoch": {func(l *history.Log) {
			l.Joined("ada", 2, 0, 2*ms)
			l.Joined("bob", 1, 3*ms, 9*ms)
		}, "not linearizable"},
		"a read of nothing before the join was answered": {func(l *history.Log) {
			l.Read(0, nil, 0, 1*ms)
			l.Joined("ada", 1, 0, 2*ms)
		}, ""},
		"a read with a member too many": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			l.Read(1, []string{"ada", "bob"}, 6*ms, 7*ms)
		}, "were read at revision 1"},
		"one revision for two joins": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			l.Joined("bob", 1, 0, 2*ms)
		}, "for somebody else"},
		"what a whole roster tells": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			o := l.Observe("ada", 1)
			l.Joined("bob", 2, 3*ms, 5*ms)
			l.Joined("cy", 3, 3*ms, 5*ms)
			o.Snapshot(3)
			o.Saw(3, true, "cy", 6*ms)
		}, ""},
		"a revision that nobody could see": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			l.Joined("bob", 3, 3*ms, 5*ms)
			l.Read(3, []string{"ada", "bob"}, 6*ms, 7*ms)
			l.Blind()
		}, ""},
		"a change seen twice": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			o := l.Observe("ada", 1)
			l.Joined("bob", 2, 3*ms, 5*ms)
			o.Saw(2, true, "bob", 6*ms)
			o.Saw(2, true, "bob", 7*ms)
		}, "after 2"},
		"a revision that nobody saw": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			l.Joined("bob", 3, 3*ms, 5*ms)
			l.Read(3, []string{"ada", "bob"}, 6*ms, 7*ms)
		}, "nobody saw revision 2"},
		"leaves that nobody saw": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			l.Joined("bob", 2, 3*ms, 5*ms)
			l.Joined("cy", 3, 3*ms, 5*ms)
			l.Left("cy", 6*ms, 7*ms)
			l.Joined("dan", 6, 8*ms, 9*ms)
			l.Read(4, []string{"ada", "bob"}, 7*ms, 8*ms)
			l.Read(6, []string{"ada", "dan"}, 10*ms, 11*ms)
		}, ""},
		"a leave too few that nobody saw": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			l.Joined("bob", 2, 3*ms, 5*ms)
			l.Left("bob", 6*ms, 7*ms)
			l.Joined("cy", 5, 8*ms, 9*ms)
			l.Read(5, []string{"ada", "cy"}, 10*ms, 11*ms)
		}, "nobody saw revision 4"},
		"a leave that nobody saw, and that came after a later one": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			l.Joined("bob", 2, 3*ms, 5*ms)
			l.Joined("cy", 4, 6*ms, 7*ms)
			l.Left("bob", 8*ms, 9*ms)
			l.Read(4, []string{"ada", "cy"}, 10*ms, 11*ms)
		}, "not linearizable"},
		"a leave of nobody": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			l.Observe("ada", 1).Saw(2, false, "bob", 6*ms)
			l.Read(2, []string{"ada"}, 7*ms, 8*ms)
		}, "changes nothing"},
		"a leave that was answered before it happened": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			l.Joined("bob", 2, 0, 2*ms)
			l.Left("bob", 3*ms, 4*ms)
			l.Joined("cy", 3, 5*ms, 6*ms)
			l.Observe("ada", 2).Saw(4, false, "bob", 7*ms)
		}, "not linearizable"},
	} {
		t.Run(name, func(t *testing.T) {
			l := history.New("a room")
			one.play(l)
			faults, stale := l.Check()
			if len(stale) > 0 {
				t.Errorf("got the stale reads %v, want none", stale)
			}
			switch {
			case one.want == "" && len(faults) > 0:
				t.Errorf("got the faults %q, want none", faults)
			case one.want != "" && (len(faults) == 0 || !strings.Contains(faults[0], one.want)):
				t.Errorf("got the faults %q, want %q", faults, one.want)
			}
		})
	}
}

func TestLog_Departures(t *testing.T) {
	l := history.New("a room")
	l.Joined("ada", 1, 0, ms)
	l.Observe("cy", 1).Saw(2, false, "ada", 2*ms)
	if got := l.Departures(); len(got) != 1 || got[0] != "ada" {
		t.Errorf("got %v, want ada", got)
	}
}

func TestLog_staleReads(t *testing.T) {
	l := history.New("a room")
	l.Joined("ada", 1, 0, 2*ms)
	l.Joined("bob", 2, 3*ms, 5*ms)
	l.Read(1, []string{"ada"}, 4*ms, 6*ms) // bob may still be on the way
	l.Read(1, []string{"ada"}, 7*ms, 8*ms)
	l.Read(2, []string{"ada", "bob"}, 7*ms, 8*ms)
	faults, stale := l.Check()
	want := history.Stale{Room: "a room", Revision: 1, Begin: 7 * ms, End: 8 * ms, Late: 2 * ms}
	if len(faults) > 0 || len(stale) != 1 || stale[0] != want {
		t.Errorf("got %v and the faults %q, want %v", stale, faults, want)
	}
}
