package browser

import (
	"strings"
	"testing"
)

// forgetful makes sessions end soon after their socket.
var forgetful = []string{"--edge.resume_window", "1s", "--roomsvc.resume_window", "1s"}

// noErrors checks that nothing of the tab's negotiations or client failed.
func noErrors(t *testing.T, tb *tab) {
	t.Helper()
	for _, event := range tb.events(t) {
		if strings.HasPrefix(event, "error") || strings.HasPrefix(event, "client") {
			t.Errorf("%s: %s", tb.name, event)
		}
	}
}

// connected lets two tabs with cameras call each other.
func connected(t *testing.T, d *dev, room string) (ada, bob *tab) {
	t.Helper()
	ada = d.open(t, wish{Room: room, Identity: "ada", Camera: true})
	bob = d.open(t, wish{Room: room, Identity: "bob", Camera: true})
	for _, tb := range []*tab{ada, bob} {
		tb.until(t, "tab.open && tab.steady")
	}
	return ada, bob
}

func TestRebind_aLostSessionKeepsTheConnection(t *testing.T) {
	d := startDev(t, forgetful...)
	ada, bob := connected(t, d, "lost")
	const credentials = "tab.link.pc.getConfiguration().iceServers.map((s) => s.username).join(' ')"
	first := eval[string](t, ada, credentials)
	ada.do(t, "tab.client.disconnect()")
	bob.until(t, "tab.events.includes('peer-left expired')")
	watch(t, ada, bob) // nobody has a session with ada, and the call goes on
	ada.do(t, "tab.client.reconnect()")
	for _, tb := range []*tab{ada, bob} {
		tb.until(t, "tab.events.includes('rebound')")
		if !eval[bool](t, tb, "tab.probe.made.length === 1 && tab.link.pc === tab.probe.made[0]") {
			t.Errorf("%s has another connection than before", tb.name)
		}
	}
	if got, want := eval[string](t, ada, credentials), eval[string](t, ada, "tab.room.iceServers.map((s) => s.username).join(' ')"); got != want || got == first {
		t.Errorf("the connection has the TURN credentials of %q, want those of the new membership, %q, and not of the first, %q", got, want, first)
	}
	if !eval[bool](t, ada, "tab.events.includes('rejoined') && tab.link.peer.polite") {
		t.Error("ada joined later now, so she must be the polite one")
	}
	exchange(t, ada, bob)
	watch(t, ada, bob)
	for _, tb := range []*tab{ada, bob} { // signals find their way again, from both sides
		tb.do(t, "tab.turn('sendonly')")
		tb.until(t, "tab.steady && tab.turned('sendonly')")
		noErrors(t, tb)
		if got := eval[int](t, tb, "tab.connections.connections.size"); got != 1 {
			t.Errorf("%s has %d connections, want one", tb.name, got)
		}
	}
}

// An offer that was on its way when the session ended is made again.
func TestRebind_aPendingOfferIsSentAgain(t *testing.T) {
	d := startDev(t, forgetful...)
	ada, bob := connected(t, d, "pending")
	ada.do(t, "tab.client.disconnect()")
	ada.do(t, "tab.turn('sendonly')")
	ada.until(t, "tab.link.pc.signalingState === 'have-local-offer'")
	bob.until(t, "tab.events.includes('peer-left expired')")
	ada.do(t, "tab.client.reconnect()")
	ada.until(t, "tab.steady && tab.turned('sendonly')")
	for _, tb := range []*tab{ada, bob} {
		tb.until(t, "tab.steady && tab.probe.made.length === 1")
		noErrors(t, tb)
	}
	exchange(t, ada, bob)
}

// A page that is loaded anew is the same identity with another connection.
func TestRebind_aReloadedPageGetsANewConnection(t *testing.T) {
	for name, camera := range map[string]bool{"with a camera": true, "with the channel alone": false} {
		t.Run(name, func(t *testing.T) {
			d := startDev(t)
			ada := d.open(t, wish{Room: "reload", Identity: "ada", Camera: camera})
			bob := d.open(t, wish{Room: "reload", Identity: "bob", Camera: camera})
			for _, tb := range []*tab{ada, bob} {
				tb.until(t, "tab.open && tab.steady")
			}
			ada.enter(t, &d.site, wish{Room: "reload", Identity: "ada", Camera: camera})
			bob.until(t, "tab.probe.made.length === 2 && tab.link?.pc === tab.probe.made[1]")
			for _, tb := range []*tab{ada, bob} {
				tb.until(t, "tab.open && tab.steady")
			}
			bob.do(t, "tab.forget()")
			exchange(t, ada, bob)
			if camera {
				watch(t, ada, bob)
			}
			for _, tb := range []*tab{ada, bob} {
				noErrors(t, tb)
			}
		})
	}
}

// A page that crashed doesn't say bye. Who only watches has nothing to offer to the
// one that is opened in its place, which answers what the first one was offered.
func TestRebind_aCrashedPageIsSeenAgain(t *testing.T) {
	d := startDev(t, forgetful...)
	bob := d.open(t, wish{Room: "crash", Identity: "bob", Channel: false})
	camera := wish{Room: "crash", Identity: "ada", Camera: true, Channel: false}
	ada := d.open(t, camera)
	watch(t, bob)
	ada.do(t, "tab.client.disconnect()") // whose bye then goes nowhere
	bob.until(t, "tab.events.includes('peer-left expired')")
	ada.enter(t, &d.site, camera)
	bob.until(t, "tab.probe.made.length === 2 && tab.link?.pc === tab.probe.made[1] && tab.steady")
	watch(t, bob)
	ada.until(t, "tab.steady")
	if offers := eval[int](t, ada, "tab.frames.filter((f) => f.startsWith('out offer')).length"); offers != 1 {
		t.Errorf("ada offered %d times, want once: what she answered first must not live until ICE fails", offers)
	}
	for _, tb := range []*tab{ada, bob} {
		noErrors(t, tb)
	}
}

// pion keeps its connection, too, whoever loses the session.
func TestRebind_aLostSessionWithPion(t *testing.T) {
	d := startDev(t, forgetful...)
	p := d.joinPion(t, "lost", "pia")
	tb := d.open(t, wish{Room: "lost", Identity: "ada", Camera: true})
	receive(t, "the open data channel", p.channel)
	tb.until(t, "tab.open && tab.steady")
	tb.do(t, "tab.client.disconnect()")
	pc := receive(t, "pion's connection", p.pc)
	tb.until(t, "tab.client.state === 'disconnected'")
	receive(t, "the end of the membership", p.left)
	tb.do(t, "tab.turn('sendonly')") // what was to be negotiated meanwhile is negotiated then
	tb.do(t, "tab.client.reconnect()")
	tb.until(t, "tab.events.includes('rebound')")
	tb.until(t, "tab.open && tab.steady && tab.turned('sendonly')")
	await(t, "pion to be stable", func() bool { return negotiated(pc) })
	before := p.got.Load()
	if n := eval[int](t, tb, "tab.send(%d)", sent); n != 1 {
		t.Fatalf("the tab sends to %d others, want one", n)
	}
	await(t, "the tab's bytes", func() bool { return p.got.Load() == before+sent })
	if len(p.pc) != 0 || !eval[bool](t, tb, "tab.probe.made.length === 1") {
		t.Error("one of them has another connection than before")
	}
	noErrors(t, tb)
}
