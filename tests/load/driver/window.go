//go:build linux

package driver

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// maxLatency is the most that is told apart, in microseconds.
	maxLatency = 60_000_000
	// finestTick is how often the loop looks for slots that are due; what a slot
	// is late by counts.
	finestTick = 100 * time.Microsecond
	// backlogTime is the most load, in time, that a server which keeps up may be
	// behind at the end of a window. At twice that the window is given up.
	backlogTime = 250 * time.Millisecond
	// DefaultPatience is how long nothing may come of what is missing; then it is
	// lost.
	DefaultPatience = 15 * time.Second
)

// Load is the work of one window.
type Load struct {
	Rate   int // messages/s of all peers together
	Burst  int // messages that a peer sends at once
	Warm   time.Duration
	Length time.Duration // after Warm; this is what counts
	// Mark, if set, is called four times: before all, when Warm is over, when
	// Length is, and when everything has arrived; the second and third time on
	// another goroutine.
	Mark func()
}

// Window is what came of a load.
type Window struct {
	Relayed   int64 // messages that arrived between the second mark and the third
	Total     int64 // between the first and the last
	Saturated bool  // the server fell behind
	// Latency is from the moment at which a message was due, in microseconds.
	// Of a saturated window it is only what it was until then.
	Latency *hdrhistogram.Histogram
}

// Run sends a load and waits until all of it has arrived. An error is a fault of
// the server, or the end of ctx.
func (c *Crowd) Run(ctx context.Context, load Load) (Window, error) {
	if load.Mark == nil {
		load.Mark = func() {}
	}
	runtime.GC() // not in the middle of it
	c.schedule = NewSchedule(len(c.peers), load.Rate, load.Burst, slices.Clone(c.ledger.sent[:len(c.peers)]))
	c.latencies = hdrhistogram.New(1, maxLatency, 3)
	c.recordAt = load.Warm
	c.delivered.Store(0)
	if err := c.loop.tick(min(max(c.schedule.interval, finestTick), stepTimeout)); err != nil {
		return Window{}, err
	}
	load.Mark()
	c.start = time.Now()
	marks := c.mark(load)
	saturated, err := c.send(ctx, load)
	if err != nil {
		<-marks
		return Window{}, err
	}
	w := Window{Relayed: <-marks, Saturated: saturated, Latency: c.latencies}
	err = c.drain(ctx)
	load.Mark()
	c.schedule, w.Total = nil, c.delivered.Load()
	return w, errors.Join(err, c.loop.tick(0))
}

// mark calls load.Mark at the times within the load, and tells how much arrived between them.
func (c *Crowd) mark(load Load) <-chan int64 {
	result := make(chan int64, 1)
	start := c.start
	go func() {
		<-time.After(time.Until(start.Add(load.Warm)))
		before := c.delivered.Load()
		load.Mark()
		<-time.After(time.Until(start.Add(load.Warm + load.Length)))
		after := c.delivered.Load()
		load.Mark()
		result <- after - before
	}()
	return result
}

// send sends each slot when it is due, and reads meanwhile, to the end of the
// load or until the server is too far behind.
func (c *Crowd) send(ctx context.Context, load Load) (saturated bool, err error) {
	end := load.Warm + load.Length
	slots := c.schedule.Slots(end)
	behind := int(backlogTime.Seconds() * float64(load.Rate))
	for slot := 0; ; {
		now := time.Since(c.start)
		for ; slot < slots && c.schedule.Due(slot) <= now; slot++ {
			if c.ledger.Open() <= 2*behind+load.Burst {
				c.transmit(c.schedule.Sender(slot), load.Burst)
			} else {
				saturated = true // and send no more, but go on to the marks
				slots = slot
			}
		}
		if now >= end {
			return saturated || c.ledger.Open() > behind+load.Burst, nil
		}
		if err := errors.Join(ctx.Err(), c.loop.step(), c.Err()); err != nil {
			return false, err
		}
	}
}

// drain waits for what is still on its way.
func (c *Crowd) drain(ctx context.Context) error {
	open, since := c.ledger.Open(), time.Now()
	for c.ledger.Open() > 0 {
		if err := errors.Join(ctx.Err(), c.loop.step(), c.Err()); err != nil {
			return err
		}
		if now := c.ledger.Open(); now != open {
			open, since = now, time.Now()
		}
		if time.Since(since) > c.o.Patience {
			c.ledger.Close()
			return fmt.Errorf("nothing came for %s: %w", c.o.Patience, c.Err())
		}
	}
	return c.Err()
}
