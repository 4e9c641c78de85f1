//go:build linux

package machine

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// tick is the unit of times in /proc/<pid>/stat: Linux tells user space 100 a
// second on every architecture (proc(5), USER_HZ).
const tick = 10 * time.Millisecond

// CPU is the processor time, user and system, that the program and everything
// that it started have used: of the living by their clocks, in nanoseconds; of
// the ended by what their parents were charged, in ticks.
func (p *Process) CPU() (time.Duration, error) {
	all, err := stats()
	if err != nil {
		return 0, err
	}
	var total time.Duration
	for _, s := range all {
		if s.group != p.cmd.Process.Pid {
			continue
		}
		used, err := processClock(s.pid)
		if err != nil {
			continue // it ended just now: its parent is charged
		}
		total += used + s.children
	}
	if total == 0 {
		return 0, fmt.Errorf("processor time of %s: it doesn't run", p.Name)
	}
	return total, nil
}

// Resident is the resident memory of the program and everything that it started,
// in bytes.
func (p *Process) Resident() (int64, error) {
	all, err := stats()
	if err != nil {
		return 0, err
	}
	var total int64
	for _, s := range all {
		if s.group == p.cmd.Process.Pid {
			total += s.resident
		}
	}
	if total == 0 {
		return 0, fmt.Errorf("memory of %s: it doesn't run", p.Name)
	}
	return total, nil
}

// OwnCPU is the processor time, user and system, of this process.
func OwnCPU() (time.Duration, error) { return processClock(os.Getpid()) }

// processClock reads the clock of all threads of a process, ended ones
// included (clock_getcpuclockid(3)).
func processClock(pid int) (time.Duration, error) {
	const sched = 2 // CPUCLOCK_SCHED: user and system
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|sched), &t); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// stat is a line of /proc/<pid>/stat (proc_pid_stat(5)).
type stat struct {
	pid, group int
	children   time.Duration // of children that ended and were waited for
	resident   int64         // bytes
}

// stats reads all processes. One that ends meanwhile is left out.
func stats() ([]stat, error) {
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(names) == 0 {
		return nil, fmt.Errorf("no process in /proc: %w", err)
	}
	var all []stat
	for _, name := range names {
		line, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if s, err := parseStat(line); err == nil {
			all = append(all, s)
		}
	}
	return all, nil
}

func parseStat(line []byte) (stat, error) {
	open, end := bytes.IndexByte(line, '('), bytes.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return stat{}, fmt.Errorf("stat %q: no name", line)
	}
	fields := strings.Fields(string(line[end+1:])) // from the third on
	const first, pgrp, cutime, cstime, rss = 3, 5, 16, 17, 24
	if len(fields) <= rss-first {
		return stat{}, fmt.Errorf("stat %q: too short", line)
	}
	number := func(field int) int64 {
		n, err := strconv.ParseInt(fields[field-first], 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(line[:open])))
	if err != nil {
		return stat{}, fmt.Errorf("stat %q: no pid", line)
	}
	return stat{
		pid: pid, group: int(number(pgrp)), children: time.Duration(number(cutime)+number(cstime)) * tick,
		resident: number(rss) * int64(os.Getpagesize()),
	}, nil
}
