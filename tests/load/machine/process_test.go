//go:build linux

package machine

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// shell starts a shell script with $dir, and stops it when the test ends.
func shell(t *testing.T, script string) (p *Process, dir string) {
	t.Helper()
	dir = t.TempDir()
	p, err := Start(Command{
		Name: "script", Dir: dir, Environ: append(os.Environ(), "dir="+dir), Program: "/bin/sh", Args: []string{"-c", script},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	return p, dir
}

// await waits until a script has written a file, and reads it.
func await(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(5 * time.Millisecond) {
		if text, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(text))
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s was never written", filepath.Base(path))
		}
	}
}

const burn = "i=0; while [ $i -lt 150000 ]; do i=$((i+1)); done"

// burned is far less than burn takes anywhere, and far more than a shell that
// only waits.
const burned = 20 * time.Millisecond

func TestProcess_CPU_countsAChild(t *testing.T) {
	for name, script := range map[string]string{
		"that lives":     "(" + burn + "; echo > $dir/moved; mv $dir/moved $dir/done; sleep 60) & wait",
		"that has ended": "(" + burn + ") & wait; echo > $dir/done; sleep 60",
	} {
		t.Run(name, func(t *testing.T) {
			p, dir := shell(t, script)
			await(t, filepath.Join(dir, "done"))
			got, err := p.CPU()
			if err != nil {
				t.Fatal(err)
			}
			leader, err := processClock(p.cmd.Process.Pid)
			if err != nil {
				t.Fatal(err)
			}
			if got-leader < burned {
				t.Errorf("got %s, of which the leader used %s: the child is missing", got, leader)
			}
		})
	}
}

func TestProcess_CPU_ofOneThatEnded(t *testing.T) {
	p, _ := shell(t, "true")
	<-p.Ended()
	if got, err := p.CPU(); err == nil {
		t.Errorf("got %s for a program that has ended", got)
	}
}

func TestProcess_Resident(t *testing.T) {
	p, dir := shell(t, "echo > $dir/done; sleep 60")
	await(t, filepath.Join(dir, "done"))
	got, err := p.Resident()
	if err != nil || got < 100<<10 || got > 100<<20 {
		t.Errorf("got %d bytes (%v) for a shell", got, err)
	}
}

func TestProcess_Stop_endsChildren(t *testing.T) {
	// A child that doesn't heed SIGTERM.
	p, dir := shell(t, `(trap "" TERM; sh -c 'echo $PPID' > $dir/moved; mv $dir/moved $dir/child; while :; do sleep 1; done) & wait`)
	child, err := strconv.Atoi(await(t, filepath.Join(dir, "child")))
	if err != nil {
		t.Fatal(err)
	}
	p.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-time.After(5 * time.Millisecond) {
		if err := syscall.Kill(child, 0); errors.Is(err, syscall.ESRCH) || zombie(child) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the child lives")
		}
	}
	p.Stop() // once more does no harm
}

// zombie reports whether a process has ended and nobody has asked for it.
func zombie(pid int) bool {
	line := read("/proc/" + strconv.Itoa(pid) + "/stat")
	return strings.Contains(line, ") Z ")
}

func TestParseStat(t *testing.T) {
	got, err := parseStat([]byte("42 (a (b) c) S 1 40 40 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 100 1000000 7 18446744073709551615"))
	if err != nil {
		t.Fatal(err)
	}
	want := stat{pid: 42, group: 40, children: 700 * time.Millisecond, resident: 7 * int64(os.Getpagesize())}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for _, line := range []string{"", "42", "42 (x)", "42 (x) S 1 2", "x (y) S 1 40 40 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 100 1000000 7"} {
		if _, err := parseStat([]byte(line)); err == nil {
			t.Errorf("%q was read", line)
		}
	}
}
