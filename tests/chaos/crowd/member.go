//go:build linux

package crowd

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/chaos/history"
	"github.com/parley-rtc/parley/tests/chaos/ledger"
)

// member is one client in one room. receive and send each have a goroutine.
type member struct {
	c    *Crowd
	p    *person
	room *Room
	slot ledger.Slot
	r    *client.Room

	// Owned by receive.
	peer     contract.Token
	observer *history.Observer

	// Owned by send.
	revision uint64
	others   []contract.Token
	roster   *ledger.Roster
	trickled map[contract.Token]int // candidates and offers, by receiver
	random   *rand.Rand
	settling chan posted

	settled chan struct{} // closed when all is settled, after send
}

// settlingQueue is more than a client takes without an acknowledgement.
const settlingQueue = 4096

// posted is a signal whose outcome isn't known yet.
type posted struct {
	n       ledger.Number
	at      time.Duration
	pending *client.Pending
}

// join joins a room, and notes what it was told. The token is the person's.
func (c *Crowd) join(ctx context.Context, p *person, room *Room, slot ledger.Slot) (*member, error) {
	begin := c.now()
	r, err := p.client.Join(ctx, room.Name, client.WithPresence(map[string]any{"slot": slot}),
		client.WithCapabilities(contract.Capabilities{Rollback: true}))
	if err != nil {
		return nil, err
	}
	end := c.now()
	self := r.Self()
	m := &member{
		c: c, p: p, room: room, slot: slot, r: r, peer: self.Peer,
		random: rand.New(rand.NewPCG(c.o.Seed, hash(p.name))), settling: make(chan posted, settlingQueue), settled: make(chan struct{}),
		trickled: map[contract.Token]int{},
	}
	room.enter(self.Peer, slot, begin)
	m.observer = room.History.Observe(self.Peer.String(), self.Epoch)
	room.History.Joined(self.Peer.String(), self.Epoch, begin, end)
	return m, nil
}

// receive takes the room's events until it is over.
func (m *member) receive(ctx context.Context) {
	for event, err := range m.r.Events(ctx) {
		if err != nil {
			if ctx.Err() == nil && !errors.Is(err, client.ErrClosed) {
				m.c.Trouble("%s can't go on in room %s: %v", m.p.name, m.room.Name, err)
			}
			return
		}
		m.take(event)
	}
}

func (m *member) take(event client.Event) {
	now := m.c.now()
	if from, content, ok := readContent(event); ok {
		if sent, known := m.room.Ledger.Sent(content.Slot, content.N); known {
			m.c.o.Recovered(Recovery{What: "delivery", Begin: sent, Took: now - sent})
		}
		m.c.breaker.pass(m.room, ledger.Delivery{To: m.peer, From: from, Slot: content.Slot, N: content.N, At: now}, !content.All)
		return
	}
	switch e := event.(type) {
	case client.PeerJoined:
		m.saw(e.Revision, true, e.Peer, e.Peer.Epoch != e.Revision, now)
	case client.PeerLeft:
		m.saw(e.Revision, false, e.Peer, e.Reason == "", now)
	case client.Gap:
		m.c.gap(m, e)
	case client.Resumed:
		m.p.back(m)
	case client.Rejoined:
		m.lostSession(e.Self, now)
		m.p.back(m)
	case client.Left:
		m.room.exit(m.peer, ledger.Left, "left: "+string(e.Reason), now)
		if e.Reason != contract.ReasonLeft {
			m.c.Trouble("%s was taken out of room %s: %s", m.p.name, m.room.Name, e.Reason)
		}
	default:
	}
}

// saw notes a change of the roster. After a lost session those of the new roster
// come first, all of one revision.
func (m *member) saw(revision uint64, joined bool, peer contract.Peer, snapshot bool, now time.Duration) {
	if snapshot {
		m.observer.Snapshot(revision)
		return
	}
	m.observer.Saw(revision, joined, peer.Peer.String(), now)
}

