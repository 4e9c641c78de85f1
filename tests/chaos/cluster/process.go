//go:build linux

package cluster

import (
	"fmt"
	"syscall"

	"github.com/parley-rtc/parley/tests/chaos/schedule"
	"github.com/parley-rtc/parley/tests/load/machine"
)

// Kind is what a process is.
type Kind string

// The kinds.
const (
	NATS    Kind = "nats"
	Edge    Kind = "edge"
	Filter  Kind = "filter"
	Roomsvc Kind = "roomsvc"
	Authsvc Kind = "authsvc"
)

// Process is one process of the cluster, running or not. Only one goroutine may use
// it at a time.
type Process struct {
	Name    string
	Kind    Kind
	Address string // without a port

	network *namespace
	command machine.Command
	running *machine.Process // nil: it doesn't run
	starts  int
}

// Start starts the program, also again. Each life has a log of its own.
func (p *Process) Start() error {
	p.starts++
	c := p.command
	c.Name, c.Thread = fmt.Sprintf("%s.%d", p.Name, p.starts), p.network.thread
	running, err := machine.Start(c)
	p.running = running
	return err
}

// Runs reports whether it was started and not killed; it may have ended.
func (p *Process) Runs() bool { return p.running != nil }

// Ended reports whether the program ended although nobody wanted it to.
func (p *Process) Ended() bool {
	if p.running == nil {
		return false
	}
	select {
	case <-p.running.Ended():
		return true
	default:
		return false
	}
}

// Kill ends it at once.
func (p *Process) Kill() {
	p.running.Signal(syscall.SIGKILL)
	<-p.running.Ended()
	p.running.Stop() // what is left of it: its log
	p.running = nil
}

// Pause stops its clock, Continue lets it go on.
func (p *Process) Pause() { p.running.Signal(syscall.SIGSTOP) }

// Continue ends a Pause.
func (p *Process) Continue() { p.running.Signal(syscall.SIGCONT) }

// CutOff drops packets from, to, or from and to it; of NATS nodes only, if natsOnly.
func (p *Process) CutOff(d schedule.Direction, natsOnly bool) error {
	return p.network.cutOff(d, natsOnly)
}

// Heal ends a CutOff.
func (p *Process) Heal() error { return p.network.heal() }

// Slow narrows its link to 2 Mbit/s.
func (p *Process) Slow() error { return p.network.slow() }

// Fast ends a Slow.
func (p *Process) Fast() error { return p.network.fast() }
