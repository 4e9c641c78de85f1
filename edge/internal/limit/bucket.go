package limit

import (
	"math"
	"time"
)

// Never is the wait that Take returns for what can't pass at any time: a cost
// over the burst, or a bucket that doesn't refill.
const Never = time.Duration(math.MaxInt64)

// nano is how finely a bucket counts: a token is so many parts. With it a rate
// in tokens a second is the same number in parts a nanosecond, so a refill is
// one exact multiplication.
const nano = 1_000_000_000

// maxBurst keeps a full bucket within an int64 of parts.
const maxBurst = math.MaxInt64 / nano

// Bucket is a token bucket, kept as what was spent and hasn't come back yet:
// the Generic Cell Rate Algorithm as a leaky bucket (ITU-T I.371, annex A).
// The zero Bucket is full. It must not be used by two goroutines at once.
type Bucket struct {
	spent int64         // parts of a token that haven't come back
	at    time.Duration // when spent was right
}

// Take takes cost tokens if they are there: ok, and wait is 0. Otherwise
// nothing is taken and wait is how long to wait until the same call succeeds
// if nobody else takes any, or Never.
//
// now is monotonic, from any fixed start such as that of the process; a now
// that goes back counts as no time. rate is in tokens a second, burst is how
// many tokens a full bucket holds; both may change from call to call, and what
// was spent stays spent. A cost of 0 or less always passes and takes nothing.
func (b *Bucket) Take(now time.Duration, cost, rate, burst int) (wait time.Duration, ok bool) {
	b.refill(now, rate)
	if cost <= 0 {
		return 0, true
	}
	if int64(burst) > maxBurst {
		burst = maxBurst
	}
	if cost > burst {
		return Never, false
	}
	room := int64(burst)*nano - b.spent
	price := int64(cost) * nano
	if price <= room {
		b.spent += price
		return 0, true
	}
	if rate <= 0 {
		return Never, false
	}
	missing := price - room
	wait = time.Duration(missing / int64(rate))
	if missing%int64(rate) != 0 {
		wait++
	}
	return wait, false
}

// refill gives back what came back since the last call.
func (b *Bucket) refill(now time.Duration, rate int) {
	elapsed := int64(now - b.at)
	if elapsed <= 0 {
		return
	}
	b.at = now
	if rate <= 0 {
		return
	}
	// The division, not the product, decides: it can't overflow.
	if elapsed > b.spent/int64(rate) {
		b.spent = 0
		return
	}
	b.spent -= elapsed * int64(rate)
}
