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
		"an old read": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			l.Joined("bob", 2, 3*ms, 5*ms)
			l.Read(1, []string{"ada"}, 6*ms, 7*ms)
		}, "a read of revision 1 (0.006 s to 0.007 s) comes before the change to revision 2 (0.003 s to 0.005 s)"},
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
		"a leave of nobody": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			l.Observe("ada", 1).Saw(2, false, "bob", 6*ms)
			l.Read(2, []string{"ada"}, 7*ms, 8*ms)
		}, "changes nothing"},
		"a leave that was answered before it happened": {func(l *history.Log) {
			l.Joined("ada", 1, 0, 2*ms)
			l.Joined("bob", 2, 0, 2*ms)
			l.Left("bob", 3*ms, 4*ms)
			l.Read(2, []string{"ada", "bob"}, 5*ms, 6*ms)
			l.Observe("ada", 2).Saw(3, false, "bob", 7*ms)
		}, "not linearizable"},
	} {
		t.Run(name, func(t *testing.T) {
			l := history.New("a room")
			one.play(l)
			faults := l.Check()
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
