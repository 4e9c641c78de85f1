package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// exchange has every member of a room send to all others, directly and to the
// whole room in turn, until it is stopped, and checks what came of it.
type exchange struct {
	rooms []*client.Room
	pause time.Duration // between two signals of one member
	stop  chan struct{}
	wg    sync.WaitGroup

	mu      sync.Mutex
	sent    [][]said   // by member
	got     [][][]said // by member and sender
	refused [][]said   // by member: those that it would have to send again
	aways   int        // times that one member saw another away
	faults  []string
}

// said is one signal of the exchange.
type said struct {
	N    int  `json:"n"`
	To   int  `json:"to"` // the member, -1 for all
	Last bool `json:"last,omitempty"`
}

// startExchange starts it among members that see each other.
func startExchange(ctx context.Context, t *testing.T, rooms []*client.Room, pause time.Duration) *exchange {
	t.Helper()
	for _, r := range rooms {
		waitPeers(t, r, len(rooms)-1)
	}
	x := &exchange{rooms: rooms, pause: pause, stop: make(chan struct{})}
	x.sent, x.got, x.refused = make([][]said, len(rooms)), make([][][]said, len(rooms)), make([][]said, len(rooms))
	for i := range rooms {
		x.wg.Go(func() { x.send(ctx, i) })
		x.wg.Go(func() { x.receive(ctx, i) })
	}
	return x
}

func (x *exchange) fault(format string, args ...any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.faults) < 20 {
		x.faults = append(x.faults, fmt.Sprintf(format, args...))
	}
}

// underway is how many signals of one member aren't acknowledged: a client's
// outbox takes no more than 256.
const underway = 200

// send numbers the signals of one member. Every second one goes to all.
func (x *exchange) send(ctx context.Context, self int) {
	var pending []*client.Pending
	post := func(one said) {
		if len(pending) >= underway {
			_ = pending[len(pending)-underway].Wait(ctx) // what is wrong with it is said below
		}
		signal := client.ToAll(one)
		if one.To >= 0 {
			signal = client.MessageTo(x.rooms[one.To].Self().Peer, one)
		}
		p, err := x.rooms[self].Post(signal)
		if err != nil {
			x.fault("member %d, signal %d: %v", self, one.N, err)
			return
		}
		pending = append(pending, p)
		x.mu.Lock()
		x.sent[self] = append(x.sent[self], one)
		x.mu.Unlock()
	}
	n := 0
	for running := true; running; n++ {
		one := said{N: n, To: -1}
		if n%2 == 1 {
			one.To = (self + 1 + n/2%(len(x.rooms)-1)) % len(x.rooms)
		}
		post(one)
		select {
		case <-time.After(x.pause):
		case <-x.stop:
			running = false
		case <-ctx.Done():
			return
		}
	}
	post(said{N: n, To: -1, Last: true})
	for i, p := range pending {
		if err := p.Wait(ctx); isCode(err, contract.CodeUnavailable) {
			x.mu.Lock()
			x.refused[self] = append(x.refused[self], x.sent[self][i])
			x.mu.Unlock()
		} else if err != nil {
			x.fault("member %d, signal %d wasn't acknowledged: %v", self, i, err)
		}
	}
}

// receive collects what one member gets until it has everybody's last signal.
func (x *exchange) receive(ctx context.Context, self int) {
	from := map[contract.Token]int{}
	for i, r := range x.rooms {
		from[r.Self().Peer] = i
	}
	got := make([][]said, len(x.rooms))
	x.got[self] = got
	newcomers := len(x.rooms) - 1 - self // those that joined later
	for left := len(x.rooms) - 1; left > 0; {
		event, err := x.rooms[self].Next(ctx)
		if err != nil {
			x.fault("member %d: %v; it has %s", self, err, counts(got))
			return
		}
		switch e := event.(type) {
		case client.PeerJoined:
			if newcomers == 0 {
				x.fault("member %d heard %T %+v", self, e, e)
			}
			newcomers--
		case client.PeerLeft, client.Left, client.Rejoined, client.Gap:
			x.fault("member %d heard %T %+v", self, e, e)
		case client.PeerUpdated:
			if e.Peer.State == contract.StateAway {
				x.mu.Lock()
				x.aways++
				x.mu.Unlock()
			}
		case client.Message:
			var one said
			sender, known := from[e.From]
			if err := json.Unmarshal(e.Data, &one); err != nil || !known {
				x.fault("member %d got %s from %s", self, e.Data, e.From)
				continue
			}
			got[sender] = append(got[sender], one)
			if one.Last {
				left--
			}
		}
	}
}

// end stops the senders, waits until all has arrived and reports what is wrong.
func (x *exchange) end(t *testing.T) (signals int) {
	t.Helper()
	signals, refused := x.endWithRefusals(t)
	if refused > 0 {
		t.Errorf("%d signals were refused", refused)
	}
	return signals
}

// endWithRefusals is end for a run in which a signal may be refused as one to be sent
// again, which nobody must have got then.
func (x *exchange) endWithRefusals(t *testing.T) (signals, refused int) {
	t.Helper()
	close(x.stop)
	x.wg.Wait()
	for self, got := range x.got {
		for sender, sent := range x.sent {
			want := slices.DeleteFunc(slices.Clone(sent), func(one said) bool {
				return one.To >= 0 && one.To != self || slices.Contains(x.refused[sender], one)
			})
			if sender != self && !slices.Equal(got[sender], want) {
				x.fault("member %d got of member %d %s", self, sender, difference(got[sender], want))
			}
		}
	}
	for _, fault := range x.faults {
		t.Error(fault)
	}
	for i, some := range x.sent {
		signals += len(some)
		refused += len(x.refused[i])
	}
	return signals, refused
}

func counts(got [][]said) string {
	var text []string
	for i, some := range got {
		last := -1
		if len(some) > 0 {
			last = some[len(some)-1].N
		}
		text = append(text, fmt.Sprintf("%d of member %d (the last is %d)", len(some), i, last))
	}
	return strings.Join(text, ", ")
}

// difference tells the first place in which two lists differ.
func difference(got, want []said) string {
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return fmt.Sprintf("%d signals, want %d; from place %d on: %v, want %v", len(got), len(want), at,
		got[at:min(at+6, len(got))], want[at:min(at+6, len(want))])
}
