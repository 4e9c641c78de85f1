package edge

import (
	"time"

	"golang.org/x/sys/unix"
)

// sinceBoot is a monotonic clock that counts while the machine is suspended.
func sinceBoot() time.Duration {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &now); err != nil {
		return time.Since(processStart)
	}
	return time.Duration(now.Nano())
}

// processStart serves systems without that clock.
var processStart = time.Now()
