package permissions

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/edge"
	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/stack"
)

const room = "room"

// scenario is the life of one room: everything that a service does in NATS
// happens in it.
type scenario struct {
	w *world
	t *testing.T
	s *stack.Stack

	clients      []*client.Client
	ada, bob, cy *client.Room
	adas         *wire
	log          jetstream.Stream
	entries      chan *nats.Msg // of the log, as the operator sees them
}

// newScenario starts the stack in w. An edge that can't go on drains for so long at
// the end.
func newScenario(t *testing.T, w *world, drain time.Duration) *scenario {
	t.Helper()
	p := &scenario{w: w, t: t, adas: &wire{}, entries: make(chan *nats.Msg, 1000)}
	operator := w.login(t, "operator", "operator")
	if _, err := operator.ChanSubscribe("$KV.signals-0.>", p.entries); err != nil {
		t.Fatal(err)
	}
	p.log = oldLog(t, operator)
	p.s = stack.Begin(t, stack.Options{
		Edges: 3, Shards: shards, Policy: contract.PolicyPublic, Connect: w.connect(t),
		TURN: authsvc.TURN{URLs: []string{"turn:127.0.0.1:9?transport=udp"}, Secret: "a-secret-of-the-turn-server", TTL: time.Hour},
		Edge: func(c *edge.Config) { c.DrainTimeout = drain },
		Rooms: func(c *roomsvc.Config) {
			c.LeaseTimeout, c.ResumeWindow = 2*time.Second, time.Second
			c.SweepInterval, c.TellInterval = 100*time.Millisecond, 100*time.Millisecond
		},
	})
	t.Cleanup(p.hangUp)
	return p
}

// oldLog makes the log as an earlier configuration of roomsvc had it.
func oldLog(t *testing.T, operator *nats.Conn) jetstream.Stream {
	t.Helper()
	js, err := jetstream.New(operator)
	if err != nil {
		t.Fatal(err)
	}
	bucket := contract.SignalsBucket(0)
	log, err := js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: contract.StreamOf(bucket), Subjects: []string{"$KV." + bucket + ".>"}, MaxAge: time.Hour,
		Discard: jetstream.DiscardNew, Metadata: map[string]string{contract.ShardsMetadata: strconv.Itoa(shards)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return log
}

// run plays the scenario until a step fails, and then ends the stack: its edges
// drain until their clients are gone, which they are when ctx has ended.
func (p *scenario) run(ctx context.Context) error {
	err := p.steps(ctx)
	defer context.AfterFunc(ctx, p.hangUp)()
	if ended := p.s.End(); err == nil && ended != nil {
		return fmt.Errorf("end: %w", ended)
	}
	return err
}

func (p *scenario) hangUp() {
	for _, c := range p.clients {
		_ = c.Close() // its edge may be gone
	}
}

func (p *scenario) steps(ctx context.Context) error {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"become ready", p.s.AllReady},
		{"join", p.join},
		{"signal", p.signal},
		{"show presence", p.present},
		{"hear backends", p.backends},
		{"lose an edge", p.loseEdge},
		{"resume on another edge", p.resume},
		{"lose an acknowledgement", p.loseAcknowledgement},
		{"leave", p.leave},
		{"leave by a lost lease", p.expire},
	} {
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", step.name, ctx.Err())
		}
	}
	return nil
}

// join brings ada, bob and cy in over the three edges.
func (p *scenario) join(ctx context.Context) (err error) {
	for i, one := range []struct {
		name string
		room **client.Room
		opts []client.Option
	}{
		{"ada", &p.ada, []client.Option{client.WithURLs(p.s.Edges[1]), client.WithDialer(p.adas.dial)}},
		{"bob", &p.bob, nil},
		{"cy", &p.cy, nil},
	} {
		opts := append(one.opts, client.WithBackoff(time.Millisecond, 50*time.Millisecond),
			client.WithToken(func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
				return p.s.Token(ctx, room, one.name)
			}))
		c, err := client.Dial(ctx, p.s.Edges[i], opts...)
		if err != nil {
			return err
		}
		p.clients = append(p.clients, c)
		if *one.room, err = c.Join(ctx, room); err != nil {
			return err
		}
	}
	for len(p.ada.Peers()) < 2 || len(p.ada.ICEServers()) == 0 {
		if _, err := p.ada.Next(ctx); err != nil {
			return err
		}
	}
	return nil
}

// loseEdge cuts cy's edge off from NATS for good.
func (p *scenario) loseEdge(context.Context) error {
	p.w.conns["edge-3"].Close()
	return nil
}

// signal sends what the filter passes, and what it takes something out of.
func (p *scenario) signal(ctx context.Context) error {
	if err := p.ada.Send(ctx, p.bob.Self().Peer, "hello"); err != nil {
		return err
	}
	if err := until[client.Message](ctx, p.bob); err != nil {
		return err
	}
	mid := "0"
	private := contract.ICECandidate{
		Candidate: "candidate:1 1 udp 2122260223 10.0.0.1 50000 typ host generation 0",
		SDPMid:    &mid,
	}
	if err := p.bob.Candidates(ctx, p.ada.Self().Peer, "n1", private); err != nil {
		return err
	}
	return until[client.Filtered](ctx, p.bob)
}

