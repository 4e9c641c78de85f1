//go:build !linux

package edge

import "time"

// sinceBoot is Go's monotonic clock; whether it counts while the machine is
// suspended depends on the system.
func sinceBoot() time.Duration { return time.Since(processStart) }

// processStart is the clock's zero.
var processStart = time.Now()
