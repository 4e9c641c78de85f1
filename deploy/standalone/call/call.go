package call

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/edge/client/negotiate"
	"github.com/parley-rtc/parley/services/contract"
)

// Options describe a call.
type Options struct {
	// Edges are the WebSocket addresses of the two peers; one serves both.
	Edges []string
	// Token returns a room token for an identity.
	Token func(ctx context.Context, room, identity string) (string, error)
	// Room is where they meet.
	Room string
	// Bytes is how much each peer sends.
	Bytes int
}

// Result is what happened, as `parley call` prints it.
type Result struct {
	Room       string   `json:"room"`
	Edges      []string `json:"edges"`       // ids of the edges that held the peers
	Bytes      int      `json:"bytes"`       // received by each peer, all of them checked
	JoinMS     float64  `json:"join_ms"`     // from the first connect until both had joined
	ConnectMS  float64  `json:"connect_ms"`  // from then until the data channel was open on both sides
	TransferMS float64  `json:"transfer_ms"` // from then until both had all bytes
	Local      string   `json:"local"`       // chosen candidate of the first peer: type, protocol
	Remote     string   `json:"remote"`      // and of the second
}

// identities are the two peers.
var identities = [2]string{"call-a", "call-b"}

// peer is one side of the call.
type peer struct {
	client     *client.Client
	room       *client.Room
	negotiator *negotiate.Negotiator
	channel    *channel
	connection chan *webrtc.PeerConnection
	started    bool          // run was
	stopped    chan struct{} // closed when run has ended
}

// Run makes the call. It takes as long as ctx allows.
func Run(ctx context.Context, o Options) (Result, error) {
	if len(o.Edges) == 0 {
		return Result{}, errors.New("call: no edge is given")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	began := time.Now()
	var peers [2]*peer
	defer func() {
		for _, p := range peers {
			if p != nil {
				p.close(cancel)
			}
		}
	}()
	for i := range peers {
		var err error
		if peers[i], err = join(ctx, o, i); err != nil {
			return Result{}, fmt.Errorf("call: %s: %w", identities[i], err)
		}
	}
	joined := time.Now()
	for _, p := range peers {
		p.started = true
		go p.run(ctx)
	}
	for i, p := range peers {
		if err := p.channel.waitOpen(ctx); err != nil {
			return Result{}, fmt.Errorf("call: %s: the data channel did not open: %w", identities[i], err)
		}
	}
	open := time.Now()
	if err := exchange(ctx, peers[0].channel, peers[1].channel, o.Bytes); err != nil {
		return Result{}, fmt.Errorf("call: %w", err)
	}
	result := Result{
		Room: o.Room, Edges: []string{peers[0].client.Edge(), peers[1].client.Edge()}, Bytes: o.Bytes,
		JoinMS: ms(joined.Sub(began)), ConnectMS: ms(open.Sub(joined)), TransferMS: ms(time.Since(open)),
	}
	result.Local, result.Remote = chosen(<-peers[0].connection)
	return result, nil
}

// join connects one peer and joins the room.
func join(ctx context.Context, o Options, i int) (*peer, error) {
	c, err := client.Dial(ctx, o.Edges[i%len(o.Edges)], client.WithName("parley-call"),
		client.WithToken(func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
			return o.Token(ctx, room, identities[i])
		}))
	if err != nil {
		return nil, err
	}
	room, err := c.Join(ctx, o.Room)
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	p := &peer{
		client: c, room: room, channel: newChannel(),
		connection: make(chan *webrtc.PeerConnection, 1), stopped: make(chan struct{}),
	}
	p.negotiator = negotiate.New(room, negotiate.Config{
		API:  api(),
		Only: func(other contract.Peer) bool { return other.Identity == identities[1-i] },
		OnPeerConnection: func(_ contract.Peer, pc *webrtc.PeerConnection) {
			p.connection <- pc
			if i == 1 { // one side makes the channel, the other hears of it
				dc, err := pc.CreateDataChannel("call", nil)
				if err != nil {
					p.channel.fail(err)
					return
				}
				p.channel.use(dc)
			}
		},
		OnDataChannel: func(_ contract.Peer, dc *webrtc.DataChannel) { p.channel.use(dc) },
	})
	return p, nil
}

func (p *peer) run(ctx context.Context) {
	defer close(p.stopped)
	err := p.negotiator.Run(ctx)
	if err != nil && ctx.Err() == nil {
		p.channel.fail(err)
	}
}

func (p *peer) close(cancel context.CancelFunc) {
	cancel()
	_ = p.negotiator.Close() // the call is over, whatever becomes of it
	_ = p.client.Close()     // nor does its end matter any more
	if p.started {
		<-p.stopped
	}
}

// api is pion with loopback candidates, so that a call works on a machine
// without a network, and without its own log.
func api() *webrtc.API {
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	factory := logging.NewDefaultLoggerFactory()
	factory.DefaultLogLevel = logging.LogLevelDisabled
	settings.LoggerFactory = factory
	return webrtc.NewAPI(webrtc.WithSettingEngine(settings))
}

// chosen describes the pair of candidates that carries the call. Its addresses
// stay out of what is printed.
func chosen(pc *webrtc.PeerConnection) (local, remote string) {
	sctp := pc.SCTP()
	if sctp == nil || sctp.Transport() == nil || sctp.Transport().ICETransport() == nil {
		return "", ""
	}
	pair, err := sctp.Transport().ICETransport().GetSelectedCandidatePair()
	if err != nil || pair == nil {
		return "", ""
	}
	describe := func(c *webrtc.ICECandidate) string { return c.Typ.String() + " " + c.Protocol.String() }
	return describe(pair.Local), describe(pair.Remote)
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
