package trouble

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/tests/stack"
)

// skew is how far a clock is off.
const skew = 5 * time.Minute

// TestClock_ofAWholeProcess runs each service with a clock that is ahead of all others, and
// then with one that is behind: it says so and what to do, and joins and signals work.
func TestClock_ofAWholeProcess(t *testing.T) {
	off, right := buildSkewed(t), bin(t)
	for _, ahead := range []time.Duration{skew, -skew} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			s := stack.Processes(t, stack.Options{Environ: []string{fmt.Sprintf("%s=%d", aheadVariable, int64(ahead/time.Second))}})
			for _, name := range []string{"authsvc", "candidatefilter", "roomsvc-1", "roomsvc-2", "edge-1"} {
				p := s.Process(t, name)
				p.Stop(t)
				p.Use(off)
				began := time.Now()
				p.Start(t)
				p.WaitReady(t)
				told := "the clocks of this machine and of the NATS server differ: set both by NTP"
				until(t, name+" says that its clock is off", func() (bool, string) { return strings.Contains(p.Logs(), told), p.Logs() })
				if got := timeOf(t, p.Logs(), told).Sub(began); got < ahead-patience || got > ahead+patience {
					t.Fatalf("the clock of %s is %v ahead, want %v", name, got, ahead)
				}
				meet(t, s, name)
				p.Stop(t)
				p.Use(right)
				p.Start(t)
				p.WaitReady(t)
			}
		})
	}
}

// meet has two who join over two edges send to each other.
func meet(t *testing.T, s *stack.Stack, room string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var rooms []*client.Room
	for i := range 2 {
		rooms = append(rooms, stack.Join(t, s.Dial(t, i, fmt.Sprint("member-", i)), room))
	}
	for i, r := range rooms {
		for len(r.Peers()) == 0 {
			if _, err := r.Next(ctx); err != nil {
				t.Fatalf("%s: the other one isn't seen: %v", room, err)
			}
		}
		if err := r.Send(ctx, rooms[1-i].Self().Peer, i); err != nil {
			t.Fatalf("%s: send: %v", room, err)
		}
	}
	for i, r := range rooms {
		for heard := false; !heard; {
			event, err := r.Next(ctx)
			if err != nil {
				t.Fatalf("%s: wait for a message: %v", room, err)
			}
			m, is := event.(client.Message)
			heard = is && string(m.Data) == fmt.Sprint(1-i)
		}
	}
}

// timeOf is when the process says, by its clock, that it has written a line.
func timeOf(t *testing.T, logs, text string) time.Time {
	t.Helper()
	for line := range strings.Lines(logs) {
		if strings.Contains(line, text) {
			var one struct{ Time time.Time }
			if err := json.Unmarshal([]byte(line), &one); err != nil {
				t.Fatal(err)
			}
			return one.Time
		}
	}
	return time.Time{}
}

// aheadVariable says, in seconds, how far the clock of a skewed program is ahead, and
// sinceVariable how long after its start it jumps there.
const (
	aheadVariable = "CLOCK_AHEAD"
	sinceVariable = "CLOCK_AHEAD_SINCE"
)

// aheadSource is a file for the library's package time.
const aheadSource = `package time

import "syscall"

var clockAhead, clockSince = clockSeconds("` + aheadVariable + `"), clockSeconds("` + sinceVariable + `") * int64(Second)

func clockSeconds(variable string) int64 {
	text, _ := syscall.Getenv(variable)
	seconds, _ := atoi(text)
	return int64(seconds)
}
`

// buildSkewed builds the services with another time.Now, and returns their folder. There is
// no other way to give one process another time of day: its programs read the clock without
// the C library, and a time namespace of Linux has none of its own.
func buildSkewed(t *testing.T) (folder string) {
	t.Helper()
	command := func(environ []string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir, cmd.Env, cmd.Stderr = filepath.Join("..", ".."), append(os.Environ(), environ...), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go %s: %v", strings.Join(args, " "), err)
		}
		return strings.TrimSpace(string(out))
	}
	folder = t.TempDir()
	library := filepath.Join(command(nil, "env", "GOROOT"), "src", "time")
	source, err := os.ReadFile(filepath.Join(library, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	const before, after = "\tsec, nsec, mono := runtimeNow()\n", "\tif mono-startNano >= clockSince {\n\t\tsec += clockAhead\n\t}\n"
	if got := strings.Count(string(source), before); got != 1 {
		t.Fatalf("time.go of this Go asks the run-time for the time in %d places, want 1", got)
	}
	overlay := map[string]string{}
	for name, text := range map[string]string{
		"time.go": strings.Replace(string(source), before, before+after, 1), "ahead.go": aheadSource,
	} {
		overlay[filepath.Join(library, name)] = filepath.Join(folder, name)
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	command([]string{"CGO_ENABLED=0"}, "build", "-trimpath", "-overlay", file, "-o", folder+string(filepath.Separator),
		"./edge/cmd/edge", "./roomsvc/cmd/roomsvc", "./authsvc/cmd/authsvc", "./candidatefilter/cmd/candidatefilter",
		"github.com/nats-io/nats-server/v2")
	return folder
}
