//go:build linux

package driver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/tests/load/dialect"
)

const (
	// dialBatch connections are made by dialers at once, then the loop reads
	// what the servers say to them.
	dialBatch = 400
	dialers   = 16
	// inFlight is the most joins that wait for an answer.
	inFlight = 1000
	// phaseTimeout bounds how long nothing may happen in a phase.
	phaseTimeout = 20 * time.Second
)

// Options are what a crowd needs to know.
type Options struct {
	Dialect dialect.Dialect
	Bases   []string // ws://host:port; peer i connects to Bases[i modulo their number]
	Size    int      // the most peers; even
	Room    string   // the beginning of the rooms' names
	Token   func(room, identity string) (string, error)
	// Patience is how long nothing may come of what is missing at the end of a
	// window; 0 is DefaultPatience.
	Patience time.Duration
}

// Crowd is many clients. It must be used by one goroutine.
type Crowd struct {
	o       Options
	loop    *loop
	peers   []*dialect.Peer
	ledger  *Ledger
	counts  [dialect.Acked + 1]int // events of each kind
	scratch []byte

	// Of the window that runs.
	schedule  *Schedule
	start     time.Time
	recordAt  time.Duration // messages due before it are only checked
	latencies *hdrhistogram.Histogram
	delivered atomic.Int64
}

// NewCrowd is a crowd without connections. Close must be called.
func NewCrowd(o Options) (*Crowd, error) {
	o.Patience = cmp.Or(o.Patience, DefaultPatience)
	l, err := newLoop()
	if err != nil {
		return nil, err
	}
	c := &Crowd{o: o, loop: l, ledger: NewLedger(o.Size)}
	l.receive = c.receive
	l.lost = func(lost *conn, why error) { c.ledger.Fault(Closed, "connection of peer %d: %v", lost.index, why) }
	return c, nil
}

// Close closes all connections.
func (c *Crowd) Close() error { return c.loop.close() }

// Err tells what the servers did wrong; nil: nothing.
func (c *Crowd) Err() error { return c.ledger.Err() }

// Open makes connections until there are so many, and waits until each may join.
func (c *Crowd) Open(ctx context.Context, size int) error {
	for len(c.peers) < size {
		batch, err := c.dial(len(c.peers), min(dialBatch, size-len(c.peers)))
		if err != nil {
			return err
		}
		for i := range batch {
			if err := c.enter(batch[i]); err != nil {
				return err
			}
		}
		if err := c.until(ctx, "greeting", func() bool { return c.greeted() == len(c.peers) }); err != nil {
			return err
		}
	}
	return nil
}

func (c *Crowd) greeted() int {
	if !c.o.Dialect.Greets() {
		return len(c.peers)
	}
	return c.counts[dialect.Greeted]
}

// dial connects peers from first on.
func (c *Crowd) dial(first, count int) ([]dialed, error) {
	batch, faults := make([]dialed, count), make([]error, count)
	peers := make([]*dialect.Peer, count)
	for i := range peers {
		index := first + i
		p := &dialect.Peer{Index: index, Room: dialect.RoomName(c.o.Room, index)}
		if c.o.Token != nil {
			var err error
			if p.Token, err = c.o.Token(p.Room, fmt.Sprintf("peer-%d", index)); err != nil {
				return nil, err
			}
		}
		peers[i] = p
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range dialers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				base := c.o.Bases[(first+i)%len(c.o.Bases)]
				batch[i], faults[i] = dial(c.o.Dialect.Address(base, peers[i]), c.o.Dialect.Subprotocol())
			}
		})
	}
	wg.Wait()
	c.peers = append(c.peers, peers...)
	return batch, errors.Join(faults...)
}

// enter brings a new connection into the loop and says hello.
func (c *Crowd) enter(d dialed) error {
	index := len(c.loop.conns)
	conn, err := c.loop.add(d.fd, index)
	if err != nil {
		return err
	}
	if hello := c.o.Dialect.Hello(c.peers[index]); hello != nil {
		c.loop.text(conn, hello)
	}
	if len(d.early) > 0 {
		c.loop.take(conn, d.early)
	}
	return nil
}

