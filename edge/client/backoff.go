package client

import "time"

// stableAfter is how long a connection must have lived for its end not to
// count as one more failure. A server that welcomes and closes at once is
// therefore met with longer and longer waits.
const stableAfter = 10 * time.Second

// fullJitter is the wait before attempt n (from 0): a random share, 0 to 1, of
// lowest doubled n times, at most highest. Full jitter spreads the clients of
// a dead edge best.
func fullJitter(lowest, highest time.Duration, n int, share float64) time.Duration {
	ceiling := highest
	if n < 63 && lowest < highest>>n {
		ceiling = lowest << n
	}
	return time.Duration(share * float64(ceiling))
}
