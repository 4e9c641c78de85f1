package negotiate

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

func refused(code contract.Code, retryable bool) error {
	return &client.RefusedError{Refusal: contract.Errorf(code, "scripted"), Retryable: retryable}
}

func TestNegotiator_GapsAreRepaired(t *testing.T) {
	isWord := func(e client.Event, want word) bool {
		m, ok := e.(client.Message)
		if !ok {
			return false
		}
		w, _ := negotiateWord(m.Data)
		return w == want
	}
	tests := map[string]struct {
		open func(contract.Peer) bool
		lost func(client.Event) bool
		from string // who sent it
	}{
		"offer":  {impolite, func(e client.Event) bool { _, ok := e.(client.Offer); return ok }, "ada"},
		"answer": {impolite, func(e client.Event) bool { _, ok := e.(client.Answer); return ok }, "bob"},
		"ask":    {polite, func(e client.Event) bool { return isWord(e, wordAsk) }, "bob"},
		"go":     {polite, func(e client.Event) bool { return isWord(e, wordGo) }, "ada"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			net := newNetwork(t, 2)
			h := newHub()
			lost := make(chan struct{})
			done := false
			h.setIntervene(func(_ *member, e client.Event) (bool, error) {
				if done || !tt.lost(e) {
					return false, nil
				}
				done = true
				close(lost)
				return true, nil
			})
			ada, bob := h.join("ada"), h.join("bob")
			cfgA, allA := channels(t, net.apis[0], tt.open)
			cfgB, allB := channels(t, net.apis[1], tt.open)
			started(t, ada, cfgA)
			started(t, bob, cfgB)
			take(t, "the loss", lost)
			if tt.from == "ada" {
				bob.push(client.Gap{From: peerToken("ada")})
			} else {
				ada.push(client.Gap{}) // of everyone
			}
			a, b := take(t, "channel", allA), take(t, "channel", allB)
			take(t, "open channel", a.open)
			take(t, "open channel", b.open)
			h.mu.Lock()
			defer h.mu.Unlock()
			seen := map[string]bool{}
			for _, s := range h.log {
				if o, ok := s.event.(client.Offer); ok {
					seen[o.Negotiation] = true
				}
			}
			if len(seen) != 1 {
				t.Errorf("negotiations %v, want an offer to be repeated as the one that it was", seen)
			}
		})
	}
}

func TestNegotiator_Glare(t *testing.T) {
	// An edge refuses the polite one's offer although the owner lent the right;
	// then the owner's own offer must get through, and later the polite one's.
	net := newNetwork(t, 2)
	h := newHub()
	glared := make(chan struct{})
	done := false
	h.setIntervene(func(from *member, e client.Event) (bool, error) {
		if _, ok := e.(client.Offer); ok && from.self.Identity == "bob" && !done {
			done = true
			close(glared)
			return false, refused(contract.CodeGlare, true)
		}
		return false, nil
	})
	ada, bob := h.join("ada"), h.join("bob")
	cfgA, allA := channels(t, net.apis[0], func(contract.Peer) bool { return false })
	cfgB, allB := channels(t, net.apis[1], polite)
	nA := started(t, ada, cfgA)
	nB := started(t, bob, cfgB)
	take(t, "glare", glared)
	pc, _ := nB.Connection(peerToken("ada"))
	if got := pc.SignalingState(); got != webrtc.SignalingStateStable {
		t.Errorf("after a refused offer the state is %v, want stable", got)
	}
	toBob, _ := nA.Connection(peerToken("bob"))
	if _, err := toBob.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio); err != nil {
		t.Fatal(err)
	}
	a, b := take(t, "channel", allA), take(t, "channel", allB)
	take(t, "open channel", a.open)
	take(t, "open channel", b.open)
}

