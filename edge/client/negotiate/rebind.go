package negotiate

import (
	"strings"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/services/contract"
)

// rebound tells a pair that its peer is this one now, or that we are another
// one to it.
type rebound struct{ peer contract.Peer }

// onRebound goes on with another membership. What was on its way may be lost, on
// both sides: an offer of ours that has no answer is repeated, otherwise the
// impolite one offers the connection as it is, when it is its turn. ICE restarts
// only if it has failed.
func (p *pair) onRebound(peer contract.Peer) {
	previous := p.peer
	p.mu.Lock()
	p.peer = peer
	p.mu.Unlock()
	p.log, p.unheard, p.unproven, p.refused = p.n.logOf(peer), false, true, false
	back := p.turn.rebind(peer.Polite, peer.Capabilities.Rollback)
	if f := p.n.cfg.OnRebound; f != nil {
		f(peer, previous, p.pc)
	}
	if back {
		p.say(wordBack)
	}
	if p.pc.SignalingState() == webrtc.SignalingStateClosed && !p.renew() {
		return // the other side closed its own
	}
	switch {
	case p.offer != "" && p.answered != "":
		p.repeatAnswer() // our offer came after it: without it the two would cross
		p.repeatOffer()
		return
	case p.offer != "":
		p.repeatOffer()
		return
	case peer.Polite:
		return // the other one begins
	}
	p.mu.Lock()
	p.needs = p.needs || p.pc.CurrentRemoteDescription() != nil
	p.restart = p.restart || p.pc.ICEConnectionState() == webrtc.ICEConnectionStateFailed
	p.mu.Unlock()
}

// foreign reports whether a description is of another PeerConnection than the
// one whose description we have: no description fits both.
func (p *pair) foreign(d contract.SessionDescription) bool {
	have := p.pc.RemoteDescription()
	return have != nil && origin(have.SDP) != origin(d.SDP)
}

// renew takes a new PeerConnection in the place of one whose other side is gone.
// It reports whether it could.
func (p *pair) renew() bool {
	pc, err := p.n.cfg.newPeerConnection(p.n.room)
	if err != nil {
		p.log.Error("no connection in the place of one whose other side is gone", "error", err)
		return false
	}
	p.log.Info("the other side has another connection, so this one ends")
	p.mu.Lock()
	old := p.pc
	p.pc, p.needs, p.restart, p.tag, p.local = pc, false, false, "", nil
	p.mu.Unlock()
	p.offer, p.refused, p.answered, p.current, p.ignored, p.held = "", false, "", "", "", held{}
	p.listen(pc)
	p.n.wg.Go(func() { p.n.end(old) })
	if f := p.n.cfg.OnPeerConnection; f != nil {
		f(p.peer, pc)
	}
	return true
}

// origin is the session id of a description's o= (RFC 8866 section 5.2), which
// one PeerConnection never changes (RFC 9429 section 5.2.2).
func origin(sdp string) string {
	_, after, _ := strings.Cut(sdp, "\no=")
	line, _, _ := strings.Cut(after, "\n")
	if fields := strings.Fields(line); len(fields) > 1 {
		return fields[1]
	}
	return ""
}
