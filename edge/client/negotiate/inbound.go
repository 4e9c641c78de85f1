package negotiate

import (
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// onOffer applies an offer and answers it, unless ours must win.
func (p *pair) onOffer(e client.Offer) {
	if p.foreign(e.Description) && !p.renew() {
		return
	}
	if p.pc.SignalingState() != webrtc.SignalingStateStable {
		if e.Negotiation == p.answered {
			p.repeatAnswer() // it made its offer before ours, and didn't get the answer
			return
		}
		p.ignored = e.Negotiation
		p.log.Info("offer dropped, ours is on the way", "negotiation", e.Negotiation)
		return
	}
	remote := webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: e.Description.SDP}
	restarts := p.current != "" && ufrag(p.pc.RemoteDescription()) != ufrag(&remote)
	// pion gathers anew as soon as it sees that ICE restarts.
	before := p.begin(e.Negotiation, restarts)
	if err := p.pc.SetRemoteDescription(remote); err != nil {
		p.setTag(before)
		p.ignored = e.Negotiation
		p.turn.answered() // there will be no answer
		p.log.Warn("offer dropped, it can't be applied", "error", err)
		return
	}
	p.described(e.Negotiation)
	p.mu.Lock()
	p.needs = false // pion says so again after the answer if there is still need
	p.mu.Unlock()
	answer, err := p.pc.CreateAnswer(nil)
	if err == nil {
		err = p.pc.SetLocalDescription(answer)
	}
	if err != nil {
		p.log.Error("offer can't be answered", "error", err)
		return
	}
	p.turn.answered()
	p.answered = e.Negotiation
	d := contract.SessionDescription{Type: answer.Type.String(), SDP: answer.SDP}
	p.send("answer", func() error { return p.n.room.Answer(p.ctx, p.peer.Peer, e.Negotiation, d) })
}

// onAnswer applies the answer to our offer; any other is of a superseded
// negotiation.
func (p *pair) onAnswer(e client.Answer) {
	if p.offer == "" || e.Negotiation != p.offer {
		p.log.Info("answer dropped, it is of another negotiation", "negotiation", e.Negotiation)
		return
	}
	if p.foreign(e.Description) {
		p.turn.offered()
		if p.renew() { // which offers by itself what it has
			p.say(wordAnew) // what the other side has was answered for a connection that is gone
		}
		return
	}
	remote := webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: e.Description.SDP}
	if err := p.pc.SetRemoteDescription(remote); err != nil {
		p.log.Error("answer can't be applied", "error", err)
		return
	}
	p.offer, p.answered, p.refused = "", "", false
	p.turn.offered()
	p.described(e.Negotiation)
}

// described adds the candidates that were held for a remote description, and
// forgets others.
func (p *pair) described(negotiation string) {
	p.current, p.unproven = negotiation, false
	waiting := p.held
	p.held = held{}
	if waiting.negotiation == negotiation {
		p.addCandidates(waiting.candidates)
	}
}

// onCandidates adds candidates, or holds them for their description.
func (p *pair) onCandidates(e client.Candidate) {
	switch e.Negotiation {
	case p.current:
		p.addCandidates(e.Candidates)
		return
	case p.ignored:
		return
	}
	if p.held.negotiation != e.Negotiation {
		p.held = held{negotiation: e.Negotiation}
	}
	free := max(0, maxHeld-len(p.held.candidates))
	if len(e.Candidates) > free {
		p.log.Warn("candidates dropped, too many wait for their description", "count", len(e.Candidates)-free)
		e.Candidates = e.Candidates[:free]
	}
	p.held.candidates = append(p.held.candidates, e.Candidates...)
}

func (p *pair) addCandidates(cs []contract.ICECandidate) {
	for _, c := range cs {
		err := p.pc.AddICECandidate(webrtc.ICECandidateInit{
			Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex, UsernameFragment: c.UsernameFragment,
		})
		if err != nil {
			p.log.Warn("candidate dropped, pion refuses it")
		}
	}
}

// onGap repeats what we wait for, and asks the other side to do the same:
// something of what it sent is lost.
func (p *pair) onGap() {
	if p.offer != "" {
		p.repeatOffer()
	}
	p.say(wordAgain)
}
