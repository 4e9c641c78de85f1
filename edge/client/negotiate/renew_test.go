package negotiate

import (
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// startAnew makes somebody a member of another process: the first one, and the
// session with it, is over.
func startAnew(t *testing.T, first *member) *member {
	t.Helper()
	fresh := &member{hub: first.hub, self: first.self, others: first.Peers(), more: make(chan struct{}, 1)}
	fresh.hub.rejoin(fresh, "fresh")
	if _, ok := must(fresh.Next(t.Context())).(client.Rejoined); !ok {
		t.Fatal("the first event isn't Rejoined") // which a new process doesn't see
	}
	return fresh
}

// takeOpen takes the first channel that opens: a connection that is made anew has
// another one.
func takeOpen(t *testing.T, all chan *opened) *opened {
	t.Helper()
	var some []*opened
	for deadline := time.After(patience); ; {
		for _, one := range some {
			select {
			case <-one.open:
				return one
			default:
			}
		}
		select {
		case one := <-all:
			some = append(some, one)
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			t.Fatal("waited in vain: a channel that opens")
		}
	}
}

func bobs(p contract.Peer) bool { return p.Identity == "bob" }

// A new process may answer what was offered for the connection of the one before
// it, and that answer then has all that it wanted itself. The old connection is
// there when the answer comes, or was closed since.
func TestRebind_WhatAnsweredForAnotherConnectionIsMadeAnew(t *testing.T) {
	for name, closes := range map[string]bool{"it is there": false, "it is closed": true} {
		t.Run(name, func(t *testing.T) { answeredForAnother(t, closes) })
	}
}

func answeredForAnother(t *testing.T, closes bool) {
	t.Helper()
	net, h := newNetwork(t, 3), newHub()
	ada, bob := h.join("ada"), h.join("bob")
	cfg, mine := channels(t, net.apis[0], bobs)
	first := started(t, ada, cfg) // stays unaware, as a process that is killed doesn't say that it ends
	cfg, theirs := channels(t, net.apis[1], bobs)
	keeper := started(t, bob, cfg)
	take(t, "open channel", take(t, "channel", mine).open)
	take(t, "open channel", take(t, "channel", theirs).open)
	kept, _ := keeper.Connection(ada.self.Peer)

	cfg, mine = channels(t, net.apis[2], bobs)
	var made []*webrtc.PeerConnection
	opensChannel := cfg.OnPeerConnection
	cfg.OnPeerConnection = func(p contract.Peer, pc *webrtc.PeerConnection) {
		if made = append(made, pc); len(made) > 1 {
			opensChannel(p, pc)
		}
	}
	wanted, held, answer := false, false, make(chan client.Event, 1)
	h.setIntervene(func(from *member, e client.Event) (bool, error) {
		switch e.(type) {
		case client.Offer:
			if from == bob && !wanted {
				wanted = true
				_, err := made[0].CreateDataChannel("data", nil)
				return false, err
			}
		case client.Answer:
			if closes && !held {
				held = true
				answer <- e
				return true, nil
			}
		}
		return false, nil
	})
	started(t, startAnew(t, ada), cfg)
	if closes {
		late := take(t, "the answer", answer)
		first.Close()
		await(t, "another connection", func() bool { pc, _ := keeper.Connection(peerToken("fresh")); return pc != kept })
		bob.push(late)
	}
	a, b := take(t, "channel", mine), take(t, "channel", theirs)
	take(t, "open channel", a.open)
	take(t, "open channel", b.open)
	exchange(t, a, b)
	h.mu.Lock()
	defer h.mu.Unlock()
	origins := map[string]bool{}
	for _, s := range h.log {
		if offer, ok := s.event.(client.Offer); ok && s.from == peerToken("fresh") {
			origins[origin(offer.Description.SDP)] = true
		}
	}
	if len(made) != 2 || len(origins) != 1 {
		t.Errorf("%d connections, and %d of them offered, want 2 and 1: the first one mustn't live until ICE fails", len(made), len(origins))
	}
}

// A connection may be closed by the other side's end when that is already bound
// as another process.
func TestRebind_ClosedAfterItWasBound(t *testing.T) {
	net, h := newNetwork(t, 3), newHub()
	ada, bob := h.join("ada"), h.join("bob")
	cfg, theirs := channels(t, net.apis[0], bobs)
	keeper := started(t, ada, cfg)
	cfg, mine := channels(t, net.apis[1], bobs)
	first := started(t, bob, cfg)
	take(t, "open channel", take(t, "channel", theirs).open)
	take(t, "open channel", take(t, "channel", mine).open)
	kept, _ := keeper.Connection(bob.self.Peer)

	held, done := false, make(chan client.Event, 1)
	h.setIntervene(func(_ *member, e client.Event) (bool, error) {
		m, ok := e.(client.Message)
		if !ok || string(m.Data) != `{"negotiate":"done"}` || held {
			return false, nil
		}
		held = true
		done <- e
		return true, nil
	})
	cfg, mine = channels(t, net.apis[2], bobs)
	started(t, startAnew(t, bob), cfg)
	late := take(t, "the fresh one's word", done)
	first.Close()
	await(t, "the end of the connection", func() bool { return kept.ConnectionState() == webrtc.PeerConnectionStateClosed })
	ada.push(late)
	a, b := take(t, "channel", theirs), take(t, "channel", mine)
	take(t, "open channel", a.open)
	take(t, "open channel", b.open)
	exchange(t, a, b)
}
