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
		if errors.Is(err, contract.CodeGlare) {
			p.turn.collided()
			p.mu.Lock()
			p.needs, p.restart = true, restart
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

// repeatOffer sends our offer again, as a new negotiation: whatever answers the
// old one is void.
func (p *pair) repeatOffer() {
	pending := p.pc.PendingLocalDescription()
	if pending == nil {
		return
	}
	p.offer = rand.Text()
	p.begin(p.offer, false)
	d := contract.SessionDescription{Type: pending.Type.String(), SDP: pending.SDP}
	p.send("offer", func() error { return p.n.room.Offer(p.ctx, p.peer.Peer, p.offer, d) })
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
