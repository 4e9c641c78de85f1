package negotiate

import (
	"context"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/services/contract"
)

// absencePatience is how long a connection whose peer lost its session waits for the
// same identity to come back; longer while it is connected.
const absencePatience = 30 * time.Second

// absence is of a pair whose membership has ended, its peer's or our own: no
// signal reaches the other side.
type absence struct {
	over    chan struct{} // closed when the pair is bound again
	overdue bool
}

// wait keeps a pair for the return of its identity; n.mu is held.
func (n *Negotiator) wait(p *pair) {
	a := &absence{over: make(chan struct{})}
	n.absent[p] = a
	n.wg.Go(func() {
		timer := time.NewTimer(absencePatience)
		defer timer.Stop()
		select {
		case <-timer.C:
			n.overdue(p, a)
		case <-a.over:
		case <-p.ctx.Done():
		}
	})
}

// overdue ends the patience with a pair.
func (n *Negotiator) overdue(p *pair, a *absence) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.absent[p] == a {
		a.overdue = true
		n.giveUp(p, p.connection().ConnectionState())
	}
}

// giveUp ends a pair that has waited for too long and doesn't work any more, or
// whose connection the other side has closed; n.mu is held.
func (n *Negotiator) giveUp(p *pair, state webrtc.PeerConnectionState) {
	a := n.absent[p]
	if a == nil || n.closed {
		return
	}
	ended := state == webrtc.PeerConnectionStateClosed
	if ended || a.overdue && state != webrtc.PeerConnectionStateConnected {
		delete(n.absent, p)
		n.wg.Go(p.close)
	}
}

// noteState is called when the state of a pair's connection changes.
func (n *Negotiator) noteState(p *pair, state webrtc.PeerConnectionState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.giveUp(p, state)
}

// adopt gives a new member the pair that waits for its identity, if there is
// one. Only Run calls it.
func (n *Negotiator) adopt(ctx context.Context, peer contract.Peer) bool {
	n.mu.Lock()
	if _, known := n.pairs[peer.Peer]; known || n.closed {
		n.mu.Unlock()
		return known
	}
	for p := range n.absent {
		if p.identity == peer.Identity {
			n.bind(p, peer.Peer)
			n.mu.Unlock()
			n.pass(ctx, peer.Peer, rebound{peer})
			return true
		}
	}
	n.mu.Unlock()
	return false
}

// bind gives a pair its peer; n.mu is held.
func (n *Negotiator) bind(p *pair, id contract.Token) {
	if a := n.absent[p]; a != nil {
		close(a.over)
		delete(n.absent, p)
	}
	n.pairs[id] = p
}

// begin binds every pair anew after our session was lost: we are another peer
// now, and the others may be. The connections stay.
func (n *Negotiator) begin(ctx context.Context) error {
	roster := n.room.Peers()
	n.mu.Lock()
	homeless := n.pairs
	n.pairs = make(map[contract.Token]*pair, len(roster))
	var bound []contract.Peer
	for _, peer := range roster {
		if p := homeless[peer.Peer]; p != nil && !n.closed {
			delete(homeless, peer.Peer)
			n.bind(p, peer.Peer)
			bound = append(bound, peer)
		}
	}
	for _, p := range homeless {
		if !n.closed {
			n.wait(p)
		}
	}
	n.mu.Unlock()
	n.configure()
	for _, peer := range bound {
		n.pass(ctx, peer.Peer, rebound{peer})
	}
	return n.addAll(ctx)
}
