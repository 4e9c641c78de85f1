package trace

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/monitor"
	"github.com/parley-rtc/parley/tests/stack"
)

// roomName is full of what means something in a subject or a name of a span.
const roomName = "a room.*.> of {names}"

// stepTimeout bounds one step of a scenario.
const stepTimeout = 30 * time.Second

// person is one client in one room, which may begin the traces of its frames.
type person struct {
	client *client.Client
	room   *client.Room
	trace  atomic.Value // of the next frames: a string
}

// enter connects a person to an edge and joins the room in a trace of its own,
// which is returned.
func enter(t *testing.T, s *stack.Stack, edge int, identity string) (*person, monitor.Parent) {
	t.Helper()
	p := &person{}
	joining := monitor.NewParent(true)
	p.begin(joining)
	p.client = s.Dial(t, edge, identity, client.WithTraceparent(func() string {
		text, _ := p.trace.Load().(string)
		return text
	}))
	p.room = stack.Join(t, p.client, roomName)
	p.begin(monitor.Parent{})
	return p, joining
}

// begin sets the parent of the frames to come; the zero Parent is none.
func (p *person) begin(parent monitor.Parent) { p.trace.Store(parent.String()) }

func (p *person) peer() contract.Token { return p.room.Self().Peer }

// send sends a signal and waits until it is settled.
func (p *person) send(t *testing.T, s client.Signal) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stepTimeout)
	defer cancel()
	if err := p.room.Do(ctx, s); err != nil {
		t.Fatalf("send: %v", err)
	}
}

// sees waits until the roster has so many others.
func (p *person) sees(t *testing.T, others int) {
	t.Helper()
	for len(p.room.Peers()) != others {
		p.next(t)
	}
}

// knows waits until another one is in the roster.
func (p *person) knows(t *testing.T, other *person) {
	t.Helper()
	known := func(one contract.Peer) bool { return one.Peer == other.peer() }
	for !slices.ContainsFunc(p.room.Peers(), known) {
		p.next(t)
	}
}

// hears takes events until one is a signal, and returns its sender.
func (p *person) hears(t *testing.T) client.Sender {
	t.Helper()
	for {
		switch e := p.next(t).(type) {
		case client.Offer:
			return e.Sender
		case client.Answer:
			return e.Sender
		case client.Candidate:
			return e.Sender
		case client.Message:
			return e.Sender
		}
	}
}

func (p *person) next(t *testing.T) client.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stepTimeout)
	defer cancel()
	event, err := p.room.Next(ctx)
	if err != nil {
		t.Fatalf("wait for an event: %v", err)
	}
	return event
}

// The signals of the scenarios. One machine has private addresses only, so the
// stack's policy lets them pass.
const (
	negotiation   = "n1"
	candidateText = "candidate:1 1 udp 2130706431 192.168.1.20 50000 typ host"
	offerText     = "v=0\r\no=- 20 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" +
		"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n" +
		"a=ice-ufrag:frag\r\na=ice-pwd:aPasswordOfTwentyFourChar\r\n" +
		"a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n" +
		"a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n"
)

func offerTo(to contract.Token) client.Signal {
	return client.OfferTo(to, negotiation, contract.SessionDescription{Type: contract.TypeOffer, SDP: offerText})
}

func candidateTo(to contract.Token) client.Signal {
	mid := "0"
	return client.CandidatesTo(to, negotiation, contract.ICECandidate{Candidate: candidateText, SDPMid: &mid})
}
