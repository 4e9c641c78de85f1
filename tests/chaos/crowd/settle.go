//go:build linux

package crowd

import (
	"context"
	"time"
)

// settlePoll is the time between two looks at what is missing.
const settlePoll = 250 * time.Millisecond

// Settle waits until all that was sent has settled, and what is owed has come. It
// gives up when nothing came for so long, and after the most in any case, and
// returns how many signals are still missing.
func (c *Crowd) Settle(ctx context.Context, still, most time.Duration) (missing int, err error) {
	begin, changed := c.now(), c.now()
	sum := -1
	for c.now()-begin < most && c.now()-changed < still {
		undelivered, unsettled := c.Open(c.now())
		if undelivered+unsettled == 0 {
			return 0, nil
		}
		if undelivered+unsettled != sum {
			sum, changed = undelivered+unsettled, c.now()
		}
		select {
		case <-ctx.Done():
			return sum, ctx.Err()
		case <-time.After(settlePoll):
		}
	}
	return sum, nil
}