func (p *scenario) present(ctx context.Context) error {
	if err := p.ada.SetPresence(ctx, "muted"); err != nil {
		return err
	}
	return until[client.PeerUpdated](ctx, p.bob)
}

// backends speak to the room through both roomsvcs, while one of them follows it.
func (p *scenario) backends(ctx context.Context) error {
	api := func(i int) standalone.Rooms { return standalone.Rooms{URL: p.s.RoomsURLs[i], APIKey: stack.APIKey} }
	for i := range 2 { // until both know the key
		for {
			_, err := api(i).Show(ctx, room)
			if err == nil {
				break
			}
			if !errors.Is(err, contract.CodeBadAPIKey) && !errors.Is(err, contract.CodeUnavailable) || ctx.Err() != nil {
				return err
			}
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	lines := make(chan error, 1)
	var reading sync.WaitGroup
	defer reading.Wait()
	defer cancel()
	reading.Go(func() {
		for _, err := range api(0).Events(ctx, room) {
			select {
			case lines <- err:
			default:
			}
		}
	})
	if err := <-lines; err != nil { // it follows the room now
		return err
	}
	for i := range 4 {
		if _, err := api(i%2).Change(ctx, room, "message", map[string]any{"data": i}); err != nil {
			return err
		}
		if err := until[client.Message](ctx, p.bob); err != nil {
			return err
		}
	}
	if err := <-lines; err != nil {
		return err
	}
	return p.loseConsumers(ctx)
}

// loseConsumers has every reader of the log make its consumer anew.
func (p *scenario) loseConsumers(ctx context.Context) error {
	lost := 0
	for name := range p.log.ConsumerNames(ctx).Name() {
		if err := p.log.DeleteConsumer(ctx, name); err != nil {
			return err
		}
		lost++
	}
	for lost > 0 {
		now := 0
		for range p.log.ConsumerNames(ctx).Name() {
			now++
		}
		if now >= lost || ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.New("there was no consumer")
}

// resume cuts ada's socket: she goes on on bob's edge.
func (p *scenario) resume(ctx context.Context) error {
	p.adas.cut()
	if err := until[client.Resumed](ctx, p.ada); err != nil {
		return err
	}
	if err := p.bob.Send(ctx, p.ada.Self().Peer, "again"); err != nil {
		return err
	}
	return until[client.Message](ctx, p.ada)
}

// loseAcknowledgement has the next entry of a roomsvc for bob's edge stand in the
// log already, as if its acknowledgement had been lost.
func (p *scenario) loseAcknowledgement(ctx context.Context) error {
	last := map[string]*nats.Msg{}
	for len(p.entries) > 0 {
		m := <-p.entries
		from, _, err := contract.ParseSignalSubject(m.Subject)
		if err == nil && service(from.String()[:len("roomsvc")]) == contract.UserRooms {
			last[m.Subject] = m
		}
	}
	operator := p.w.login(p.t, "operator", "operator")
	for subject, m := range last {
		from, to, err := contract.ParseSignalSubject(subject)
		if err != nil {
			return err
		}
		var n uint64
		if _, err := fmt.Sscanf(m.Header.Get(contract.HeaderMessageID), from.String()+"."+to.String()+".%d", &n); err != nil {
			return fmt.Errorf("read a message id: %w", err)
		}
		again := nats.NewMsg(subject)
		again.Data = m.Data
		again.Header.Set(contract.HeaderMessageID, contract.MessageID(from, to, n+1))
		if _, err := operator.RequestMsgWithContext(ctx, again); err != nil {
			return err
		}
	}
	for i := range 2 {
		api := standalone.Rooms{URL: p.s.RoomsURLs[i], APIKey: stack.APIKey}
		if _, err := api.Change(ctx, room, "message", map[string]any{"data": "twice"}); err != nil {
			return err
		}
	}
	return nil
}

func (p *scenario) leave(ctx context.Context) error {
	if err := p.ada.Leave(ctx); err != nil {
		return err
	}
	return p.left(ctx, p.ada.Self().Peer)
}

// expire waits until roomsvc has cy leave, whose edge renews no lease.
func (p *scenario) expire(ctx context.Context) error { return p.left(ctx, p.cy.Self().Peer) }

func (p *scenario) left(ctx context.Context, peer contract.Token) error {
	for {
		gone := true
		for _, one := range p.bob.Peers() {
			gone = gone && one.Peer != peer
		}
		if gone {
			return nil
		}
		if _, err := p.bob.Next(ctx); err != nil {
			return err
		}
	}
}

// until skips events to the first of a kind.
func until[E client.Event](ctx context.Context, r *client.Room) error {
	for {
		event, err := r.Next(ctx)
		if err != nil {
			return fmt.Errorf("wait for %T: %w", *new(E), err)
		}
		if _, is := event.(E); is {
			return nil
		}
	}
}

// wire dials for a client and can cut what it dialled.
type wire struct {
	mu   sync.Mutex
	conn net.Conn
}

func (c *wire) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conn = conn
	return conn, err
}

func (c *wire) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.Close() // that is all it is for
}
