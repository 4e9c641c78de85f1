package browser

import (
	"testing"

	"github.com/pion/webrtc/v4"
)

// rounds is how often two offers are made to cross.
const rounds = 20

// cross makes both sides offer in each round, lets the offers go only when both
// are made, and waits until both sides are settled.
func cross(t *testing.T, change func(round int), hold, release func(), made, settled func(round int)) {
	t.Helper()
	for round := range rounds {
		hold()
		change(round)
		made(round)
		release()
		settled(round)
	}
}

// direction alternates, so that each round has something to negotiate.
func direction(round int) string { return []string{"sendonly", "inactive"}[round%2] }

func TestGlare_twoTabs(t *testing.T) {
	d := startDev(t)
	tabs := []*tab{
		d.open(t, wish{Room: "glare", Identity: "ada", Camera: true}),
		d.open(t, wish{Room: "glare", Identity: "bob", Camera: true}),
	}
	all := func(expression string, args ...any) {
		t.Helper()
		for _, tb := range tabs {
			tb.until(t, expression, args...)
		}
	}
	all("tab.open && tab.steady")
	before := eval[int](t, tabs[1], "tab.probe.rollbacks")
	cross(t,
		func(round int) {
			for _, tb := range tabs {
				tb.do(t, "tab.turn(%q)", direction(round))
			}
		},
		func() {
			for _, tb := range tabs {
				tb.do(t, "tab.probe.hold()")
			}
		},
		func() {
			for _, tb := range tabs {
				tb.do(t, "tab.probe.release()")
			}
		},
		func(int) { all("tab.probe.holding > 0") },
		func(round int) { all("tab.steady && tab.turned(%q)", direction(round)) },
	)
	// Bob joined later, so he is the polite one.
	if got := eval[int](t, tabs[1], "tab.probe.rollbacks") - before; got != rounds {
		t.Errorf("bob rolled back %d times, want %d", got, rounds)
	}
	if got := eval[int](t, tabs[0], "tab.probe.rollbacks"); got != 0 {
		t.Errorf("ada rolled back %d times and is never the polite one", got)
	}
	watch(t, tabs...)
	exchange(t, tabs...)
	for _, tb := range tabs {
		if got := eval[int](t, tb, "tab.probe.made.length"); got != 1 {
			t.Errorf("%s made %d connections, want one", tb.name, got)
		}
	}
}

// pion can't roll back, so the tab is the polite one whoever joins first.
func TestGlare_aTabAndPion(t *testing.T) {
	for _, first := range []string{"the tab", "pion"} {
		t.Run(first+" joins first", func(t *testing.T) {
			d := startDev(t)
			var tb *tab
			var p *pionPeer
			if first == "pion" {
				p = d.joinPion(t, "glare", "pia")
			}
			tb = d.open(t, wish{Room: "glare", Identity: "ada", Camera: true})
			if first != "pion" {
				p = d.joinPion(t, "glare", "pia")
			}
			crossWithPion(t, tb, p)
		})
	}
}

// crossWithPion crosses offers of a tab and of pion, and checks that media and
// bytes flow in the end.
func crossWithPion(t *testing.T, tb *tab, p *pionPeer) {
	t.Helper()
	pc := receive(t, "pion's connection", p.pc)
	dc := receive(t, "the open data channel", p.channel)
	tb.until(t, "tab.open && tab.steady")
	before := eval[int](t, tb, "tab.probe.rollbacks")
	cross(t,
		func(round int) {
			tb.do(t, "tab.turn(%q)", direction(round))
			if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio); err != nil {
				t.Fatal(err)
			}
		},
		func() { tb.do(t, "tab.probe.hold()"); p.gate.hold() },
		func() { tb.do(t, "tab.probe.release()"); p.gate.release() },
		func(int) {
			tb.until(t, "tab.probe.holding > 0")
			await(t, "pion's offer", func() bool { return p.gate.held() > 0 })
		},
		func(round int) {
			tb.until(t, "tab.steady && tab.turned(%q)", direction(round))
			await(t, "pion to be stable", func() bool { return negotiated(pc) })
		},
	)
	if got := eval[int](t, tb, "tab.probe.rollbacks") - before; got != rounds {
		t.Errorf("the tab rolled back %d times, want %d", got, rounds)
	}
	packets := p.packets.Load()
	await(t, "media from the tab", func() bool { return p.packets.Load() > packets })
	if n := eval[int](t, tb, "tab.send(%d)", sent); n != 1 {
		t.Fatalf("the tab sends to %d others, want one", n)
	}
	await(t, "the tab's bytes", func() bool { return p.got.Load() == sent })
	if err := dc.Send(make([]byte, sent/2)); err != nil {
		t.Fatal(err)
	}
	tb.until(t, "tab.received === %d", sent/2)
	tb.until(t, "(await tab.channelBytes()) >= %d", sent/2)
	if got := eval[int](t, tb, "tab.probe.made.length"); got != 1 {
		t.Errorf("the tab made %d connections, want one", got)
	}
}

// negotiated tells whether pion is stable and has nothing left to negotiate.
func negotiated(pc *webrtc.PeerConnection) bool {
	for _, one := range pc.GetTransceivers() {
		if one.Mid() == "" {
			return false
		}
	}
	return pc.SignalingState() == webrtc.SignalingStateStable
}
