package edge

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/parley-rtc/parley/services/bus"
)

// answering is for how long NATS has answered, counted while somebody wants to know.
// Who waits for what others must do through NATS counts by it: no wait is over
// because nothing could happen.
type answering struct {
	mu       sync.Mutex
	users    int
	running  bool
	total    time.Duration
	unbroken time.Duration // of that, since it last didn't answer
}

const (
	// answerLook is how often NATS is asked, answerMost how long it has to answer.
	answerLook = time.Second
	answerMost = 2 * time.Second
	// answerStall is when this process takes itself for the one that stood still.
	answerStall = answerLook + answerMost + 2*time.Second
)

// probeKey is in no bucket: that it isn't there is an answer.
const probeKey = "probe"

// begin has the time be counted until end, and returns what was counted before.
func (n *answering) begin(e *Edge) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.users++; !n.running {
		n.running = true
		e.goWork(func(ctx context.Context) { n.run(ctx, e.probe) })
	}
	return n.total
}

func (n *answering) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.users--
}

// counted is what was counted in all, and since NATS last didn't answer.
func (n *answering) counted() (total, unbroken time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.total, n.unbroken
}

func (n *answering) run(ctx context.Context, probe func(context.Context) error) {
	for last, more := time.Now(), true; more; {
		pause(ctx, answerLook)
		if ctx.Err() != nil {
			return
		}
		err := probe(ctx)
		now := time.Now()
		more = n.count(now.Sub(last), err == nil)
		last = now
	}
}

// count adds what has passed, and reports whether anybody still wants to know.
func (n *answering) count(passed time.Duration, answered bool) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if answered && passed <= answerStall {
		n.total, n.unbroken = n.total+passed, n.unbroken+passed
	} else {
		n.unbroken = 0
	}
	n.running = n.users > 0
	return n.running
}

// probe asks the leaders of all that a member's end goes through: its edge's lease,
// its record, the room, and the log by which this edge hears of it.
func (e *Edge) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerMost)
	defer cancel()
	if !e.lease.answered() {
		return errors.New("the lease wasn't renewed in time")
	}
	if _, _, err := bus.Get(ctx, e.members, probeKey); !isNotFound(err) {
		return err
	}
	if _, _, err := bus.Get(ctx, e.rooms, probeKey); !isNotFound(err) {
		return err
	}
	_, err := e.bounds(ctx, e.id)
	return err
}
