package poll

import "time"

// Options say how a poller works.
type Options struct {
	// Tick is how often a busy poller looks; 0: it never waits on purpose.
	Tick time.Duration
	// Begin is called before readers are woken together, and End when each of
	// them waits again or has closed its connection.
	Begin, End func()
}

// busyReads is how many sockets must have something in a tick, on average, for a
// poller to wait for the tick's end: with fewer it would only make them late.
const busyReads = 2

// rateWindow is the time over which that average is taken.
const rateWindow = 25 * time.Millisecond

// pace decides when a poller looks next.
type pace struct {
	tick time.Duration
	rate float64 // sockets a second, of late
	last time.Duration
}

// note takes in that so many sockets had something at a time, and reports
// whether the next look is due after a tick instead of at once.
func (p *pace) note(now time.Duration, sockets int) (busy bool) {
	passed := now - p.last
	p.last = now
	keep := max(0, 1-float64(passed)/float64(rateWindow))
	p.rate = p.rate*keep + float64(sockets)/rateWindow.Seconds()
	return p.tick > 0 && p.rate*p.tick.Seconds() >= busyReads
}
