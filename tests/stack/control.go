package stack

import (
	"path/filepath"
	"syscall"
	"testing"
)

// NATS is the name of the NATS server among a Stack's processes; further ones are
// nats-server-2 and so on. The others are roomsvc-1, roomsvc-2, authsvc (authsvc-2),
// candidatefilter (candidatefilter-2), edge-1, edge-2 and so on.
const NATS = "nats-server"

// Process is one program of a Stack of processes. It must be used by one
// goroutine at a time.
type Process struct {
	Admin string // host:port of its admin listener; of NATS, of its monitoring
	p     *process
}

// Launch starts a program of bin/, or one by its absolute path, which must stop cleanly when the test ends.
func Launch(t testing.TB, program string, environ []string, args ...string) *Process {
	t.Helper()
	return &Process{p: start(t, program, binary(t, program), environ, args...)}
}

// Logs is the end of what the program wrote.
func (p *Process) Logs() string { return p.p.logs.tail() }

// keep remembers a process under a name of its own.
func (s *Stack) keep(name, admin string, p *process) {
	if s.processes == nil {
		s.processes = map[string]*Process{}
	}
	s.processes[name] = &Process{Admin: admin, p: p}
	s.started = append(s.started, name)
}

// Process finds one program of Processes by its name.
func (s *Stack) Process(t testing.TB, name string) *Process {
	t.Helper()
	p := s.processes[name]
	if p == nil {
		t.Fatalf("the stack has no process %q", name)
	}
	return p
}

// Program is the name of its binary.
func (p *Process) Program() string { return p.p.name }

// Stop ends the program by SIGTERM and waits until it has ended.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	p.p.stop(t)
}

// Terminate asks the program to end, by SIGTERM. Wait must follow.
func (p *Process) Terminate(t testing.TB) { p.p.signal(t, syscall.SIGTERM) }

// Wait waits until a program has ended that was asked to.
func (p *Process) Wait(t testing.TB) {
	t.Helper()
	p.p.wait(t)
}

// Kill ends the program by SIGKILL and waits until it has ended.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	p.p.kill(t)
}

// Pause stops the program where it is, by SIGSTOP, until Continue.
func (p *Process) Pause(t testing.TB) { p.p.signal(t, syscall.SIGSTOP) }

// Continue lets a paused program go on.
func (p *Process) Continue(t testing.TB) { p.p.signal(t, syscall.SIGCONT) }

// Use has the program of another folder start the next time.
func (p *Process) Use(folder string) { p.p.path = filepath.Join(folder, p.p.name) }

// Start starts the program again as it was started first, with the same
// addresses and folders. It doesn't wait until the program is ready.
func (p *Process) Start(t testing.TB) {
	t.Helper()
	p.p.start(t)
}

// WaitReady waits until the process says that it is ready.
func (p *Process) WaitReady(t testing.TB) {
	t.Helper()
	page := "/readyz"
	if p.Program() == NATS {
		page = "/healthz"
	}
	waitHealthy(t, "http://"+p.Admin+page)
}
