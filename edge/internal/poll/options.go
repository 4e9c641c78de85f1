package poll

import "time"

// Options say how a poller works.
type Options struct {
	// Tick is the longest that a busy poller waits before it looks; 0: it never
	// waits on purpose.
	Tick time.Duration
	// Begin is called before readers are woken together, and End when each of
	// them waits again or has closed its connection.
	Begin, End func()
}

const (
	// busyReads is how many sockets must have something when a poller has waited,
	// on average, for it to wait at all: with fewer it would only make them late.
	busyReads = 2
	// fullRate is how many sockets a second make a poller wait a whole tick; with
	// fewer it waits a part of one.
	fullRate = 2000
	// rateWindow is the time over which the rate is taken.
	rateWindow = 25 * time.Millisecond
)

// pace decides when a poller looks next.
type pace struct {
	tick time.Duration
	rate float64 // sockets a second, of late
	last time.Duration
}

// note takes in that so many sockets had something at a time, and returns how
// long to wait before the next look; 0: until a socket has something.
func (p *pace) note(now time.Duration, sockets int) (wait time.Duration) {
	passed := now - p.last
	p.last = now
	keep := max(0, 1-float64(passed)/float64(rateWindow))
	p.rate = p.rate*keep + float64(sockets)/rateWindow.Seconds()
	wait = time.Duration(float64(p.tick) * min(1, p.rate/fullRate))
	if p.rate*wait.Seconds() < busyReads {
		return 0
	}
	return wait
}
