//go:build linux

package machine

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Facts are what a result says of the machine; nothing in it names it.
type Facts struct {
	Processor  string `json:"processor"`
	Processors int    `json:"processors"`
	MemoryGiB  int    `json:"memory_gib"`
	Kernel     string `json:"kernel"`
	Go         string `json:"go"`
}

// Describe tells of this machine.
func Describe() Facts {
	f := Facts{Processors: runtime.NumCPU(), Go: runtime.Version(), Processor: runtime.GOARCH}
	for line := range strings.Lines(read("/proc/cpuinfo")) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			f.Processor = strings.TrimSpace(value)
			break
		}
	}
	var memory unix.Sysinfo_t
	if err := unix.Sysinfo(&memory); err == nil {
		f.MemoryGiB = int((memory.Totalram*uint64(memory.Unit) + 1<<29) >> 30)
	}
	// Only the number: what follows it may be the name of somebody's platform.
	f.Kernel, _, _ = strings.Cut(strings.TrimSpace(read("/proc/sys/kernel/osrelease")), "-")
	return f
}

// Load is the load average of the last minute.
func Load() float64 {
	first, _, _ := strings.Cut(read("/proc/loadavg"), " ")
	load, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return load
}

func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}

const conntrack = "/proc/sys/net/netfilter/nf_conntrack_"

// CheckConntrack fails if the kernel's table of connections has no place for so
// many more: it would drop packets, which looks like a slow server.
func CheckConntrack(more int) error {
	count, err := number(conntrack + "count")
	if errors.Is(err, fs.ErrNotExist) {
		return nil // connections aren't tracked
	}
	if err != nil {
		return err
	}
	most, err := number(conntrack + "max")
	if err != nil {
		return err
	}
	if count+more > most {
		return fmt.Errorf("the kernel tracks %d of at most %d connections, and the bench needs %d more: wait, or raise "+
			"net.netfilter.nf_conntrack_max", count, most, more)
	}
	return nil
}

func number(path string) (int, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", path, err)
	}
	return n, nil
}

// CheckFiles fails if this process can't open so many files.
func CheckFiles(needed int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("limit of open files: %w", err)
	}
	if limit.Cur < uint64(needed) {
		return fmt.Errorf("a process may open %d files, and the bench needs %d: ulimit -n %d, or fewer --idle connections",
			limit.Cur, needed, needed)
	}
	return nil
}
