package negotiate

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pion/transport/v5/vnet"
	"github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for two real peers.
const patience = 15 * time.Second

func peerToken(name string) contract.Token { return contract.ID(name).Token() }

// hub is a room in memory: what one member sends, the other gets as an event,
// in order. It counts offers that cross.
type hub struct {
	mu        sync.Mutex
	members   map[contract.Token]*member
	log       []sent // all that was sent
	crossed   int
	offers    map[contract.Token]bool // by sender: no answer yet
	intervene func(from *member, e client.Event) (drop bool, err error)
}

type sent struct {
	from  contract.Token
	event client.Event
}

// member is one end of the hub; it is a Room.
type member struct {
	hub  *hub
	self contract.Peer

	mu     sync.Mutex
	queue  []client.Event
	more   chan struct{}
	seq    uint64
	others []contract.Peer
}

func newHub() *hub {
	return &hub{members: map[contract.Token]*member{}, offers: map[contract.Token]bool{}}
}

// join adds a member; a later one is the polite one of each pair.
func (h *hub) join(name string) *member {
	h.mu.Lock()
	defer h.mu.Unlock()
	epoch := uint64(len(h.members) + 1)
	m := &member{hub: h, self: contract.Peer{Peer: peerToken(name), Identity: name, Epoch: epoch}, more: make(chan struct{}, 1)}
	for _, other := range h.members {
		theirs := other.self
		theirs.Polite = true
		m.others = append(m.others, theirs)
		other.mu.Lock()
		other.others = append(other.others, m.self)
		other.mu.Unlock()
		other.push(client.PeerJoined{Peer: m.self, Revision: epoch})
	}
	h.members[m.self.Peer] = m
	return m
}

// rejoin makes a member another peer with the same identity, as happens when
// its session is lost.
func (h *hub) rejoin(m *member, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := m.self
	m.self.Peer, m.self.Epoch = peerToken(name), before.Epoch+uint64(len(h.members))
	delete(h.members, before.Peer)
	m.mu.Lock()
	for i := range m.others {
		m.others[i].Polite = true
	}
	m.mu.Unlock()
	for _, other := range h.members {
		other.mu.Lock()
		for i := range other.others {
			if other.others[i].Peer == before.Peer {
				other.others[i] = m.self
			}
		}
		other.mu.Unlock()
		other.push(client.PeerLeft{Peer: before, Reason: contract.ReasonReplaced})
		other.push(client.PeerJoined{Peer: m.self})
	}
	h.members[m.self.Peer] = m
	m.push(client.Rejoined{})
}

// setIntervene sets what decides over each signal.
func (h *hub) setIntervene(f func(from *member, e client.Event) (drop bool, err error)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.intervene = f
}

func (m *member) push(e client.Event) {
	m.mu.Lock()
	m.queue = append(m.queue, e)
	m.mu.Unlock()
	select {
	case m.more <- struct{}{}:
	default:
	}
}

func (m *member) Next(ctx context.Context) (client.Event, error) {
	for {
		m.mu.Lock()
		if len(m.queue) > 0 {
			e := m.queue[0]
			m.queue = m.queue[1:]
			m.mu.Unlock()
			return e, nil
		}
		m.mu.Unlock()
		select {
		case <-m.more:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (m *member) Peers() []contract.Peer {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]contract.Peer(nil), m.others...)
}

func (m *member) ICEServers() []contract.ICEServer { return nil }
func (m *member) ICEPolicy() contract.Policy       { return contract.PolicyAll }

func (m *member) sender() client.Sender {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seq++
	return client.Sender{From: m.self.Peer, Epoch: m.self.Epoch, Seq: m.seq}
}

func (m *member) send(to contract.Token, e client.Event) error {
	h := m.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.intervene != nil {
		if drop, err := h.intervene(m, e); drop || err != nil {
			return err
		}
	}
	other := h.members[to]
	if other == nil {
		return &client.RefusedError{Refusal: contract.Errorf(contract.CodePeerGone, "gone")}
	}
	switch e.(type) {
	case client.Offer:
		if h.offers[to] {
			h.crossed++
		}
		h.offers[m.self.Peer] = true
	case client.Answer:
		h.offers[to] = false
	}
	h.log = append(h.log, sent{m.self.Peer, e})
	other.push(e)
	return nil
}

func (m *member) Offer(_ context.Context, to contract.Token, negotiation string, d contract.SessionDescription) error {
	return m.send(to, client.Offer{Sender: m.sender(), Negotiation: negotiation, Description: d})
}

func (m *member) Answer(_ context.Context, to contract.Token, negotiation string, d contract.SessionDescription) error {
	return m.send(to, client.Answer{Sender: m.sender(), Negotiation: negotiation, Description: d})
}

func (m *member) Candidates(_ context.Context, to contract.Token, negotiation string, cs ...contract.ICECandidate) error {
	return m.send(to, client.Candidate{Sender: m.sender(), Negotiation: negotiation, Candidates: cs})
}

func (m *member) Send(_ context.Context, to contract.Token, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return m.send(to, client.Message{Sender: m.sender(), Data: text})
}

// count is how many events of a kind were sent.
func count[E client.Event](h *hub) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, s := range h.log {
		if _, ok := s.event.(E); ok {
			n++
		}
	}
	return n
}

// network is a virtual one, so that the tests need none of the machine's.
type network struct {
	apis []*webrtc.API // of its hosts
	mu   sync.Mutex
	cut  bool
}

func newNetwork(t *testing.T, hosts int) *network {
	t.Helper()
	return newSlowNetwork(t, hosts, 2*time.Second)
}

// newSlowNetwork is one whose hosts take so long to call a path failed that has
// been disconnected.
func newSlowNetwork(t *testing.T, hosts int, failed time.Duration) *network {
	t.Helper()
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "203.0.113.0/24", LoggerFactory: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	n := &network{}
	for i := range hosts {
		n.apis = append(n.apis, newAPI(t, router, fmt.Sprintf("203.0.113.%d", i+1), failed))
	}
	router.AddChunkFilter(func(vnet.Chunk) bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return !n.cut
	})
	if err := router.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := router.Stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func (n *network) setCut(cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = cut
}

// newAPI is pion on a host of its own, which notices a dead path within a second.
func newAPI(t *testing.T, router *vnet.Router, address string, failed time.Duration) *webrtc.API {
	t.Helper()
	host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	if err := router.AddNet(host); err != nil {
		t.Fatal(err)
	}
	var s webrtc.SettingEngine
	s.SetNet(host)
	s.LoggerFactory = quiet()
	s.SetICETimeouts(time.Second, failed, 200*time.Millisecond)
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	return webrtc.NewAPI(webrtc.WithSettingEngine(s), webrtc.WithMediaEngine(media))
}

// started runs a negotiator for a member until the test ends.
func started(t *testing.T, room Room, cfg Config) *Negotiator {
	t.Helper()
	n := New(room, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil && ctx.Err() == nil {
			t.Errorf("Run: %v", err)
		}
		n.Close()
	})
	return n
}

// await waits until f is true.
func await(t *testing.T, what string, f func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func take[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain: %s", what)
		panic("unreachable")
	}
}
