package negotiate

import (
	"crypto/rand"
	"errors"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// maxTogether is the most candidates that travel in one frame.
	maxTogether = 16
	// repeatAfter is the least wait before a refused signal is sent again.
	repeatAfter = 200 * time.Millisecond
)

// makeOffer offers what pion wants to negotiate. The offer becomes our local
// description when the edge has taken it: pion can't roll back, so an offer
// that is refused must leave no trace.
func (p *pair) makeOffer() {
	negotiation := rand.Text()
	p.mu.Lock()
	restart := p.restart && p.current != ""
	p.needs, p.restart = false, false
	p.mu.Unlock()
	before := p.begin(negotiation, restart) // pion gathers anew at once if ICE restarts
	offer, err := p.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		p.setTag(before)
		p.log.Error("offer can't be made", "error", err)
		return
	}
	d := contract.SessionDescription{Type: offer.Type.String(), SDP: offer.SDP}
	err = p.trySend("offer", func() error { return p.n.room.Offer(p.ctx, p.peer.Peer, negotiation, d) })
	if err != nil {
		p.setTag(before)
		glare, unheard := errors.Is(err, contract.CodeGlare), isUnheard(err)
		if glare {
			p.turn.collided()
		}
		p.unheard = unheard
		if glare || unheard {
			p.mu.Lock()
			p.needs, p.restart = true, restart || p.restart
			p.mu.Unlock()
		}
		return
	}
	if err := p.pc.SetLocalDescription(offer); err != nil {
		p.log.Error("offer can't be applied", "error", err)
		return
	}
	p.offer = negotiation
}

// repeatOffer sends our offer again, as the same negotiation: an answer to it is
// as good as one to what was lost.
func (p *pair) repeatOffer() {
	pending := p.pc.PendingLocalDescription()
	if pending == nil {
		return
	}
	d := contract.SessionDescription{Type: pending.Type.String(), SDP: pending.SDP}
	err := p.trySend("offer", func() error { return p.n.room.Offer(p.ctx, p.peer.Peer, p.offer, d) })
	p.refused = errors.Is(err, contract.CodeGlare)
}

// repeatAnswer says again what we answered the other's last offer with, and then
// our own offer if it had to wait for that.
func (p *pair) repeatAnswer() {
	d := contract.SessionDescription{Type: webrtc.SDPTypeAnswer.String(), SDP: p.pc.CurrentLocalDescription().SDP}
	p.send("answer", func() error { return p.n.room.Answer(p.ctx, p.peer.Peer, p.answered, d) })
	if p.refused {
		p.repeatOffer()
	}
}

// say sends a word of turn.go.
func (p *pair) say(w word) {
	p.send(string(w), func() error {
		return p.n.room.Send(p.ctx, p.peer.Peer, map[string]word{"negotiate": w})
	})
}

// sendCandidates sends what pion gathered, once there is a description of ours
// that it belongs to. An empty candidate at the end is the end of candidates.
func (p *pair) sendCandidates() {
	for p.ctx.Err() == nil {
		p.mu.Lock()
		n := min(len(p.local), maxTogether)
		tag, batch := p.tag, p.local[:n]
		p.local = p.local[n:]
		p.mu.Unlock()
		if n == 0 {
			return
		}
		cs := make([]contract.ICECandidate, n)
		for i, c := range batch {
			cs[i] = contract.ICECandidate{
				Candidate: c.Candidate, SDPMid: c.SDPMid, SDPMLineIndex: c.SDPMLineIndex, UsernameFragment: c.UsernameFragment,
			}
		}
		p.send("candidates", func() error { return p.n.room.Candidates(p.ctx, p.peer.Peer, tag, cs...) })
	}
}

// send is trySend for what nothing else hangs on: its failure is logged, and
// what was lost comes again after a Rejoined or with the next offer.
func (p *pair) send(what string, try func() error) { _ = p.trySend(what, try) }

// trySend sends a signal until the edge takes it or refuses it for good. An
// error was logged.
func (p *pair) trySend(what string, try func() error) error {
	for {
		err := try()
		wait, again := repeatable(err)
		if err == nil || p.ctx.Err() != nil {
			return err
		}
		if !again {
			p.log.Warn("signal not sent", "what", what, "error", err)
			return err
		}
		p.log.Info("signal refused for now", "what", what, "error", err, "wait", wait)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-p.ctx.Done():
			timer.Stop()
			return err
		}
	}
}

// isUnheard tells that the membership which a signal was sent in has ended, the
// peer's or our own: the pair is bound again if it goes on.
func isUnheard(err error) bool {
	for _, cause := range []error{
		client.ErrNotSent, client.ErrUnknownOutcome, client.ErrLeft, contract.CodePeerGone, contract.CodeNotInRoom,
	} {
		if errors.Is(err, cause) {
			return true
		}
	}
	return false
}

// repeatable tells whether the same signal can succeed later, and how long to
// wait before it is sent as a new frame.
func repeatable(err error) (wait time.Duration, again bool) {
	var refused *client.RefusedError
	switch {
	case errors.Is(err, contract.CodeGlare):
		return 0, false
	case errors.As(err, &refused):
		return max(repeatAfter, time.Duration(refused.Refusal.RetryAfter)*time.Millisecond), refused.Retryable
	case errors.Is(err, client.ErrEventsUnread):
		return repeatAfter, true
	default:
		return 0, false
	}
}
