//go:build linux

package machine

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stopTimeout is how long a process may take to end after SIGTERM; then it is
// killed.
const stopTimeout = 5 * time.Second

// tailBytes is how much of a log an error shows.
const tailBytes = 2 << 10

// Process is a running program, the leader of a process group of its own.
type Process struct {
	Name string

	cmd   *exec.Cmd
	log   *os.File
	ended chan struct{} // closed when the leader has ended; cmd.ProcessState says how
}

// Command says what to start.
type Command struct {
	Name    string   // among the processes of a system, for people
	Dir     string   // its log is written there, as Name.log
	Environ []string // all of it
	Program string
	Args    []string
	Thread  *Thread // that starts it; nil: one of this package
}

// Start starts a program. Its output goes to its log.
func Start(c Command) (*Process, error) {
	log, err := os.Create(filepath.Join(c.Dir, c.Name+".log"))
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	cmd := exec.Command(c.Program, c.Args...) //nolint:noctx // Stop ends it, with all that it started
	cmd.Env, cmd.Stdout, cmd.Stderr = c.Environ, log, log
	// If this process is killed nobody is left to stop what it started.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	thread := c.Thread
	if thread == nil {
		thread = starter()
	}
	if err := thread.start(cmd); err != nil {
		_ = log.Close() // nothing is in it
		return nil, fmt.Errorf("start %s: %w", c.Name, err)
	}
	p := &Process{Name: c.Name, cmd: cmd, log: log, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // ProcessState has it, too
		close(p.ended)
	}()
	return p, nil
}

// Ended is closed when the program has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Failure tells of a program that has ended why it didn't end well, nil if it did.
func (p *Process) Failure() error {
	if state := p.cmd.ProcessState; !state.Success() {
		return fmt.Errorf("%s: %s", p.Name, state)
	}
	return nil
}

// Tail is the end of the program's log.
func (p *Process) Tail() string {
	text, err := os.ReadFile(p.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-tailBytes):])
}

// Stop ends the program and everything in its group, and waits for it. It may be
// called again.
func (p *Process) Stop() {
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
	}
	p.Signal(syscall.SIGKILL) // whatever is left of the group
	<-p.ended
	_ = p.log.Close() // nobody writes to it any more
}

// Signal signals the program and everything in its group. A group without
// processes is no fault.
func (p *Process) Signal(s syscall.Signal) {
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		_ = p.cmd.Process.Kill() // the leader at least
	}
}
