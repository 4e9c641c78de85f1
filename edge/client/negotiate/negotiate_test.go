package negotiate

import (
	"bytes"
	"crypto/rand"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

func quiet() logging.LoggerFactory {
	f := logging.NewDefaultLoggerFactory()
	f.Writer = io.Discard
	return f
}

// opened makes the channel's events into Go channels.
type opened struct {
	dc   *webrtc.DataChannel
	open chan struct{}
	data chan []byte
}

func watch(dc *webrtc.DataChannel) *opened {
	o := &opened{dc: dc, open: make(chan struct{}), data: make(chan []byte, 1024)}
	dc.OnOpen(func() { close(o.open) })
	dc.OnMessage(func(m webrtc.DataChannelMessage) { o.data <- m.Data })
	return o
}

// channels makes a Config whose chosen side opens a data channel.
func channels(t *testing.T, api *webrtc.API, open func(contract.Peer) bool) (Config, chan *opened) {
	t.Helper()
	all := make(chan *opened, 16)
	return Config{
		API: api,
		OnPeerConnection: func(p contract.Peer, pc *webrtc.PeerConnection) {
			if !open(p) {
				return
			}
			dc, err := pc.CreateDataChannel("data", nil)
			if err != nil {
				t.Error(err)
				return
			}
			all <- watch(dc)
		},
		OnDataChannel: func(_ contract.Peer, dc *webrtc.DataChannel) { all <- watch(dc) },
	}, all
}

func impolite(p contract.Peer) bool { return !p.Polite }
func polite(p contract.Peer) bool   { return p.Polite }

// exchange sends 1 MB each way and compares it.
func exchange(t *testing.T, a, b *opened) {
	t.Helper()
	const size, piece = 1_000_000, 10_000
	var wg sync.WaitGroup
	for _, way := range [][2]*opened{{a, b}, {b, a}} {
		from, to := way[0], way[1]
		want := make([]byte, size)
		rand.Read(want)
		wg.Go(func() {
			for at := 0; at < size; at += piece {
				if err := from.dc.Send(want[at : at+piece]); err != nil {
					t.Error(err)
					return
				}
			}
		})
		wg.Go(func() {
			var got []byte
			for len(got) < size {
				got = append(got, take(t, "data", to.data)...)
			}
			if !bytes.Equal(got, want) {
				t.Error("what came isn't what was sent")
			}
		})
	}
	wg.Wait()
}

// call connects two members; the side that open chooses opens the channel.
func call(t *testing.T, net *network, open func(contract.Peer) bool) (h *hub, n [2]*Negotiator, dc [2]*opened) {
	t.Helper()
	h = newHub()
	var all [2]chan *opened
	for i, name := range []string{"ada", "bob"} {
		var cfg Config
		cfg, all[i] = channels(t, net.apis[i], open)
		n[i] = started(t, h.join(name), cfg)
	}
	for i := range dc {
		dc[i] = take(t, "data channel", all[i])
		take(t, "open data channel", dc[i].open)
	}
	return h, n, dc
}

func TestNegotiator_MovesAMegabyteBothWays(t *testing.T) {
	for name, tt := range map[string]struct {
		open  func(contract.Peer) bool
		words int
	}{"impolite opens": {impolite, 0}, "polite opens": {polite, 2}} {
		t.Run(name, func(t *testing.T) {
			h, _, dc := call(t, newNetwork(t, 2), tt.open)
			exchange(t, dc[0], dc[1])
			offers, answers, words := count[client.Offer](h), count[client.Answer](h), count[client.Message](h)
			if offers != 1 || answers != 1 || words != tt.words {
				t.Errorf("%d offers, %d answers, %d words, want 1, 1, %d", offers, answers, words, tt.words)
			}
		})
	}
}

func TestNegotiator_TricklesToTheEnd(t *testing.T) {
	h, _, _ := call(t, newNetwork(t, 2), impolite)
	ends := func() (ends, others int) {
		h.mu.Lock()
		defer h.mu.Unlock()
		negotiation := ""
		for _, s := range h.log {
			switch e := s.event.(type) {
			case client.Offer:
				negotiation = e.Negotiation
				if bytes.Contains([]byte(e.Description.SDP), []byte("a=candidate:")) {
					t.Error("the offer has candidates in it: they must trickle")
				}
			case client.Candidate:
				if e.Negotiation != negotiation {
					t.Errorf("candidates of negotiation %q, want %q", e.Negotiation, negotiation)
				}
				for _, c := range e.Candidates {
					if c.Candidate == "" {
						ends++
					} else {
						others++
					}
				}
			}
		}
		return ends, others
	}
	await(t, "the end of both sides' candidates", func() bool { e, _ := ends(); return e == 2 })
	if _, others := ends(); others < 2 {
		t.Errorf("%d candidates, want one of each side at least", others)
	}
}

func TestNegotiator_BothSidesAddMediaAtOnce(t *testing.T) {
	h, n, dc := call(t, newNetwork(t, 2), impolite)
	ada, _ := n[1].Connection(peerToken("ada"))
	bob, _ := n[0].Connection(peerToken("bob"))
	var wg sync.WaitGroup
	for _, pc := range []*webrtc.PeerConnection{ada, bob} {
		wg.Go(func() {
			for range 4 {
				if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	negotiated := func(pc *webrtc.PeerConnection) bool {
		all := pc.GetTransceivers()
		for _, tr := range all {
			if tr.Mid() == "" {
				return false
			}
		}
		return len(all) >= 4 && pc.SignalingState() == webrtc.SignalingStateStable
	}
	await(t, "all transceivers negotiated", func() bool {
		return negotiated(ada) && negotiated(bob) && len(ada.GetTransceivers()) == len(bob.GetTransceivers())
	})
	h.mu.Lock()
	crossed := h.crossed
	h.mu.Unlock()
	if crossed != 0 {
		t.Errorf("%d offers crossed", crossed)
	}
	exchange(t, dc[0], dc[1])
}

func TestNegotiator_RestartsICE(t *testing.T) {
	ufrags := func(n [2]*Negotiator) (all [2]string) {
		for i, other := range []string{"bob", "ada"} {
			pc, _ := n[i].Connection(peerToken(other))
			all[i] = ufrag(pc.LocalDescription())
		}
		return all
	}
	changed := func(a, b [2]string) bool { return a[0] != b[0] && a[1] != b[1] }
	for name, who := range map[string]int{"asked for by the owner": 0, "asked for by the polite one": 1} {
		t.Run(name, func(t *testing.T) {
			_, n, dc := call(t, newNetwork(t, 2), impolite)
			before := ufrags(n)
			n[who].RestartICE([]contract.Token{peerToken("bob"), peerToken("ada")}[who])
			await(t, "new ICE credentials on both sides", func() bool { return changed(ufrags(n), before) })
			exchange(t, dc[0], dc[1])
		})
	}
	for name, failed := range map[string]time.Duration{"after the path failed": 2 * time.Second, "before the path is called failed": time.Hour} {
		t.Run(name, func(t *testing.T) {
			net := newSlowNetwork(t, 2, failed)
			h, n, dc := call(t, net, impolite)
			before := ufrags(n)
			offers := count[client.Offer](h)
			net.setCut(true)
			await(t, "an offer because the path is gone", func() bool { return count[client.Offer](h) > offers })
			net.setCut(false)
			await(t, "new ICE credentials on both sides", func() bool { return changed(ufrags(n), before) })
			exchange(t, dc[0], dc[1])
		})
	}
}
