package trace

import (
	"testing"

	"github.com/parley-rtc/parley/tests/monitor"
	"github.com/parley-rtc/parley/tests/stack"
)

func TestSampling_aClientsRefusalHolds(t *testing.T) {
	receiver := Receive(t)
	s := stack.Processes(t, stack.Options{Environ: receiver.Environ("")})
	ada, _ := enter(t, s, 0, "ada")
	bob, _ := enter(t, s, 1, "bob")
	ada.sees(t, 1)
	unwanted, wanted := monitor.NewParent(false), monitor.NewParent(true)
	ada.begin(unwanted)
	ada.send(t, candidateTo(bob.peer()))
	if got := monitor.ParentOf(bob.hears(t).Trace); got.Trace != unwanted.Trace || got.Flags != "00" {
		t.Errorf("the receiver is told %v, want the unsampled trace %s", got, unwanted.Trace)
	}
	ada.begin(wanted)
	ada.send(t, candidateTo(bob.peer()))
	bob.hears(t)
	pathOf(t, receiver.Await(t, wanted.Trace, 4)).check(t, wanted.ID, "candidate")
	ada.begin(unwanted)
	if err := ada.room.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	bob.sees(t, 0)
	stopAll(t, s)
	if got := receiver.Of(unwanted.Trace); len(got) != 0 {
		t.Errorf("the unsampled trace has %q, want no span", names(got))
	}
}
