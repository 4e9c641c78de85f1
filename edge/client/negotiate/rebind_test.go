package negotiate

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// couple is two members with a connection.
type couple struct {
	hub     *hub
	members [2]*member
	n       [2]*Negotiator
	pcs     [2]*webrtc.PeerConnection
	dc      [2]*opened
}

func (c *couple) other(i int) contract.Token {
	c.hub.mu.Lock()
	defer c.hub.mu.Unlock()
	return c.members[1-i].self.Peer
}

func newCouple(t *testing.T) *couple {
	t.Helper()
	h, n, dc := call(t, newNetwork(t, 2), impolite)
	c := &couple{hub: h, n: n, dc: dc}
	h.mu.Lock()
	c.members = [2]*member{h.members[peerToken("ada")], h.members[peerToken("bob")]}
	h.mu.Unlock()
	for i := range c.pcs {
		c.pcs[i], _ = n[i].Connection(c.other(i))
	}
	return c
}

// settled waits until each side has bound its connection to the other one, and
// both have negotiated all that there is.
func (c *couple) settled(t *testing.T) {
	t.Helper()
	for i, pc := range c.pcs {
		await(t, "the connection is bound again", func() bool { got, _ := c.n[i].Connection(c.other(i)); return got == pc })
		await(t, "everything is negotiated", func() bool {
			for _, tr := range pc.GetTransceivers() {
				if tr.Mid() == "" {
					return false
				}
			}
			return pc.SignalingState() == webrtc.SignalingStateStable
		})
	}
}

func (c *couple) addAudio(t *testing.T, i int) {
	t.Helper()
	if _, err := c.pcs[i].AddTransceiverFromKind(webrtc.RTPCodecTypeAudio); err != nil {
		t.Fatal(err)
	}
}

// sections is how many media sections each side has.
func (c *couple) sections() [2]int {
	return [2]int{len(c.pcs[0].GetTransceivers()), len(c.pcs[1].GetTransceivers())}
}

func TestRebind_KeepsTheConnection(t *testing.T) {
	for name, who := range map[string][]int{"polite one comes back": {1}, "owner comes back": {0}, "both come back": {0, 1}, "one comes back twice": {1, 1}} {
		t.Run(name, func(t *testing.T) {
			c := newCouple(t)
			for round, i := range who {
				c.hub.rejoin(c.members[i], []string{"ada", "bob"}[i]+string(rune('2'+round)))
			}
			c.settled(t)
			exchange(t, c.dc[0], c.dc[1])
			for i := range c.pcs {
				c.addAudio(t, i) // signals find their way, whoever owns the right to offer now
			}
			await(t, "both sides' media negotiated", func() bool { return c.sections()[0] >= 1 && c.sections()[0] == c.sections()[1] })
			c.settled(t)
			exchange(t, c.dc[0], c.dc[1])
			c.hub.mu.Lock()
			defer c.hub.mu.Unlock()
			if c.hub.crossed != 0 {
				t.Errorf("%d offers crossed", c.hub.crossed)
			}
		})
	}
}

func TestRebind_WhatWasOnItsWayIsMadeUpFor(t *testing.T) {
	kinds := map[string]func(client.Event) bool{
		"offer":  func(e client.Event) bool { _, ok := e.(client.Offer); return ok },
		"answer": func(e client.Event) bool { _, ok := e.(client.Answer); return ok },
		"word":   func(e client.Event) bool { _, ok := e.(client.Message); return ok },
	}
	for kind, fits := range kinds {
		for who, wants := range map[string]int{"owner": 0, "polite one": 1} {
			if kind == "word" && wants == 0 {
				continue // it says none
			}
			for back, returns := range map[string]int{"owner": 0, "polite one": 1} {
				t.Run(kind+" of the "+who+"'s wish, the "+back+" comes back", func(t *testing.T) {
					c := newCouple(t)
					lost := make(chan struct{})
					done := false
					c.hub.setIntervene(func(_ *member, e client.Event) (bool, error) {
						if done || !fits(e) {
							return false, nil
						}
						done = true
						close(lost)
						return true, nil
					})
					c.addAudio(t, wants)
					take(t, "the loss", lost)
					c.hub.rejoin(c.members[returns], "again")
					await(t, "the media negotiated", func() bool { return c.sections() == [2]int{1, 1} })
					c.settled(t)
					exchange(t, c.dc[0], c.dc[1])
				})
			}
		}
	}
}

func TestRebind_AnOfferThatIsNotTakenWaitsForTheReturn(t *testing.T) {
	for name, why := range map[string]error{
		"the peer is gone": refused(contract.CodePeerGone, false), "our session is lost": client.ErrUnknownOutcome, "not sent": client.ErrNotSent,
	} {
		t.Run(name, func(t *testing.T) {
			c := newCouple(t)
			tried := make(chan struct{}, 64)
			c.hub.setIntervene(func(_ *member, e client.Event) (bool, error) {
				if _, ok := e.(client.Offer); ok {
					tried <- struct{}{}
					return false, why
				}
				return false, nil
			})
			c.addAudio(t, 0)
			take(t, "the try", tried)
			c.hub.setIntervene(nil)
			c.hub.rejoin(c.members[1], "bob2")
			await(t, "the media negotiated", func() bool { return c.sections() == [2]int{1, 1} })
			c.settled(t)
			if n := len(tried); n != 0 {
				t.Errorf("the offer was tried %d times more while nobody could hear it", n)
			}
			exchange(t, c.dc[0], c.dc[1])
		})
	}
}

