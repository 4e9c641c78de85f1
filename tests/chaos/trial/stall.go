//go:build linux

package trial

import (
	"context"
	"time"
)

const (
	stallTick = 100 * time.Millisecond
	// stallMost is the longest time that this process may be kept from running: a
	// lease is out after 12 s without a renewal.
	stallMost = 3 * time.Second
)

// watchStalls measures, until ctx ends, how long this process didn't run at most.
func watchStalls(ctx context.Context) <-chan time.Duration {
	longest := make(chan time.Duration, 1)
	go func() {
		var most time.Duration
		for last := time.Now(); rest(ctx, stallTick) == nil; last = time.Now() {
			most = max(most, time.Since(last)-stallTick)
		}
		longest <- most
	}()
	return longest
}
