package main

import (
	"bytes"
	"fmt"
	"os"
	"time"
)

// ticksPerSecond is the unit of times in /proc/self/stat. The kernel gives
// programs 100 a second on every architecture that Go runs on (proc(5),
// sysconf(3)).
const ticksPerSecond = 100

// processStart is when the process began, to a hundredth of a second, or now if
// the kernel doesn't tell. What Go does before main counts too.
func processStart() time.Time {
	now := time.Now()
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return now
	}
	uptimeText, err := os.ReadFile("/proc/uptime")
	if err != nil {
		return now
	}
	var uptime float64
	if _, err := fmt.Sscan(string(uptimeText), &uptime); err != nil {
		return now
	}
	// The second field is the program's name in parentheses, which may hold any;
	// the start is the 22nd (proc(5)).
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const start = 22 - 3
	var ticks float64
	if len(fields) <= start {
		return now
	}
	if _, err := fmt.Sscan(string(fields[start]), &ticks); err != nil {
		return now
	}
	age := time.Duration((uptime - ticks/ticksPerSecond) * float64(time.Second))
	if age < 0 || age > time.Hour {
		return now
	}
	return now.Add(-age)
}
