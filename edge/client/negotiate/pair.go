package negotiate

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// inboxLength is how much of a peer may wait for its pair; more holds up
	// the room's events, and so in the end the socket.
	inboxLength = 64
	// maxHeld bounds the candidates that are held for one description; an edge
	// lets no more through.
	maxHeld = 64
	// How long ICE may be disconnected before this side restarts it, as in the
	// TypeScript client.
	disconnectedImpolite = 5 * time.Second
	disconnectedPolite   = 10 * time.Second
)

// pair is the connection with one peer. Its worker does everything with
// descriptions and candidates, one after the other; pion's callbacks only leave notes.
type pair struct {
	// Static.
	n        *Negotiator
	identity string
	inbox    chan any // client events and words of this peer
	poke     chan struct{}
	ctx      context.Context
	stop     context.CancelFunc
	done     chan struct{} // the worker has ended

	// Owned by the worker.
	log      *slog.Logger
	turn     turn
	unheard  bool   // an offer didn't reach the peer: wait until it is bound again
	unproven bool   // no description since it was bound again: the other side's connection may be gone
	offer    string // our offer's negotiation, while its answer isn't here
	refused  bool   // the edge refused that offer when it was said again
	answered string // the negotiation that our current description answers, if it is an answer
	current  string // the negotiation of the remote description
	ignored  string // the negotiation of the last offer that was dropped
	held     held   // candidates that came before their description

	mu      sync.Mutex
	peer    contract.Peer             // written by the worker alone, which may read it without mu
	pc      *webrtc.PeerConnection    // likewise
	needs   bool                      // pion has something to negotiate
	restart bool                      // ICE must be restarted
	tag     string                    // the negotiation that our candidates belong to
	local   []webrtc.ICECandidateInit // our candidates that aren't sent; pion gathers a bounded number
	trouble *time.Timer               // ICE is restarted then; nil: it was never in trouble
}

// held are the candidates of one negotiation.
type held struct {
	negotiation string
	candidates  []contract.ICECandidate
}

// newPair makes the connection; its worker must be started.
func newPair(n *Negotiator, peer contract.Peer) (*pair, error) {
	pc, err := n.cfg.newPeerConnection(n.room)
	if err != nil {
		return nil, err
	}
	p := &pair{
		n: n, identity: peer.Identity, peer: peer, pc: pc, log: n.logOf(peer),
		inbox: make(chan any, inboxLength), poke: make(chan struct{}, 1), done: make(chan struct{}),
		turn: turn{asks: peer.Polite},
	}
	p.ctx, p.stop = context.WithCancel(n.ctx)
	p.listen(pc)
	return p, nil
}

// listen has pion leave notes.
func (p *pair) listen(pc *webrtc.PeerConnection) {
	peer := p.peer
	pc.OnNegotiationNeeded(func() { p.note(pc, func() { p.needs = true }) })
	pc.OnICECandidate(func(c *webrtc.ICECandidate) {
		var init webrtc.ICECandidateInit // empty: the end
		if c != nil {
			init = c.ToJSON()
		}
		p.note(pc, func() { p.local = append(p.local, init) })
	})
	pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) { p.watchICE(pc, s) })
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if p.connection() == pc {
			p.n.noteState(p, s)
			p.wake()
		}
	})
	if f := p.n.cfg.OnDataChannel; f != nil {
		pc.OnDataChannel(func(d *webrtc.DataChannel) { f(peer, d) })
	}
	if f := p.n.cfg.OnTrack; f != nil {
		pc.OnTrack(func(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) { f(peer, t, r) })
	}
}

// connection is the pair's, for others than its worker.
func (p *pair) connection() *webrtc.PeerConnection {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pc
}

// close ends the worker and the connection, and waits for both.
func (p *pair) close() {
	p.stop()
	<-p.done
	p.n.end(p.pc)
}

