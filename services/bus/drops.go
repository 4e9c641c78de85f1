package bus

import (
	"sync"

	"github.com/nats-io/nats.go"
)

// drops counts what full queues lost. The NATS client drops and counts
// by itself, so its figures are added up when somebody asks for the metric, and
// the path of a message has nothing to do with it.
var drops = dropCounter{live: map[*nats.Subscription]int{}}

type dropCounter struct {
	mu    sync.Mutex
	live  map[*nats.Subscription]int // last known figure
	ended int                        // of subscriptions that are no more
}

// CountDrops adds what a subscription's full queue drops to the metric. stop must be
// called before the subscription is ended.
func CountDrops(sub *nats.Subscription) (stop func()) {
	drops.add(sub)
	return sync.OnceFunc(func() { drops.remove(sub) })
}

func (c *dropCounter) add(sub *nats.Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live[sub] = 0
}

// remove keeps sub's last figure. It must come before sub is closed, which
// forgets it.
func (c *dropCounter) remove(sub *nats.Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended += c.read(sub)
	delete(c.live, sub)
}

func (c *dropCounter) counts(sub *nats.Subscription) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, counted := c.live[sub]
	return counted
}

func (c *dropCounter) total() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	total := c.ended
	for sub := range c.live {
		total += c.read(sub)
	}
	return float64(total)
}

// read must be called with mu held.
func (c *dropCounter) read(sub *nats.Subscription) int {
	if n, err := sub.Dropped(); err == nil {
		c.live[sub] = n
	}
	return c.live[sub]
}
