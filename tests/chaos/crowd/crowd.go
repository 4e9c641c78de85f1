//go:build linux

package crowd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/chaos/ledger"
)

// candidateShare: signals above it are candidates, the others messages.
const candidateShare = 0.8

// Options say who comes.
type Options struct {
	Seed     uint64
	Edges    []string // their addresses
	Tokens   standalone.Tokens
	Pairs    int // rooms of 2
	Fives    int // rooms of 5
	Fifties  int // rooms of 50
	Rate     int // signals/s offered by all members that stay
	Visitors int // that come and go all the time
	Break    int // each so many-th delivery is broken on purpose; 0: none
	Dir      string
	Now      func() time.Duration // since the run's begin
	// Recovered hears how long somebody waited: for a connection since its first
	// retry, for an acknowledgement and for a delivery since it was sent, for a join
	// since it was called.
	Recovered func(r Recovery)
	// Tell hears, as text, of what is worth a line while it happens.
	Tell func(format string, args ...any)
}

// Recovery is one wait.
type Recovery struct {
	What  string // connection, signal, delivery or join
	Edge  string // where the client was before, for a connection
	Begin time.Duration
	Took  time.Duration
}

// Crowd is all people of a run.
type Crowd struct {
	Rooms []*Room

	o        Options
	log      *slog.Logger
	logFile  *os.File
	breaker  *breaker
	persons  []*person
	members  []*member
	offered  atomic.Int64
	held     atomic.Int64
	acked    atomic.Int64
	lost     atomic.Int64 // sessions of members
	stopSend context.CancelFunc
	stop     context.CancelFunc
	senders  sync.WaitGroup
	takers   sync.WaitGroup

	mu       sync.Mutex
	gaps     []string
	troubles []string
	refusals map[string]int
	gone     client.Stats // of visitors that are gone
}

// person is one client, in one room or several.
type person struct {
	name   string
	wire   *wire
	client *client.Client
	first  *member // the one of its memberships that tells of its connection
	c      *Crowd

	mu   sync.Mutex
	edge string // where it is
}

// New prepares a crowd.
func New(o Options) (*Crowd, error) {
	f, err := os.Create(filepath.Join(o.Dir, "clients.log"))
	if err != nil {
		return nil, fmt.Errorf("crowd: %w", err)
	}
	c := &Crowd{o: o, logFile: f, log: slog.New(slog.NewTextHandler(f, nil)), breaker: newBreaker(o.Break), refusals: map[string]int{}}
	for _, one := range []struct{ size, count int }{{2, o.Pairs}, {5, o.Fives}, {50, o.Fifties}} {
		for i := range one.count {
			c.Rooms = append(c.Rooms, newRoom(fmt.Sprintf("room of %d no. %d", one.size, i+1), one.size))
		}
	}
	return c, nil
}

func (c *Crowd) now() time.Duration { return c.o.Now() }

// dial connects somebody, who knows all edges and begins at any of them.
func (c *Crowd) dial(ctx context.Context, name string, first int) (*person, error) {
	p := &person{name: name, wire: &wire{now: c.now}, c: c}
	urls := append(slices.Clone(c.o.Edges[first:]), c.o.Edges[:first]...)
	var err error
	p.client, err = client.Dial(ctx, urls[0], client.WithURLs(urls[1:]...), client.WithDialer(p.wire.dial), client.WithName(name),
		client.WithLogger(c.log.With("client", name)),
		client.WithToken(func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
			return c.token(ctx, room, name)
		}))
	if err != nil {
		return nil, fmt.Errorf("connect %s: %w", name, err)
	}
	p.wire.back()
	p.edge = p.client.Edge()
	return p, nil
}

// tokenPause is the time between two attempts to get a token.
const tokenPause = 100 * time.Millisecond

// token asks until it is answered, as a backend that retries does.
func (c *Crowd) token(ctx context.Context, room, identity string) (string, error) {
	for {
		attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
		reply, err := c.o.Tokens.Token(attempt, contract.TokenRequest{Room: room, Identity: identity})
		cancel()
		if err == nil {
			return reply.Token, nil
		}
		select {
		case <-ctx.Done():
			return "", errors.Join(ctx.Err(), err)
		case <-time.After(tokenPause):
		}
	}
}

// joinAtOnce is how many members join at a time.
const joinAtOnce = 16

// Enter has all members join that stay, and waits until everybody sees everybody.
func (c *Crowd) Enter(ctx context.Context) error {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var faults []error
	turn := make(chan struct{}, joinAtOnce)
	for i, room := range c.Rooms {
		for slot := range room.Size {
			turn <- struct{}{}
			wg.Go(func() {
				defer func() { <-turn }()
				m, err := c.enter(ctx, room, ledger.Slot(slot), (i+slot)%2)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					faults = append(faults, err)
					return
				}
				c.persons, c.members = append(c.persons, m.p), append(c.members, m)
			})
		}
	}
	wg.Wait()
	if len(faults) > 0 {
		return faults[0]
	}
	slices.SortFunc(c.members, func(a, b *member) int { return compareNames(a.p.name, b.p.name) })
	slices.SortFunc(c.persons, func(a, b *person) int { return compareNames(a.name, b.name) })
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	for _, m := range c.members {
		c.takers.Go(func() { m.receive(running) })
	}
	return c.waitTogether(ctx)
}

func (c *Crowd) enter(ctx context.Context, room *Room, slot ledger.Slot, edge int) (*member, error) {
	p, err := c.dial(ctx, room.Name+", member "+strconv.Itoa(int(slot)), edge)
	if err != nil {
		return nil, err
	}
	m, err := c.join(ctx, p, room, slot)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	p.first = m
	return m, nil
}

func compareNames(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func (c *Crowd) waitTogether(ctx context.Context) error {
	for _, m := range c.members {
		for len(m.r.Peers()) < m.room.Size-1 {
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s sees %d of %d others: %w", m.p.name, len(m.r.Peers()), m.room.Size-1, ctx.Err())
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	return nil
}

// Send lets the members send, and visitors come and go, until StopSending.
func (c *Crowd) Send(ctx context.Context) {
	ctx, c.stopSend = context.WithCancel(ctx)
	interval := time.Duration(len(c.members)) * time.Second / time.Duration(c.o.Rate)
	for _, m := range c.members {
		c.senders.Go(func() { m.send(ctx, interval) })
		c.takers.Go(m.settle)
	}
	for i := range c.o.Visitors {
		c.senders.Go(func() { c.visit(ctx, i) })
	}
}

// StopSending returns when nobody sends any more and all visitors are gone.
func (c *Crowd) StopSending() {
	c.stopSend()
	c.senders.Wait()
}

// Close ends all clients.
func (c *Crowd) Close() {
	var wg sync.WaitGroup
	for _, p := range c.persons {
		wg.Go(func() { _ = p.client.Close() })
	}
	wg.Wait()
	if c.stop != nil {
		c.stop()
	}
	c.takers.Wait()
	_ = c.logFile.Close()
}

// broadcasts is the share of a room's signals that go to all: in a big one each of
// them is many deliveries.
func (c *Crowd) broadcasts(room *Room) float64 {
	if room.Size > 10 {
		return 0.02
	}
	return 0.2
}

// pick is a share of the persons, chosen by a number of the schedule.
func (c *Crowd) pick(number int, share float64) []*person {
	random := rand.New(rand.NewPCG(c.o.Seed, uint64(number)))
	count := max(1, int(share*float64(len(c.persons))))
	var picked []*person
	for _, i := range random.Perm(len(c.persons))[:count] {
		picked = append(picked, c.persons[i])
	}
	return picked
}
