package browser

import (
	"slices"
	"testing"
)

// cutCase is one moment of a negotiation at which one side's socket is cut.
type cutCase struct {
	name   string
	media  bool   // bob, the polite one, offers his camera; else ada offers the channel
	cutAda bool   // whose socket
	moment string // Moment of page/probe.ts
	state  string // the signaling state that it stands for
}

var cutCases = []cutCase{
	{"the offerer, before the offer", false, true, "before-offer", "stable"},
	{"the offerer, with its offer not sent", false, true, "have-local-offer", "have-local-offer"},
	{"the offerer, with the answer set", false, true, "stable-before-candidates", "stable"},
	{"the offerer, during candidates", false, true, "during-candidates", ""},
	{"the offerer, connected", false, true, "connected", "stable"},
	{"the answerer, with the offer set", false, false, "have-remote-offer", "have-remote-offer"},
	{"the answerer, with its answer not sent", false, false, "stable-before-candidates", "stable"},
	{"the answerer, during candidates", false, false, "during-candidates", ""},
	{"the answerer, connected", false, false, "connected", "stable"},
	{"the polite offerer, before the offer", true, false, "before-offer", "stable"},
	{"the polite offerer, with its offer not sent", true, false, "have-local-offer", "have-local-offer"},
	{"the polite offerer, with the answer set", true, false, "stable-before-candidates", "stable"},
	{"the polite offerer, during candidates", true, false, "during-candidates", ""},
	{"the polite offerer, connected", true, false, "connected", "stable"},
	{"the impolite answerer, with the offer set", true, true, "have-remote-offer", "have-remote-offer"},
	{"the impolite answerer, with its answer not sent", true, true, "stable-before-candidates", "stable"},
	{"the impolite answerer, during candidates", true, true, "during-candidates", ""},
	{"the impolite answerer, connected", true, true, "connected", "stable"},
}

func TestCut_theCallLives(t *testing.T) {
	d := startDev(t)
	tabs := [2]*tab{newTab(t), newTab(t)}
	for _, one := range cutCases {
		t.Run(one.name, func(t *testing.T) { one.run(t, d, tabs) })
	}
}

// run lets two tabs call each other, cuts one's socket at the moment, lets it
// come back when the other has seen that it is away, and looks what became of
// the call.
func (c cutCase) run(t *testing.T, d *dev, tabs [2]*tab) {
	wishes := [2]wish{{Room: c.name, Identity: "ada"}, {Room: c.name, Identity: "bob", Camera: c.media}}
	if c.media {
		wishes[0].Channel, wishes[1].Channel = false, false
	}
	cut, other := 1, 0
	if c.cutAda {
		cut, other = other, cut
	}
	wishes[cut].CutAt = c.moment
	for i, w := range wishes {
		tabs[i].enter(t, &d.site, w)
	}
	tabs[cut].until(t, "tab.probe.cut !== ''")
	if got := eval[string](t, tabs[cut], "tab.probe.cut"); c.state != "" && got != c.state {
		t.Errorf("it was cut in the state %q, want %q", got, c.state)
	}
	tabs[other].until(t, "tab.other === 'away'")
	tabs[cut].do(t, "tab.client.reconnect()")
	tabs[cut].until(t, "tab.events.includes('resumed')")
	tabs[other].until(t, "tab.other === 'here'")
	for _, tb := range tabs {
		tb.until(t, "tab.steady")
	}
	if c.media {
		watch(t, tabs[0])
	} else {
		tabs[0].until(t, "tab.open")
		tabs[1].until(t, "tab.open")
		exchange(t, tabs[:]...)
	}
	for _, tb := range tabs {
		unbroken(t, tb)
	}
}

// unbroken checks that a tab still has the connection that it made first, and
// that nothing went wrong.
func unbroken(t *testing.T, tb *tab) {
	t.Helper()
	if !eval[bool](t, tb, "tab.probe.made.length === 1 && tab.link.pc === tab.probe.made[0]") {
		t.Errorf("%s has another connection than it made first", tb.name)
	}
	for _, event := range tb.events(t) {
		if slices.Contains([]string{"rejoined", "closed", "rebound", "state failed", "state closed"}, event) {
			t.Errorf("%s: %s", tb.name, event)
		}
	}
	noErrors(t, tb)
}
