//go:build linux

package crowd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/chaos/ledger"
)

const (
	// vanishShare of the visits end without a word.
	vanishShare = 0.05
	// visitTimeout bounds a join or a leave of a visitor.
	visitTimeout = 90 * time.Second
	// visitInterval is the time between two signals of a visitor.
	visitInterval = 100 * time.Millisecond
)

// visit has one visitor after the other come to a room, say something and go.
func (c *Crowd) visit(ctx context.Context, index int) {
	random := rand.New(rand.NewPCG(c.o.Seed, 1<<40|uint64(index)))
	rooms := c.Rooms
	for n := 0; ctx.Err() == nil; n++ {
		room := rooms[random.IntN(len(rooms))]
		stay := time.Duration(500+random.IntN(2500)) * time.Millisecond
		vanish := random.Float64() < vanishShare
		name := fmt.Sprintf("visitor %d.%d", index, n)
		if err := c.visitOnce(ctx, name, room, index%2, stay, vanish); err != nil && ctx.Err() == nil {
			c.log.WarnContext(ctx, "a visit failed", "client", name, "room", room.Name, "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(random.IntN(500)) * time.Millisecond):
		}
	}
}

func (c *Crowd) visitOnce(ctx context.Context, name string, room *Room, edge int, stay time.Duration, vanish bool) error {
	life, cancel := context.WithTimeout(context.WithoutCancel(ctx), visitTimeout+stay)
	defer cancel()
	p, err := c.dial(life, name, edge)
	if err != nil {
		return err
	}
	begin := c.now()
	slot := room.visitor()
	m, err := c.join(life, p, room, slot)
	if err != nil {
		_ = p.client.Close()
		c.count(p)
		return err
	}
	c.o.Recovered(Recovery{What: "join", Begin: begin, Took: c.now() - begin})
	p.first = m
	taking, stopTaking := context.WithCancel(life)
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.receive(taking)
	}()
	c.takers.Go(m.settle)
	talking, stopTalking := context.WithTimeout(ctx, stay)
	m.send(talking, visitInterval)
	stopTalking()
	select { // a client that closes doesn't know what became of the rest
	case <-m.settled:
	case <-life.Done():
	}
	c.goAway(life, m, vanish)
	stopTaking()
	<-done
	room.forget(m.peer, c.now())
	c.count(p)
	return nil
}

// goAway ends a visit.
func (c *Crowd) goAway(ctx context.Context, m *member, vanish bool) {
	if vanish {
		m.p.wire.unplug()
		m.room.exit(m.selfPeer(), ledger.Left, "vanished", c.now())
		_ = m.p.client.Close()
		return
	}
	peer := m.selfPeer()
	m.room.Ledger.End(peer, ledger.Left) // from now on nothing is owed to it
	begin := c.now()
	ctx, cancel := context.WithTimeout(ctx, visitTimeout)
	defer cancel()
	err := m.r.Leave(ctx)
	end := c.now()
	if err == nil && m.selfPeer() == peer {
		m.room.History.Left(peer.String(), begin, end)
	}
	why := endLeft
	if err != nil {
		why = "its leave failed: " + err.Error()
	}
	m.room.exit(m.selfPeer(), ledger.Left, why, end)
	_ = m.p.client.Close()
}

// selfPeer is who the member is now.
func (m *member) selfPeer() contract.Token { return m.r.Self().Peer }
