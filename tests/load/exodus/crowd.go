//go:build linux

package exodus

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/load/target"
)

// crowd is everybody; partners are 2k and 2k+1.
type crowd struct {
	people []*person
	back   sync.WaitGroup // who isn't back
}

// person is one client with one membership.
type person struct {
	// Static.
	crowd      *crowd
	system     *target.System
	room, name string

	// Static once all have joined.
	client *client.Client
	member *client.Room
	self   contract.Token
	to     *person

	posted []*client.Pending // owned by talk, and after it by settle
	sent   int

	mu                              sync.Mutex
	returned                        time.Time
	lost                            bool
	heard, disordered, gaps, leaves int
	aways                           int
	unreadable                      error
}

func newCrowd(s *target.System, n int) *crowd {
	c := &crowd{}
	for i := range n {
		c.people = append(c.people, &person{crowd: c, system: s, room: fmt.Sprintf("room-%d", i/2), name: fmt.Sprintf("person-%d", i)})
	}
	for i, p := range c.people {
		p.to = c.people[i^1]
	}
	c.back.Add(n)
	return c
}

func (c *crowd) close() {
	var wg sync.WaitGroup
	for _, p := range c.people {
		if p.client != nil {
			wg.Go(func() { _ = p.client.Close() }) // nothing is asked of it any more
		}
	}
	wg.Wait()
}

func (p *person) join(ctx context.Context) (err error) {
	p.client, err = client.Dial(ctx, p.system.Bases[0],
		client.WithURLs(p.system.Bases[1:]...),
		client.WithConnectTimeout(time.Minute),
		client.WithToken(func(_ context.Context, room string, _ client.TokenReason) (string, error) {
			return p.system.Token(room, p.name)
		}))
	if err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	if p.member, err = p.client.Join(ctx, p.room); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.self = p.member.Self().Peer
	go p.listen() //nolint:gosec // it ends with the client, not with the join
	return nil
}

// listen takes what the room tells until the client is closed.
func (p *person) listen() {
	for event, err := range p.member.Events(context.Background()) {
		if err != nil {
			return // the client was closed
		}
		p.mu.Lock()
		switch e := event.(type) {
		case client.Message:
			var n int
			if err := json.Unmarshal(e.Data, &n); err != nil {
				p.unreadable = err
			}
			if n != p.heard+1 {
				p.disordered++
			}
			p.heard = n
		case client.Resumed:
			p.isBack(false)
		case client.Rejoined:
			p.isBack(true)
		case client.Gap:
			p.gaps++
		case client.PeerLeft:
			p.leaves++
		case client.PeerUpdated:
			if e.Peer.State == contract.StateAway {
				p.aways++
			}
		}
		p.mu.Unlock()
	}
}

// isBack notes the first comeback; p.mu is held.
func (p *person) isBack(lost bool) {
	p.lost = p.lost || lost
	if p.returned.IsZero() {
		p.returned = time.Now()
		p.crowd.back.Done()
	}
}

// talkEvery is how often messages that are due are sent.
const talkEvery = 5 * time.Millisecond

// talk has one after the other send a message to its partner, at a rate, until
// stop is called.
func (c *crowd) talk(ctx context.Context, rate int) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(talkEvery)
		defer ticker.Stop()
		start := time.Now()
		for sent := 0; ; {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
			for due := int(time.Since(start).Seconds() * float64(rate)); sent < due; sent++ {
				c.people[sent%len(c.people)].say()
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// say sends the next message. What the outbox doesn't take isn't owed.
func (p *person) say() {
	pending, err := p.member.Post(client.MessageTo(p.to.self, p.sent+1))
	if err != nil {
		return
	}
	p.sent++
	p.posted = append(p.posted, pending)
}

// awaitBack waits until everybody is back, but not longer than `most`.
func (c *crowd) awaitBack(ctx context.Context, most time.Duration) {
	all := make(chan struct{})
	go func() {
		c.back.Wait()
		close(all)
	}()
	select {
	case <-all:
	case <-time.After(most):
	case <-ctx.Done():
	}
}

// settle waits until every message is acknowledged and has come.
func (c *crowd) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for _, p := range c.people {
		for _, pending := range p.posted {
			_ = pending.Wait(ctx) // report asks for the outcome
		}
	}
	for _, p := range c.people {
		for p.to.heardSoFar() < p.sent {
			if sleep(ctx, talkEvery) != nil {
				return
			}
		}
	}
}

func (p *person) heardSoFar() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard
}

// report sums up what everybody saw.
func (c *crowd) report(began time.Time, r *Report) {
	var back []time.Duration
	for _, p := range c.people {
		acked := 0
		for _, pending := range p.posted {
			select {
			case <-pending.Done():
				if pending.Err() == nil {
					acked++
					continue
				}
			default:
			}
			r.Refused++ // or its outcome isn't known after all that time
		}
		r.Acked += acked
		heard := p.to.heardSoFar()
		r.Delivered += heard
		r.Undelivered += max(0, acked-heard)
		p.mu.Lock()
		if p.returned.IsZero() || p.lost || p.unreadable != nil {
			r.Lost++
		} else {
			r.Resumed++
		}
		if !p.returned.IsZero() {
			back = append(back, p.returned.Sub(began))
		}
		r.Gaps += p.gaps
		r.Flaps += p.leaves
		r.Aways += p.aways
		r.Disordered += p.disordered
		p.mu.Unlock()
	}
	if len(back) == 0 {
		return
	}
	slices.Sort(back)
	r.P50, r.P99, r.All = back[len(back)/2].Seconds(), back[len(back)*99/100].Seconds(), back[len(back)-1].Seconds()
	r.Peak = peak(back)
}

// peak is the most of some moments, in order, that lie within one second.
func peak(moments []time.Duration) (most int) {
	first := 0
	for i, at := range moments {
		for at-moments[first] >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