// wake makes the worker look at the notes.
func (p *pair) wake() {
	select {
	case p.poke <- struct{}{}:
	default:
	}
}

// note leaves a note about a connection for the worker, unless the pair has
// another one by now.
func (p *pair) note(pc *webrtc.PeerConnection, set func()) {
	p.mu.Lock()
	current := p.pc == pc
	if current {
		set()
	}
	p.mu.Unlock()
	if current {
		p.wake()
	}
}

// watchICE restarts ICE when it has failed, or has been disconnected for a while:
// pion takes 25 s more to call that failed. The impolite one is first, so that
// mostly one of the two acts; what it does changes the state at the other.
func (p *pair) watchICE(pc *webrtc.PeerConnection, s webrtc.ICEConnectionState) {
	restart := func() { p.restart = true }
	p.note(pc, func() {
		if p.trouble != nil {
			p.trouble.Stop()
		}
		switch s {
		case webrtc.ICEConnectionStateFailed:
			restart()
		case webrtc.ICEConnectionStateDisconnected:
			after := disconnectedImpolite
			if p.peer.Polite {
				after = disconnectedPolite
			}
			p.trouble = time.AfterFunc(after, func() { p.note(pc, restart) })
		}
	})
}

func (p *pair) wantRestart() { p.note(p.connection(), func() { p.restart = true }) }

// run is the worker.
func (p *pair) run() {
	defer close(p.done)
	for p.ctx.Err() == nil {
		select {
		case <-p.ctx.Done():
			return
		case <-p.poke:
		case what := <-p.inbox:
			p.handle(what)
		}
		p.act()
	}
}

// handle takes one thing from the other side.
func (p *pair) handle(what any) {
	switch e := what.(type) {
	case client.Offer:
		p.onOffer(e)
	case client.Answer:
		p.onAnswer(e)
	case client.Candidate:
		p.onCandidates(e)
	case client.Gap:
		p.onGap()
	case rebound:
		p.onRebound(e.peer)
	case word:
		p.turn.hear(e)
		switch {
		case e == wordAgain && p.offer != "":
			p.repeatOffer()
		case e == wordAnew && p.pc.RemoteDescription() != nil:
			if p.offer != "" {
				p.turn.offered() // it is of the connection that ends
			}
			p.renew()
		}
	}
}

// act does what the notes and the turn ask for.
func (p *pair) act() {
	p.sendCandidates()
	switch p.pc.SignalingState() {
	case webrtc.SignalingStateStable:
	case webrtc.SignalingStateClosed:
		if !p.unproven || !p.renew() { // what another process of the peer's closed as it ended
			return
		}
		p.say(wordAnew) // an offer of it may have gone out
	default:
		return
	}
	for p.ctx.Err() == nil && !p.unheard {
		p.mu.Lock()
		wants := p.needs || p.restart
		p.mu.Unlock()
		switch p.turn.next(wants) {
		case actNothing:
			return
		case actOffer:
			p.makeOffer()
			p.sendCandidates()
			if p.offer != "" {
				return // until its answer is here
			}
		case actAsk:
			p.say(wordAsk)
		case actGo:
			p.say(wordGo)
		case actDone:
			p.say(wordDone)
		}
	}
}

// begin opens a new generation of our description: candidates that aren't sent
// yet belong to it, unless ICE restarts, which makes them void.
func (p *pair) begin(negotiation string, restart bool) (before string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, p.tag = p.tag, negotiation
	if restart {
		p.local, p.restart = nil, false
	}
	return before
}

func (p *pair) setTag(negotiation string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tag = negotiation
}

// ufrag is the ICE user name fragment of a description (RFC 8839 section 5.4):
// another one means that ICE restarts.
func ufrag(d *webrtc.SessionDescription) string {
	if d == nil {
		return ""
	}
	_, after, _ := strings.Cut(d.SDP, "a=ice-ufrag:")
	fragment, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(fragment)
}
