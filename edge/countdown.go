package edge

import (
	"errors"
	"sync"

	"github.com/parley-rtc/parley/services/link"
)

// errQueueFull is what a frame gets that no queue takes.
var errQueueFull = errors.New("the queue to an edge is full")

// countdown waits for several links and then calls done once, with the first
// error.
type countdown struct {
	mu   sync.Mutex
	n    int
	err  error
	done func(error)
}

func (c *countdown) add() {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
}

// Settled implements link.Waiter.
func (c *countdown) Settled(_ uint64, o link.Outcome) { c.finish(o.Err) }

func (c *countdown) finish(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.n--
	last := c.n == 0
	err = c.err
	c.mu.Unlock()
	if last {
		c.done(err)
	}
}
