package negotiate

import (
	"context"
	"log/slog"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// Room is what a negotiator needs of a room; *[client.Room] is one.
type Room interface {
	Peers() []contract.Peer
	ICEServers() []contract.ICEServer
	ICEPolicy() contract.Policy
	Next(ctx context.Context) (client.Event, error)
	Offer(ctx context.Context, to contract.Token, negotiation string, d contract.SessionDescription) error
	Answer(ctx context.Context, to contract.Token, negotiation string, d contract.SessionDescription) error
	Candidates(ctx context.Context, to contract.Token, negotiation string, cs ...contract.ICECandidate) error
	Send(ctx context.Context, to contract.Token, data any) error
}

// Config says what the connections are for. All of it is optional. The
// functions must not wait and must not call [Negotiator.Close].
type Config struct {
	// API makes the connections; nil: pion's default one.
	API *webrtc.API

	// Configuration is that of each connection. The room's ICE servers are
	// added to its own, and the room's policy may force it to use relays only.
	Configuration webrtc.Configuration

	// Only chooses the peers that get a connection; nil: all.
	Only func(contract.Peer) bool

	// OnPeerConnection is called with each new connection, before anything is
	// negotiated: the place to add tracks and data channels. Whichever side
	// adds them, the negotiation follows by itself. A data channel that both
	// sides share should be made by one, for example by the one to whom
	// Peer.Polite is false.
	OnPeerConnection func(contract.Peer, *webrtc.PeerConnection)

	// OnRebound is called when the peer of a connection came back as another
	// one, since its session was lost or ours: the connection is kept. The
	// other functions go on to name the peer that it was made for.
	OnRebound func(peer, previous contract.Peer, pc *webrtc.PeerConnection)

	// OnDataChannel and OnTrack are called with what the other side added.
	OnDataChannel func(contract.Peer, *webrtc.DataChannel)
	OnTrack       func(contract.Peer, *webrtc.TrackRemote, *webrtc.RTPReceiver)

	// OnEvent gets the room's events that aren't part of a negotiation.
	OnEvent func(client.Event)

	// Logger hears what is dropped and what fails, never an SDP or a candidate.
	Logger *slog.Logger
}

// peerConfiguration is the configuration of a new connection.
func (c *Config) peerConfiguration(room Room) webrtc.Configuration {
	pc := c.Configuration
	pc.ICEServers = append([]webrtc.ICEServer(nil), pc.ICEServers...)
	for _, s := range room.ICEServers() {
		server := webrtc.ICEServer{URLs: s.URLs, Username: s.Username}
		if s.Credential != "" {
			server.Credential = s.Credential
		}
		pc.ICEServers = append(pc.ICEServers, server)
	}
	if room.ICEPolicy() == contract.PolicyRelay {
		pc.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	return pc
}

func (c *Config) newPeerConnection(room Room) (*webrtc.PeerConnection, error) {
	if c.API == nil {
		return webrtc.NewPeerConnection(c.peerConfiguration(room))
	}
	return c.API.NewPeerConnection(c.peerConfiguration(room))
}