// Join lets the peers from first on join their rooms, first those with even
// numbers, and returns how long that took.
func (c *Crowd) Join(ctx context.Context, first int) (time.Duration, error) {
	start := time.Now()
	for side := range 2 {
		for i := first + side; i < len(c.peers); i += 2 {
			text := c.o.Dialect.Join(c.peers[i])
			if text == nil { // no rooms: it is as good as in
				c.counts[dialect.Joined]++
				continue
			}
			c.loop.text(c.loop.conns[i], text)
			asked := first + (i-first)/2 + 1
			if side == 1 {
				asked += (len(c.peers) - first) / 2
			}
			if err := c.until(ctx, "joins", func() bool { return asked-c.counts[dialect.Joined] < inFlight }); err != nil {
				return 0, err
			}
		}
		all := first + (len(c.peers)-first)/2*(side+1)
		if err := c.until(ctx, "joins", func() bool { return c.counts[dialect.Joined] == all }); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

// Describe lets all peers exchange an offer and an answer: from then on each
// knows its partner.
func (c *Crowd) Describe(ctx context.Context) error {
	err := c.until(ctx, "partners", func() bool { return c.partners() })
	for i := 0; i < len(c.peers) && err == nil; i += 2 {
		c.loop.text(c.loop.conns[i], c.o.Dialect.Describe(c.peers[i], dialect.Offer))
		asked := i/2 + 1
		err = c.until(ctx, "answers", func() bool { return asked-c.counts[dialect.Answer] < inFlight/4 })
	}
	if err != nil {
		return err
	}
	return c.until(ctx, "answers", func() bool { return c.counts[dialect.Answer] == len(c.peers)/2 })
}

// partners reports whether every peer that offers knows its partner.
func (c *Crowd) partners() bool {
	for i := 0; i < len(c.peers); i += 2 {
		if c.peers[i].Partner == "" {
			return false
		}
	}
	return true
}

// Rest reads for so long, so that connections stay alive.
func (c *Crowd) Rest(ctx context.Context, d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); {
		if err := errors.Join(ctx.Err(), c.loop.step(), c.Err()); err != nil {
			return err
		}
	}
	return nil
}

// until runs the loop until done, a fault, or until nothing was heard for too
// long.
func (c *Crowd) until(ctx context.Context, what string, done func() bool) error {
	seen, since := c.counts, time.Now()
	for !done() {
		if err := errors.Join(ctx.Err(), c.loop.step(), c.Err()); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if c.counts != seen {
			seen, since = c.counts, time.Now()
		}
		if time.Since(since) > phaseTimeout {
			return fmt.Errorf("%s: the server said nothing for %s", what, phaseTimeout)
		}
	}
	return nil
}

// receive reads one text of the server.
func (c *Crowd) receive(conn *conn, text []byte) {
	p := c.peers[conn.index]
	event, err := c.o.Dialect.Read(p, text)
	if err != nil {
		c.ledger.Fault(Refused, "peer %d: %v", conn.index, err)
		return
	}
	c.counts[event.Kind]++
	switch event.Kind {
	case dialect.Candidate:
		c.deliver(p, event)
	case dialect.Offer:
		c.loop.text(conn, c.o.Dialect.Describe(p, dialect.Answer))
	default: // it is counted, and Read has noted what it says
	}
	if event.Reply != nil {
		c.loop.text(conn, event.Reply)
	}
}

// deliver checks a candidate and takes its time.
func (c *Crowd) deliver(p *dialect.Peer, event dialect.Event) {
	n, counts := c.ledger.Deliver(p.Index, string(event.From) == p.Partner, event.Text)
	if !counts || c.schedule == nil {
		return
	}
	c.delivered.Add(1)
	due := c.schedule.DueOf(p.Index^1, n)
	if due < c.recordAt {
		return
	}
	_ = c.latencies.RecordValue(min(max((time.Since(c.start)-due).Microseconds(), 1), maxLatency)) // it is in the range
}

// transmit sends one burst of a peer.
func (c *Crowd) transmit(sender, burst int) {
	p := c.peers[sender]
	c.scratch = c.scratch[:0]
	for range burst {
		n := c.ledger.Send(sender)
		c.scratch = appendFrame(c.scratch, ws.OpText, newMask(), func(dst []byte) []byte {
			return c.o.Dialect.AppendCandidate(dst, p, n)
		})
	}
	c.loop.send(c.loop.conns[sender], c.scratch)
}
