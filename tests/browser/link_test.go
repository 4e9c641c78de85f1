package browser

import (
	"testing"

	"github.com/parley-rtc/parley/tests/netns"
)

// Nothing but the path between the tabs breaks, so that only a restart of ICE,
// signaled while there is no path, can make another one.
func TestLink_restartsICEWhenThePathBreaks(t *testing.T) {
	t.Parallel() // it waits, most of the time
	inNamespace(t, func(t *testing.T) {
		d := startDev(t, "--candidatefilter.policy", "public", "--edge.ice_policy", "public")
		ada, bob := connected(t, d, "path")
		before := eval[string](t, bob, "tab.ufrag")
		rule := "pref 0 to " + publicAddress + " ipproto udp prohibit"
		netns.IP(t, "rule add "+rule)
		for _, tb := range []*tab{ada, bob} {
			tb.until(t, "tab.link.pc.iceConnectionState === 'disconnected'")
		}
		bob.until(t, "tab.ufrag !== %q", before)
		netns.IP(t, "rule del "+rule)
		for _, tb := range []*tab{ada, bob} {
			tb.until(t, "tab.steady")
		}
		exchange(t, ada, bob)
		watch(t, ada, bob)
		for _, tb := range []*tab{ada, bob} {
			if got := eval[int](t, tb, "tab.probe.made.length"); got != 1 {
				t.Errorf("%s made %d connections, want one", tb.name, got)
			}
			noErrors(t, tb)
		}
	})
}

func TestLink_setStreamReplacesTracksWithoutANegotiation(t *testing.T) {
	d := startDev(t)
	ada := d.open(t, wish{Room: "stream", Identity: "ada"})
	bob := d.open(t, wish{Room: "stream", Identity: "bob"})
	for _, tb := range []*tab{ada, bob} {
		tb.until(t, "tab.open && tab.steady")
	}
	ada.do(t, "tab.stream('both')")
	bob.until(t, "tab.coming === 'audio video'")
	watch(t, bob)
	ada.until(t, "tab.steady")
	negotiation := eval[string](t, ada, "tab.link.negotiation")
	ada.do(t, "tab.stream('both')")
	if !eval[bool](t, ada, "tab.link.pc.getSenders().every((s) => s.track.readyState === 'live')") {
		t.Error("ada doesn't send the new tracks")
	}
	watch(t, bob)
	for _, one := range [][2]string{{"camera", "nothing video"}, {"nothing", "nothing nothing"}, {"both", "audio video"}} {
		ada.do(t, "tab.stream(%q)", one[0])
		ada.until(t, "tab.link.pc.getSenders().map((s) => s.track?.kind ?? 'nothing').join(' ') === %q", one[1])
	}
	watch(t, bob)
	if got := eval[string](t, ada, "tab.link.negotiation"); got != negotiation {
		t.Error("tracks of the same kinds, or none, need no negotiation")
	}
	for _, tb := range []*tab{ada, bob} {
		tb.until(t, "tab.steady")
		noErrors(t, tb)
	}
}

// What the edge couldn't replay is said again by whoever said it.
func TestLink_aGapIsMended(t *testing.T) {
	d := startDev(t)
	for name, one := range map[string]struct{ loses, hears int }{
		"of the other side's answer": {1, 0},
		"of the other side's offer":  {0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			ada, bob := connected(t, d, name)
			tabs := []*tab{ada, bob}
			what := "answer"
			if one.loses == 0 {
				what = "offer"
			}
			tabs[one.loses].do(t, "tab.probe.lose = %q", what)
			ada.do(t, "tab.turn('sendonly')")
			tabs[one.loses].until(t, "tab.probe.lost === 1")
			tabs[one.hears].do(t, "tab.probe.gap({reason: 'a test'})")
			ada.until(t, "tab.steady && tab.turned('sendonly')")
			for _, tb := range tabs {
				tb.until(t, "tab.steady")
				noErrors(t, tb)
			}
			exchange(t, ada, bob)
		})
	}
}

func TestLink_endsWhenThePeerLeaves(t *testing.T) {
	d := startDev(t)
	ada, bob := connected(t, d, "leave")
	bob.do(t, "tab.room.leave()")
	ada.until(t, "tab.events.includes('closed')")
	bob.until(t, "tab.events.includes('closed')")
	for _, tb := range []*tab{ada, bob} {
		if !eval[bool](t, tb, "tab.connections.connections.size === 0 && tab.probe.made[0].signalingState === 'closed'") {
			t.Errorf("%s keeps a connection with nobody", tb.name)
		}
		noErrors(t, tb)
	}
}
