package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// traveller is a member of a room that goes to the edge that it is told to.
type traveller struct {
	s    *Stack
	name string
	room *client.Room
	wire cutter

	mu      sync.Mutex
	to      string // host:port of its edge
	resumed int
	got     map[contract.Token][]int
	faults  []string

	said    []*client.Pending
	must    map[contract.Token][]int // what it must get
	numbers int
	others  []*traveller
}

// travellers joins members to a room, each on the edge that stands at its place.
func travellers(ctx context.Context, t *testing.T, s *Stack, room string, at ...int) []*traveller {
	t.Helper()
	all := make([]*traveller, len(at))
	for i, edge := range at {
		x := &traveller{s: s, name: []string{"ada", "bob", "carol"}[i], got: map[contract.Token][]int{}, must: map[contract.Token][]int{}}
		x.steer(edge)
		x.room = Join(t, s.Dial(t, edge, x.name, client.WithDialer(x.dial), client.WithBackoff(time.Millisecond, 20*time.Millisecond)), room)
		all[i] = x
	}
	for _, x := range all {
		waitPeers(t, x.room, len(all)-1)
		x.others = slices.DeleteFunc(slices.Clone(all), func(o *traveller) bool { return o == x })
	}
	for _, x := range all {
		go x.listen(ctx)
	}
	return all
}

func (x *traveller) steer(edge int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.to, _, _ = strings.Cut(strings.TrimPrefix(x.s.Edges[edge], "ws://"), "/")
}

// vanish cuts the socket; until the next leaveFor no other is made.
func (x *traveller) vanish() {
	x.mu.Lock()
	x.to = ""
	x.mu.Unlock()
	x.wire.cut()
}

func (x *traveller) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	x.mu.Lock()
	to := x.to
	x.mu.Unlock()
	if to == "" {
		return nil, errors.New("there is no network")
	}
	return x.wire.dial(ctx, network, to)
}

// listen notes what comes until ctx ends.
func (x *traveller) listen(ctx context.Context) {
	for {
		event, err := x.room.Next(ctx)
		if err != nil {
			return
		}
		x.mu.Lock()
		switch e := event.(type) {
		case client.Message:
			var n int
			if err := json.Unmarshal(e.Data, &n); err != nil {
				x.faults = append(x.faults, fmt.Sprintf("%s got %s", x.name, e.Data))
			}
			x.got[e.From] = append(x.got[e.From], n)
		case client.Resumed:
			x.resumed++
		case client.PeerLeft, client.Left, client.Rejoined, client.Gap:
			x.faults = append(x.faults, fmt.Sprintf("%s heard %T %+v", x.name, e, e))
		}
		x.mu.Unlock()
	}
}

// leaveFor cuts the socket; the next one goes to another edge.
func (x *traveller) leaveFor(edge int) {
	x.steer(edge)
	x.wire.cut()
}

// goTo is leaveFor, and returns when the session is there.
func (x *traveller) goTo(ctx context.Context, t *testing.T, edge int) {
	t.Helper()
	before := x.arrivals()
	x.leaveFor(edge)
	x.awaitArrivals(ctx, t, before+1)
}

func (x *traveller) arrivals() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.resumed
}

// awaitArrivals waits until the session was resumed so many times.
func (x *traveller) awaitArrivals(ctx context.Context, t *testing.T, count int) {
	t.Helper()
	for x.arrivals() < count {
		if ctx.Err() != nil {
			t.Fatalf("%s wasn't resumed", x.name)
		}
		wait(ctx, time.Millisecond)
	}
}

// tell sends the next number to another member.
func (x *traveller) tell(t *testing.T, to *traveller) {
	t.Helper()
	x.post(t, client.MessageTo(to.room.Self().Peer, x.numbers), to)
}

// tellAll sends the next number to everybody.
func (x *traveller) tellAll(t *testing.T) {
	t.Helper()
	x.post(t, client.ToAll(x.numbers), x.others...)
}

func (x *traveller) post(t *testing.T, s client.Signal, to ...*traveller) {
	t.Helper()
	p, err := x.room.Post(s)
	if err != nil {
		t.Fatalf("%s, signal %d: %v", x.name, x.numbers, err)
	}
	x.said = append(x.said, p)
	self := x.room.Self().Peer
	for _, o := range to {
		o.must[self] = append(o.must[self], x.numbers)
	}
	x.numbers++
}

// awaitAll waits until all that must come from a member has come.
func (x *traveller) awaitAll(ctx context.Context, t *testing.T, from *traveller) {
	t.Helper()
	peer := from.room.Self().Peer
	for {
		x.mu.Lock()
		got := slices.Clone(x.got[peer])
		x.mu.Unlock()
		if len(got) >= len(x.must[peer]) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%s has %v of %s, want %v", x.name, got, from.name, x.must[peer])
		}
		wait(ctx, time.Millisecond)
	}
}

// end has everybody say one thing more to everybody, and checks that all that was
// said was acknowledged and has come, once and in order.
func end(ctx context.Context, t *testing.T, all []*traveller) {
	t.Helper()
	for _, x := range all {
		x.tellAll(t)
		for _, o := range x.others {
			x.tell(t, o)
		}
	}
	for _, x := range all {
		for i, p := range x.said {
			if err := p.Wait(ctx); err != nil {
				t.Errorf("%s, signal %d wasn't acknowledged: %v", x.name, i, err)
			}
		}
		for _, from := range x.others {
			x.awaitAll(ctx, t, from)
		}
	}
	for _, x := range all {
		x.mu.Lock()
		for _, from := range x.others {
			if got, want := x.got[from.room.Self().Peer], x.must[from.room.Self().Peer]; !slices.Equal(got, want) {
				t.Errorf("%s got %v of %s, want %v", x.name, got, from.name, want)
			}
		}
		for _, fault := range x.faults {
			t.Error(fault)
		}
		x.mu.Unlock()
	}
}
