package browser

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/edge/client/negotiate"
	"github.com/parley-rtc/parley/services/contract"
)

// pionPeer is a member of a room in Go. It can't roll back, it takes what media
// comes, and as the impolite one it opens the data channel.
type pionPeer struct {
	gate    gate
	pc      chan *webrtc.PeerConnection // each that is made
	channel chan *webrtc.DataChannel    // each that is open
	got     atomic.Int64                // bytes over the channel
	packets atomic.Int64                // of media
	left    chan contract.LeaveReason   // why each peer left
	errs    chan error                  // why Run ended
}

// gated is a room whose offers wait at a gate.
type gated struct {
	*client.Room
	gate *gate
}

func (g gated) Offer(ctx context.Context, to contract.Token, negotiation string, d contract.SessionDescription) error {
	if err := g.gate.pass(ctx); err != nil {
		return err
	}
	return g.Room.Offer(ctx, to, negotiation, d)
}

// gate holds offers back while it is shut.
type gate struct {
	mu      sync.Mutex
	shut    chan struct{} // nil: open
	waiting int
}

func (g *gate) hold() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut, g.waiting = make(chan struct{}), 0
}

func (g *gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.shut)
	g.shut = nil
}

// held is how many offers wait.
func (g *gate) held() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waiting
}

func (g *gate) pass(ctx context.Context) error {
	g.mu.Lock()
	shut := g.shut
	if shut != nil {
		g.waiting++
	}
	g.mu.Unlock()
	if shut == nil {
		return nil
	}
	select {
	case <-shut:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// joinPion joins a room with pion until the test ends.
func (d *dev) joinPion(t testing.TB, room, identity string) *pionPeer {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	c, err := client.Dial(ctx, d.WebSocket, client.WithToken(func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
		return d.token(ctx, contract.TokenRequest{Room: room, Identity: identity})
	}))
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Join(ctx, room)
	if err != nil {
		t.Fatal(err)
	}
	p := &pionPeer{pc: make(chan *webrtc.PeerConnection, 8), channel: make(chan *webrtc.DataChannel, 8), left: make(chan contract.LeaveReason, 8), errs: make(chan error, 1)}
	n := negotiate.New(gated{r, &p.gate}, negotiate.Config{
		OnPeerConnection: func(peer contract.Peer, pc *webrtc.PeerConnection) { p.take(t, peer, pc) },
		OnDataChannel:    func(_ contract.Peer, dc *webrtc.DataChannel) { p.use(dc) },
		OnTrack:          func(_ contract.Peer, track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { p.play(track) },
		OnEvent: func(e client.Event) {
			if e, ok := e.(client.PeerLeft); ok {
				p.left <- e.Reason
			}
		},
		Logger: slog.New(slog.NewTextHandler(logTo{t}, nil)),
	})
	go func() { p.errs <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(n.Close(), c.Close()); err != nil {
			t.Errorf("%s: %v", identity, err)
		}
		if err := <-p.errs; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, client.ErrClosed) {
			t.Errorf("%s: %v", identity, err)
		}
	})
	return p
}

// logTo writes to a test's log.
type logTo struct{ t testing.TB }

func (l logTo) Write(line []byte) (int, error) {
	l.t.Logf("pion: %s", line)
	return len(line), nil
}

// take opens the data channel that the impolite side owes, and hands the
// connection on.
func (p *pionPeer) take(t testing.TB, peer contract.Peer, pc *webrtc.PeerConnection) {
	if !peer.Polite {
		dc, err := pc.CreateDataChannel("parley", nil)
		if err != nil {
			t.Error(err)
			return
		}
		p.use(dc)
	}
	p.pc <- pc
}

func (p *pionPeer) use(dc *webrtc.DataChannel) {
	dc.OnMessage(func(m webrtc.DataChannelMessage) { p.got.Add(int64(len(m.Data))) })
	dc.OnOpen(func() { p.channel <- dc })
}

// play reads a track to its end.
func (p *pionPeer) play(track *webrtc.TrackRemote) {
	for {
		if _, _, err := track.ReadRTP(); err != nil {
			return // io.EOF or closed: either is the end
		}
		p.packets.Add(1)
	}
}

// await waits until f is true.
func await(t testing.TB, what string, f func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// receive takes what a channel gives.
func receive[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}