// Whoever comes back with another connection, as a process that was started
// anew does, gets another one.
func TestRebind_AnotherConnectionOfTheOtherSideGetsANewOne(t *testing.T) {
	for name, i := range map[string]int{"owner starts anew": 0, "polite one starts anew": 1} {
		t.Run(name, func(t *testing.T) {
			net := newNetwork(t, 3)
			h := newHub()
			cfg := [2]Config{}
			var all [2]chan *opened
			var n [2]*Negotiator
			members := [2]*member{h.join("ada"), h.join("bob")}
			for k := range n {
				cfg[k], all[k] = channels(t, net.apis[k], bobs) // ada opens it
				n[k] = started(t, members[k], cfg[k])
			}
			for k := range n {
				take(t, "open channel", take(t, "channel", all[k]).open)
			}
			kept, _ := n[1-i].Connection(members[i].self.Peer)
			n[i].Close() // its process ends; the session, too
			fresh := startAnew(t, members[i])
			renewed, channel := channels(t, net.apis[2], bobs)
			started(t, fresh, renewed)
			mine, theirs := takeOpen(t, channel), takeOpen(t, all[1-i])
			exchange(t, mine, theirs)
			if pc, _ := n[1-i].Connection(peerToken("fresh")); pc == kept {
				t.Error("the connection with a process that is gone is kept")
			}
			await(t, "the end of the old connection", func() bool { return kept.ConnectionState() == webrtc.PeerConnectionStateClosed })
		})
	}
}

func must(e client.Event, err error) client.Event {
	if err != nil {
		panic(err)
	}
	return e
}

func TestNegotiator_PeerLeaves(t *testing.T) {
	for reason, kept := range map[contract.LeaveReason]bool{
		contract.ReasonLeft: false, contract.ReasonKicked: false, contract.ReasonClosed: false,
		contract.ReasonRevoked: false, contract.ReasonExpired: true, contract.ReasonReplaced: true, "": true,
	} {
		t.Run("reason "+string(reason), func(t *testing.T) {
			c := newCouple(t)
			c.members[0].push(client.PeerLeft{Peer: c.members[1].self, Reason: reason})
			await(t, "pair gone", func() bool { _, ok := c.n[0].Connection(peerToken("bob")); return !ok })
			if kept {
				exchange(t, c.dc[0], c.dc[1])
				c.members[0].push(client.PeerJoined{Peer: contract.Peer{Peer: peerToken("eve"), Identity: "eve"}})
				await(t, "eve's connection", func() bool { pc, ok := c.n[0].Connection(peerToken("eve")); return ok && pc != c.pcs[0] })
				return
			}
			await(t, "connection closed", func() bool { return c.pcs[0].ConnectionState() == webrtc.PeerConnectionStateClosed })
		})
	}
}

func TestAbsence_EndsWhenNothingWorksAnyMore(t *testing.T) {
	p := alone(t, newHub().join("ada"))
	p.n.mu.Lock()
	p.n.wait(p)
	a := p.n.absent[p]
	p.n.mu.Unlock()
	p.n.noteState(p, webrtc.PeerConnectionStateDisconnected)
	p.n.noteState(p, webrtc.PeerConnectionStateFailed)
	if p.n.absent[p] != a {
		t.Error("given up before its time: the other side may come back and restart ICE")
	}
	p.n.mu.Lock()
	a.overdue = true
	p.n.giveUp(p, webrtc.PeerConnectionStateConnected)
	p.n.mu.Unlock()
	if p.n.absent[p] != a {
		t.Error("given up although it is connected")
	}
	p.n.noteState(p, webrtc.PeerConnectionStateDisconnected)
	await(t, "its end", func() bool { return p.pc.ConnectionState() == webrtc.PeerConnectionStateClosed })
}

func TestAbsence_LastsSoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(newHub().join("ada"), Config{})
		p := &pair{n: n, done: make(chan struct{})}
		p.ctx, p.stop = n.ctx, func() {}
		pc, err := webrtc.NewPeerConnection(webrtc.Configuration{})
		if err != nil {
			t.Fatal(err)
		}
		p.pc = pc
		close(p.done)
		n.mu.Lock()
		n.wait(p)
		n.mu.Unlock()
		time.Sleep(absencePatience - time.Nanosecond)
		synctest.Wait()
		n.mu.Lock()
		kept := len(n.absent)
		n.mu.Unlock()
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		n.mu.Lock()
		left := len(n.absent)
		n.mu.Unlock()
		if kept != 1 || left != 0 {
			t.Errorf("%d pairs wait before the end of the patience and %d after it, want 1 and 0", kept, left)
		}
		n.Close()
	})
}

func TestOrigin(t *testing.T) {
	for sdp, want := range map[string]string{
		"v=0\r\no=- 4711 2 IN IP4 0.0.0.0\r\ns=-\r\n": "4711", "v=0\no=x 1": "1", "v=0\r\no=-\r\n": "", "": "",
	} {
		if got := origin(sdp); got != want {
			t.Errorf("origin(%q) = %q, want %q", sdp, got, want)
		}
	}
}
