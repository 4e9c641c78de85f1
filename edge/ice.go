package edge

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// iceTimeout is how long a join may wait for authsvc's servers. It waits
	// while the member's record is written; without an answer the member joins
	// without them and gets them later.
	iceTimeout = 250 * time.Millisecond
	// iceAgain and iceSpread are when a member that got no answer asks again: at
	// a random moment of the spread, so that an authsvc that is back isn't met by
	// everyone at once.
	iceAgain  = 5 * time.Second
	iceSpread = 10 * time.Second
	// iceNone is for how long nobody asks when authsvc has said that it has none.
	iceNone = 30 * time.Second
	// iceQuiet is for how long nobody asks again when authsvc hasn't answered.
	iceQuiet = 2 * time.Second
	// iceRenewals is how many members ask for new credentials at the same time.
	iceRenewals = 64
)

// iceDoor is what the edge knows of authsvc as the source of ICE servers.
type iceDoor struct {
	quiet atomic.Int64 // since Edge.started: nobody asks before
	slots chan struct{}
}

// iceServers are those of one member that authsvc made for it.
type iceServers struct {
	mu      sync.Mutex
	servers []contract.ICEServer
	due     time.Time // when to ask again; zero: not asked yet
	asking  bool
	told    bool // `joined` was made, so changes are sent
}

// current are the servers for a `joined` frame.
func (i *iceServers) current() []contract.ICEServer {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.told = true
	return i.servers
}

// begin reports whether it is time to ask; end must follow then.
func (i *iceServers) begin(now time.Time) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.asking || now.Before(i.due) {
		return false
	}
	i.asking = true
	return true
}

// postpone sets when a member that hasn't asked yet does.
func (i *iceServers) postpone(due time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.due.IsZero() {
		i.due = due
	}
}

// end takes the answer, and reports whether the client must be told.
func (i *iceServers) end(servers []contract.ICEServer, due time.Time, answered bool) (tell bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asking, i.due = false, due
	if !answered || len(servers) == 0 && len(i.servers) == 0 {
		return false
	}
	i.servers = servers
	return i.told
}

// isQuiet reports whether nobody asks authsvc now.
func (e *Edge) isQuiet() bool { return time.Since(e.started) < time.Duration(e.ice.quiet.Load()) }

// askICEMeanwhile asks for a joining member's servers; wait returns when they are
// there, or not to be had.
func (m *membership) askICEMeanwhile(ctx context.Context) (wait func()) {
	if m.r.e.isQuiet() {
		m.askICE(ctx)
		return func() {}
	}
	done := make(chan struct{})
	m.r.e.wg.Go(func() { defer close(done); m.askICE(ctx) })
	return func() { <-done }
}

// askICE asks authsvc for the member's servers once, if it is time to.
func (m *membership) askICE(ctx context.Context) {
	e := m.r.e
	now := time.Now()
	again := now.Add(iceAgain + rand.N(iceSpread))
	if e.isQuiet() {
		m.ice.postpone(again)
		return
	}
	if !m.ice.begin(now) {
		return
	}
	reply, err := e.requestICE(ctx, contract.ICERequest{App: m.r.app, Identity: m.identity})
	due := again
	var none []contract.ICEServer
	switch ttl := time.Duration(reply.TTL) * time.Second; {
	case err != nil:
		iceAsked.WithLabelValues("unanswered").Inc()
		e.ice.quiet.Store(int64(time.Since(e.started) + iceQuiet))
		slog.DebugContext(ctx, "no ICE servers from authsvc", "error", err)
		m.ice.end(none, due, false)
		return
	case len(reply.ICEServers) == 0:
		iceAsked.WithLabelValues("none").Inc()
		e.ice.quiet.Store(int64(time.Since(e.started) + iceNone))
		due = now.Add(iceNone)
	default:
		iceAsked.WithLabelValues("ok").Inc()
		due = now.Add(ttl*3/4 - rand.N(ttl/8+1))
	}
	if m.ice.end(reply.ICEServers, due, true) {
		m.tellICE()
	}
}

// tellICE gives the client its servers. One that is away gets new ones when it
// is back.
func (m *membership) tellICE() {
	frame := marshal(contract.ICEServersFrame{Type: contract.TypeICEServers, Room: m.roomName, ICEServers: m.iceServers()})
	m.s.mu.Lock()
	live := m.s.live()
	if live {
		m.s.send(frame)
	}
	m.s.mu.Unlock()
	if !live {
		m.ice.mu.Lock()
		m.ice.due = time.Now()
		m.ice.mu.Unlock()
	}
}

// iceServers are all that the member may use: the configured ones and its own.
func (m *membership) iceServers() []contract.ICEServer {
	return append(append([]contract.ICEServer{}, m.r.e.cfg.ICEServers...), m.ice.current()...)
}

// renewICE asks for new credentials in the background when the old ones are
// about to end, unless enough others do.
func (m *membership) renewICE() {
	e := m.r.e
	m.ice.mu.Lock()
	due := !m.ice.due.IsZero() && time.Now().After(m.ice.due)
	m.ice.mu.Unlock()
	if !due || e.isQuiet() {
		return
	}
	select {
	case e.ice.slots <- struct{}{}:
		e.goWork(func(ctx context.Context) {
			defer func() { <-e.ice.slots }()
			m.askICE(ctx)
		})
	default: // at the next tick
	}
}

// requestICE asks authsvc, once.
func (e *Edge) requestICE(ctx context.Context, ask contract.ICERequest) (reply contract.ICEReply, err error) {
	ctx, cancel := context.WithTimeout(ctx, iceTimeout)
	defer cancel()
	body, err := json.Marshal(ask)
	if err != nil {
		return reply, err
	}
	msg, err := e.nc.RequestMsgWithContext(ctx, &nats.Msg{
		Subject: contract.SubjectAuthICE, Header: bus.InjectTrace(ctx, nil), Data: body,
	})
	if err != nil {
		return reply, err
	}
	if err := json.Unmarshal(msg.Data, &reply); err != nil {
		return contract.ICEReply{}, err
	}
	if reply.Error == nil && len(reply.ICEServers) > 0 && reply.TTL <= 0 {
		return contract.ICEReply{}, errors.New("ice reply: credentials without ttl")
	}
	return reply, reply.Error.Err()
}
