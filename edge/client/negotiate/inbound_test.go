package negotiate

import (
	"fmt"
	"testing"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// alone makes a pair whose worker doesn't run, so that a test can be it.
func alone(t *testing.T, room Room) *pair {
	t.Helper()
	n := New(room, Config{API: newNetwork(t, 1).apis[0]})
	p, err := newPair(n, contract.Peer{Peer: peerToken("bob")})
	if err != nil {
		t.Fatal(err)
	}
	close(p.done)
	t.Cleanup(func() {
		p.close()
		n.Close()
	})
	return p
}

// offerOf is an offer of another pion, with a data channel.
func offerOf(t *testing.T) string {
	t.Helper()
	pc, err := newNetwork(t, 1).apis[0].NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.GracefulClose() })
	if _, err := pc.CreateDataChannel("data", nil); err != nil {
		t.Fatal(err)
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return offer.SDP
}

func candidates(negotiation string, ports ...int) client.Candidate {
	e := client.Candidate{Negotiation: negotiation}
	mid := "0"
	for _, port := range ports {
		e.Candidates = append(e.Candidates, contract.ICECandidate{
			Candidate: fmt.Sprintf("candidate:1 1 udp 2130706431 203.0.113.9 %d typ host", port), SDPMid: &mid,
		})
	}
	return e
}

// remotePorts are those of the candidates that pion was given.
func remotePorts(p *pair) map[int32]bool {
	ports := map[int32]bool{}
	for _, s := range p.pc.GetStats() {
		if c, ok := s.(webrtc.ICECandidateStats); ok && c.Type == webrtc.StatsTypeRemoteCandidate {
			ports[c.Port] = true
		}
	}
	return ports
}

func TestPair_HoldsCandidatesForTheirDescription(t *testing.T) {
	h := newHub()
	ada := h.join("ada")
	h.join("bob")
	p := alone(t, ada)
	p.onCandidates(candidates("superseded", 1001))
	p.onCandidates(candidates("n1", 1002))
	p.onCandidates(candidates("n1", 1003))
	if len(p.held.candidates) != 2 || p.held.negotiation != "n1" {
		t.Fatalf("held %+v, want the two of the newest negotiation", p.held)
	}
	p.onOffer(client.Offer{Negotiation: "n1", Description: contract.SessionDescription{Type: "offer", SDP: offerOf(t)}})
	p.onCandidates(candidates("n1", 1004))
	p.onCandidates(candidates("n0", 1005))
	end := candidates("n1")
	end.Candidates = []contract.ICECandidate{{}}
	p.onCandidates(end)
	await(t, "candidates of n1 in pion", func() bool { return len(remotePorts(p)) == 3 })
	if got := remotePorts(p); !got[1002] || !got[1003] || !got[1004] {
		t.Errorf("pion has the ports %v, want those of n1", got)
	}
	if count[client.Answer](h) != 1 {
		t.Error("the offer was not answered")
	}
}

func TestPair_HoldsABoundedNumber(t *testing.T) {
	h := newHub()
	p := alone(t, h.join("ada"))
	for i := range maxHeld - 1 {
		p.onCandidates(candidates("n1", i+1))
	}
	p.onCandidates(candidates("n1", 1, 2, 3))
	p.onCandidates(candidates("n1", 4))
	if got := len(p.held.candidates); got != maxHeld {
		t.Errorf("%d candidates are held, want %d", got, maxHeld)
	}
}