func TestNegotiator_OnlyAndOtherEvents(t *testing.T) {
	h := newHub()
	ada := h.join("ada")
	events := make(chan client.Event, 16)
	n := started(t, ada, Config{
		Only:    func(p contract.Peer) bool { return p.Identity != "eve" },
		OnEvent: func(e client.Event) { events <- e },
	})
	eve := h.join("eve")
	if err := eve.Offer(t.Context(), peerToken("ada"), "n", contract.SessionDescription{}); err != nil {
		t.Fatal(err)
	}
	for _, data := range []any{"chat", map[string]string{"negotiate": "ask", "more": "x"}, map[string]int{"negotiate": 1}, map[string]string{"negotiate": "what"}} {
		if err := eve.Send(t.Context(), peerToken("ada"), data); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"client.PeerJoined", "client.Offer", "client.Message", "client.Message", "client.Message", "client.Message"} {
		if got := fmt.Sprintf("%T", take(t, want, events)); got != want {
			t.Errorf("event %s, want %s", got, want)
		}
	}
	if _, ok := n.Connection(peerToken("eve")); ok {
		t.Error("a peer that wasn't chosen has a connection")
	}
}

func TestNegotiator_EndsWithTheRoom(t *testing.T) {
	broken := errors.New("client is over")
	for name, tt := range map[string]struct{ next, want error }{"left": {client.ErrLeft, nil}, "client over": {broken, broken}} {
		t.Run(name, func(t *testing.T) {
			n := New(endedRoom{next: tt.next}, Config{})
			defer n.Close()
			if err := n.Run(t.Context()); !errors.Is(err, tt.want) {
				t.Errorf("Run: %v, want %v", err, tt.want)
			}
		})
	}
	t.Run("closed before", func(t *testing.T) {
		n := New(endedRoom{peers: []contract.Peer{{Peer: peerToken("bob")}}}, Config{})
		n.Close()
		if err := n.Run(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Run: %v, want ErrClosed", err)
		}
	})
}

// endedRoom is a room without events.
type endedRoom struct {
	Room
	next    error
	peers   []contract.Peer
	servers []contract.ICEServer
	policy  contract.Policy
}

func (r endedRoom) Next(context.Context) (client.Event, error) { return nil, r.next }
func (r endedRoom) Peers() []contract.Peer                     { return r.peers }
func (r endedRoom) ICEServers() []contract.ICEServer           { return r.servers }
func (r endedRoom) ICEPolicy() contract.Policy                 { return r.policy }

func TestConfig_PeerConfiguration(t *testing.T) {
	room := endedRoom{policy: contract.PolicyRelay, servers: []contract.ICEServer{
		{URLs: []string{"stun:a"}}, {URLs: []string{"turn:b"}, Username: "u", Credential: "c"},
	}}
	cfg := Config{Configuration: webrtc.Configuration{ICEServers: []webrtc.ICEServer{{URLs: []string{"stun:own"}}}}}
	got := cfg.peerConfiguration(room)
	if got.ICETransportPolicy != webrtc.ICETransportPolicyRelay {
		t.Error("the room's policy relay must force relays")
	}
	if len(got.ICEServers) != 3 || got.ICEServers[0].URLs[0] != "stun:own" || got.ICEServers[1].Credential != nil || got.ICEServers[2].Credential != "c" {
		t.Errorf("servers %+v, want its own and the room's", got.ICEServers)
	}
	room.policy = contract.PolicyPublic
	if cfg.peerConfiguration(room).ICETransportPolicy != webrtc.ICETransportPolicyAll || len(cfg.Configuration.ICEServers) != 1 {
		t.Error("the configuration given must stay as it is")
	}
}

func TestRepeatable(t *testing.T) {
	slow := &client.RefusedError{Refusal: &contract.Error{Code: contract.CodeRateLimited, RetryAfter: 900}, Retryable: true}
	for _, tt := range []struct {
		err   error
		wait  time.Duration
		again bool
	}{
		{slow, 900 * time.Millisecond, true},
		{refused(contract.CodeUnavailable, true), repeatAfter, true},
		{refused(contract.CodePeerGone, false), repeatAfter, false},
		{refused(contract.CodeGlare, true), 0, false},
		{client.ErrEventsUnread, repeatAfter, true},
		{client.ErrUnknownOutcome, 0, false},
		{nil, 0, false},
	} {
		if wait, again := repeatable(tt.err); wait != tt.wait || again != tt.again {
			t.Errorf("repeatable(%v) = %v, %v, want %v, %v", tt.err, wait, again, tt.wait, tt.again)
		}
	}
}
