package client

import (
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// paceShare of the edge's rates is what a client uses: frames that the network
// delays arrive closer together than they were sent.
const paceShare = 0.9

// pace keeps a connection under the rates of its edge, so that a burst of
// candidates waits a moment here and isn't refused there. It is two token
// buckets, one of messages and one of bytes.
type pace struct {
	rate, burst, left [2]float64
	at                time.Time
}

func newPace(l contract.Limits, now time.Time) pace {
	p := pace{
		rate:  [2]float64{paceShare * float64(l.FrameRate), paceShare * float64(l.ByteRate)},
		burst: [2]float64{max(1, paceShare*float64(l.FrameBurst)), paceShare * float64(l.ByteBurst)},
		at:    now,
	}
	p.left = p.burst
	return p
}

// take takes messages of so many bytes in all and returns 0, or takes nothing
// and returns how long to wait. What is over a whole burst goes when the
// bucket is full, and the bucket is then in debt.
func (p *pace) take(now time.Time, messages, bytes int) time.Duration {
	cost := [2]float64{float64(messages), float64(bytes)}
	passed := max(0, now.Sub(p.at)).Seconds()
	p.at = now
	var wait time.Duration
	for i := range cost {
		p.left[i] = min(p.burst[i], p.left[i]+passed*p.rate[i])
		if missing := min(cost[i], p.burst[i]) - p.left[i]; missing > 0 {
			wait = max(wait, time.Duration(missing/p.rate[i]*float64(time.Second))+time.Microsecond)
		}
	}
	if wait > 0 {
		return wait
	}
	for i := range cost {
		p.left[i] -= cost[i]
	}
	return 0
}