func TestPair_OursWinsACollision(t *testing.T) {
	h := newHub()
	ada := h.join("ada")
	h.join("bob")
	p := alone(t, ada)
	if _, err := p.pc.CreateDataChannel("data", nil); err != nil {
		t.Fatal(err)
	}
	p.makeOffer()
	ours := p.offer
	p.onCandidates(candidates("theirs", 1001))
	p.onOffer(client.Offer{Negotiation: "theirs", Description: contract.SessionDescription{Type: "offer", SDP: offerOf(t)}})
	p.onCandidates(candidates("theirs", 1002))
	answer := answerTo(t, *p.pc.PendingLocalDescription())
	p.onAnswer(client.Answer{Negotiation: "theirs", Description: answer})
	p.onAnswer(client.Answer{Negotiation: ours, Description: contract.SessionDescription{Type: "answer", SDP: "not an SDP"}})
	if p.offer != ours || p.pc.SignalingState() != webrtc.SignalingStateHaveLocalOffer {
		t.Errorf("offer %q in state %v, want ours still pending", p.offer, p.pc.SignalingState())
	}
	if p.ignored != "theirs" || p.current != "" || count[client.Answer](h) != 0 {
		t.Errorf("ignored %q, current %q, want theirs ignored and not answered", p.ignored, p.current)
	}
	p.onAnswer(client.Answer{Negotiation: ours, Description: answer})
	if p.offer != "" || p.current != ours || p.pc.SignalingState() != webrtc.SignalingStateStable {
		t.Errorf("offer %q, current %q in state %v after our answer", p.offer, p.current, p.pc.SignalingState())
	}
	p.onAnswer(client.Answer{Negotiation: ours, Description: answer}) // again: dropped, as its log says
}

// answerTo is another pion's answer to an offer.
func answerTo(t *testing.T, offer webrtc.SessionDescription) contract.SessionDescription {
	t.Helper()
	pc, err := newNetwork(t, 1).apis[0].NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.GracefulClose() })
	if err := pc.SetRemoteDescription(offer); err != nil {
		t.Fatal(err)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	return contract.SessionDescription{Type: "answer", SDP: answer.SDP}
}

func TestPair_ARefusedOfferKeepsTheWish(t *testing.T) {
	h := newHub()
	ada := h.join("ada")
	h.join("bob")
	p := alone(t, ada)
	p.onOffer(client.Offer{Negotiation: "n1", Description: contract.SessionDescription{Type: "offer", SDP: offerOf(t)}})
	p.wantRestart()
	h.setIntervene(func(*member, client.Event) (bool, error) { return false, refused(contract.CodeGlare, true) })
	p.makeOffer()
	if !p.restart || !p.needs || !p.turn.blocked || p.offer != "" || p.tag != "n1" {
		t.Errorf("restart %v, needs %v, blocked %v, offer %q, tag %q", p.restart, p.needs, p.turn.blocked, p.offer, p.tag)
	}
}

func TestPair_RestartVoidsOldCandidates(t *testing.T) {
	p := alone(t, newHub().join("ada"))
	p.note(p.pc, func() { p.local = append(p.local, webrtc.ICECandidateInit{}) })
	if before := p.begin("n1", false); before != "" || len(p.local) != 1 || p.tag != "n1" {
		t.Errorf("before %q, %d candidates, tag %q: without a restart the candidates stay", before, len(p.local), p.tag)
	}
	if before := p.begin("n2", true); before != "n1" || len(p.local) != 0 || p.tag != "n2" {
		t.Errorf("before %q, %d candidates, tag %q: a restart makes them void", before, len(p.local), p.tag)
	}
}

func TestPair_DropsABrokenOffer(t *testing.T) {
	h := newHub()
	ada := h.join("ada")
	p := alone(t, ada)
	p.turn.lent = true
	p.onOffer(client.Offer{Negotiation: "n1", Description: contract.SessionDescription{Type: "offer", SDP: "not an SDP"}})
	if p.ignored != "n1" || p.turn.lent || p.tag != "" {
		t.Errorf("ignored %q, lent %v, tag %q after a broken offer", p.ignored, p.turn.lent, p.tag)
	}
	p.onCandidates(candidates("n1", 1001))
	if len(p.held.candidates) != 0 {
		t.Error("candidates of a dropped offer are held")
	}
}

func TestUfrag(t *testing.T) {
	for sdp, want := range map[string]string{
		"v=0\r\na=ice-ufrag:abc\r\na=ice-pwd:x\r\n": "abc", "a=ice-ufrag:abc": "abc", "v=0\r\n": "",
	} {
		if got := ufrag(&webrtc.SessionDescription{SDP: sdp}); got != want {
			t.Errorf("ufrag(%q) = %q, want %q", sdp, got, want)
		}
	}
	if ufrag(nil) != "" {
		t.Error("no description has no ufrag")
	}
}
