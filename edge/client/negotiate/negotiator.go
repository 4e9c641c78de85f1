package negotiate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// Negotiator keeps the connections of one room.
type Negotiator struct {
	// Static.
	room Room
	cfg  Config
	log  *slog.Logger
	ctx  context.Context // ends with Close
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex
	closed bool
	pairs  map[contract.Token]*pair
	absent map[*pair]*absence // signals can't reach them for now
}

// ErrClosed says that [Negotiator.Close] was called.
var ErrClosed = errors.New("negotiator is closed")

// New makes a negotiator; [Negotiator.Run] starts it. Its owner must call Close.
func New(room Room, cfg Config) *Negotiator {
	n := &Negotiator{
		room: room, cfg: cfg, log: cfg.Logger,
		pairs: make(map[contract.Token]*pair), absent: make(map[*pair]*absence),
	}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	n.ctx, n.stop = context.WithCancel(context.Background())
	return n
}

// Run takes the room's events, so nobody else must, and negotiates until ctx
// ends (its error), the room is left (nil) or the client is over (its error).
// The connections outlive Run; only Close, and a peer that leaves, ends them.
func (n *Negotiator) Run(ctx context.Context) error {
	if err := n.addAll(ctx); err != nil {
		return err
	}
	for {
		e, err := n.room.Next(ctx)
		switch {
		case errors.Is(err, client.ErrLeft):
			return nil
		case err != nil:
			return fmt.Errorf("negotiate: %w", err)
		}
		mine, err := n.handle(ctx, e)
		if err != nil {
			return err
		}
		if !mine && n.cfg.OnEvent != nil {
			n.cfg.OnEvent(e)
		}
	}
}

// Close closes every connection and waits for all that belongs to it.
func (n *Negotiator) Close() error {
	n.mu.Lock()
	n.closed = true // from here on nothing is added
	n.stop()
	for id, p := range n.pairs {
		delete(n.pairs, id)
		n.wg.Go(p.close)
	}
	for p := range n.absent {
		delete(n.absent, p)
		n.wg.Go(p.close)
	}
	n.mu.Unlock()
	n.wg.Wait()
	return nil
}

// Connection is the connection with a peer, if there is one.
func (n *Negotiator) Connection(peer contract.Token) (*webrtc.PeerConnection, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, ok := n.pairs[peer]
	if !ok {
		return nil, false
	}
	return p.connection(), true
}

// RestartICE restarts ICE with a peer, as happens by itself when a connection
// has failed. It is for a network change that the application knows of.
func (n *Negotiator) RestartICE(peer contract.Token) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if p, ok := n.pairs[peer]; ok {
		p.wantRestart()
	}
}

// end closes a connection for good.
func (n *Negotiator) end(pc *webrtc.PeerConnection) {
	if err := pc.GracefulClose(); err != nil {
		n.log.Warn("connection closed with an error", "error", err)
	}
}

func (n *Negotiator) logOf(peer contract.Peer) *slog.Logger {
	return n.log.With("peer", peer.Peer.String())
}

// handle does what an event asks for, and reports whether it concerns
// negotiations alone.
func (n *Negotiator) handle(ctx context.Context, e client.Event) (mine bool, err error) {
	switch e := e.(type) {
	case client.PeerJoined:
		return false, n.add(ctx, e.Peer)
	case client.PeerLeft:
		n.remove(e.Peer.Peer, e.Reason)
	case client.Rejoined:
		return false, n.begin(ctx)
	case client.Offer:
		return n.pass(ctx, e.From, e), nil
	case client.Answer:
		return n.pass(ctx, e.From, e), nil
	case client.Candidate:
		return n.pass(ctx, e.From, e), nil
	case client.Message:
		if w, ok := negotiateWord(e.Data); ok {
			return n.pass(ctx, e.From, w), nil
		}
	case client.Gap:
		n.gap(ctx, e)
	case client.ICEServersChanged:
		n.configure()
	}
	return false, nil
}

// negotiateWord reads a message of turn.go.
func negotiateWord(data json.RawMessage) (word, bool) {
	var m map[string]json.RawMessage
	if json.Unmarshal(data, &m) != nil || len(m) != 1 {
		return "", false
	}
	var w word
	if json.Unmarshal(m["negotiate"], &w) != nil {
		return "", false
	}
	switch w {
	case wordAsk, wordGo, wordDone, wordAgain, wordBack, wordAnew:
		return w, true
	default:
		return "", false
	}
}

// pass gives something to the pair with a peer, and waits while that is busy:
// it must lose nothing.
func (n *Negotiator) pass(ctx context.Context, from contract.Token, what any) bool {
	n.mu.Lock()
	p, ok := n.pairs[from]
	n.mu.Unlock()
	if !ok {
		return false
	}
	select {
	case p.inbox <- what:
	case <-p.ctx.Done():
	case <-ctx.Done():
	}
	return true
}

// gap tells the pairs that something from the other side is lost.
func (n *Negotiator) gap(ctx context.Context, g client.Gap) {
	n.mu.Lock()
	var from []contract.Token
	for id := range n.pairs {
		if g.From.IsZero() || g.From == id {
			from = append(from, id)
		}
	}
	n.mu.Unlock()
	for _, id := range from {
		n.pass(ctx, id, g)
	}
}

// configure gives every connection the room's new ICE servers, for its next
// ICE restart.
func (n *Negotiator) configure() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.pairs {
		if err := p.connection().SetConfiguration(n.cfg.peerConfiguration(n.room)); err != nil {
			p.log.Warn("new ICE servers not taken", "error", err)
		}
	}
}

func (n *Negotiator) addAll(ctx context.Context) error {
	for _, peer := range n.room.Peers() {
		if err := n.add(ctx, peer); err != nil {
			return err
		}
	}
	return nil
}

// add makes the pair with a peer, unless there is one. Only Run calls it.
func (n *Negotiator) add(ctx context.Context, peer contract.Peer) error {
	if n.cfg.Only != nil && !n.cfg.Only(peer) || n.adopt(ctx, peer) {
		return nil
	}
	p, err := newPair(n, peer)
	if err != nil {
		return fmt.Errorf("negotiate: new connection: %w", err)
	}
	if f := n.cfg.OnPeerConnection; f != nil {
		f(peer, p.pc)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		close(p.done)
		n.wg.Go(p.close)
		return ErrClosed
	}
	n.pairs[peer.Peer] = p
	n.wg.Go(p.run)
	return nil
}

// remove ends the pair with a peer that left. If the peer may only have lost
// its session, its connection is kept for the case that it comes back.
func (n *Negotiator) remove(peer contract.Token, reason contract.LeaveReason) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, ok := n.pairs[peer]
	if !ok || n.closed {
		return
	}
	delete(n.pairs, peer)
	switch reason {
	case contract.ReasonExpired, contract.ReasonReplaced, "":
		n.wait(p)
	default:
		n.wg.Go(p.close)
	}
}