// lostSession notes that the member came back under another peer.
func (m *member) lostSession(self contract.Self, now time.Duration) {
	since := m.p.wire.firstTry()
	if m == m.p.first {
		m.c.lost.Add(1)
	}
	m.c.o.Tell("%s lost its session in %s; it first tried to come back %.3f s ago", m.p.name, m.room.Name, (now - since).Seconds())
	m.room.exit(m.peer, ledger.SessionLost, "its session was lost", now)
	m.peer = self.Peer
	m.room.enter(self.Peer, m.slot, since)
	m.room.History.Joined(self.Peer.String(), self.Epoch, 0, now)
	m.observer = m.room.History.Observe(self.Peer.String(), self.Epoch)
	m.room.History.Blind()
}

// send sends at a steady rate, whatever becomes of it, until ctx ends.
func (m *member) send(ctx context.Context, interval time.Duration) {
	defer close(m.settling)
	next := time.Now().Add(time.Duration(m.random.Float64() * float64(interval)))
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		m.sendOne()
		next = next.Add(interval)
		timer.Reset(time.Until(next))
	}
}

// sendOne offers one signal. What the client doesn't take (its outbox is full, or
// it joins again) was never sent.
func (m *member) sendOne() {
	m.look()
	m.c.offered.Add(1)
	if len(m.others) == 0 {
		m.c.held.Add(1)
		return
	}
	now := m.c.now()
	var n ledger.Number
	var signal client.Signal
	to := m.others[m.random.IntN(len(m.others))]
	switch share := m.random.Float64(); {
	case share < m.c.broadcasts(m.room):
		n = m.room.Ledger.OfferAll(m.slot, m.roster, now)
		signal = broadcast(m.slot, n)
	case share > candidateShare:
		n = m.room.Ledger.OfferTo(m.slot, to, now)
		signal = m.negotiate(to, n)
	default:
		n = m.room.Ledger.OfferTo(m.slot, to, now)
		signal = message(to, m.slot, n)
	}
	pending, err := m.r.Post(signal)
	if err != nil {
		m.room.Ledger.Settle(m.slot, n, ledger.Unsent, m.c.now())
		m.c.held.Add(1)
		return
	}
	m.settling <- posted{n, now, pending}
}

// candidatesAnOffer is under the limit of an edge.
const candidatesAnOffer = 40

// negotiate is an offer now and then, and candidates between.
func (m *member) negotiate(to contract.Token, n ledger.Number) client.Signal {
	m.trickled[to]++
	if m.trickled[to]%candidatesAnOffer == 1 {
		return offer(to, m.slot, n)
	}
	return candidate(to, m.slot, n)
}

// look takes a new look at the room if it changed.
func (m *member) look() {
	revision := m.r.Revision()
	if m.roster != nil && revision == m.revision {
		return
	}
	m.revision = revision
	m.others = m.others[:0]
	for _, p := range m.r.Peers() {
		m.others = append(m.others, p.Peer)
	}
	m.roster = m.room.Ledger.Roster(m.others)
}

// settle notes the outcomes, in the order of sending.
func (m *member) settle() {
	defer close(m.settled)
	for p := range m.settling {
		<-p.pending.Done()
		now := m.c.now()
		o := outcome(p.pending.Err())
		m.c.refused(p.pending.Err())
		m.room.Ledger.Settle(m.slot, p.n, o, now)
		if o == ledger.Acked {
			m.c.acked.Add(1)
		}
		m.c.o.Recovered(Recovery{What: "signal", Begin: p.at, Took: now - p.at})
	}
}

func outcome(err error) ledger.Outcome {
	var refused *client.RefusedError
	switch {
	case err == nil:
		return ledger.Acked
	case errors.Is(err, client.ErrNotSent):
		return ledger.Unsent
	case errors.As(err, &refused):
		return ledger.Refused
	default:
		return ledger.Unknown
	}
}

// hash makes a number of a name, the same in every run.
func hash(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // it never fails
	return h.Sum64()
}
