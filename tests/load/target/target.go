//go:build linux

package target

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/parley-rtc/parley/tests/load/dialect"
	"github.com/parley-rtc/parley/tests/load/machine"
)

// Name is a kind of system.
type Name string

// The systems.
const (
	Standalone    Name = "standalone"
	Distributed   Name = "distributed"
	DistributedR3 Name = "distributed-r3"
	Traced        Name = "distributed-traced"
	TracedAll     Name = "distributed-traced-all"
	WS            Name = "ws"
	SocketIO      Name = "socketio"
	SocketIORedis Name = "socketio-redis"
	PeerJS        Name = "peerjs"
)

// Titles says what each system is, for people.
var Titles = map[Name]string{
	Standalone:    "Parley, one process",
	Distributed:   "Parley, two edges",
	DistributedR3: "Parley, three replicas",
	Traced:        "Parley, 1 % traced",
	TracedAll:     "Parley, all traced",
	WS:            "ws",
	SocketIO:      "Socket.IO",
	SocketIORedis: "Socket.IO, two servers + Redis",
	PeerJS:        "PeerJS server",
}

// starters start the systems.
var starters = map[Name]func(ctx context.Context, s *System) error{
	Standalone:    startStandalone,
	Distributed:   distributed(1, 2),
	DistributedR3: distributed(3, 2),
	Traced:        traced("0.01"), // as deploy/compose has it
	TracedAll:     traced("1"),
	WS:            func(ctx context.Context, s *System) error { return startNode(ctx, s, dialect.Raw{}, "ws.js") },
	SocketIO: func(ctx context.Context, s *System) error {
		return startNode(ctx, s, dialect.SocketIO{}, "socketio.js")
	},
	SocketIORedis: startSocketIORedis,
	PeerJS:        func(ctx context.Context, s *System) error { return startNode(ctx, s, dialect.PeerJS{}, "peerjs.js") },
}

func distributed(servers, edges int) func(ctx context.Context, s *System) error {
	return func(ctx context.Context, s *System) error { return startDistributed(ctx, s, servers, edges) }
}

// Parse reads a name.
func Parse(text string) (Name, error) {
	name := Name(text)
	if starters[name] == nil {
		return "", fmt.Errorf("there is no target %q, only standalone, distributed, distributed-r3, distributed-traced, "+
			"distributed-traced-all, ws, socketio, socketio-redis and peerjs", text)
	}
	return name, nil
}

// Folders say where the programs are.
type Folders struct {
	Bin   string // what `make build` makes
	Peers string // tests/load/peers, with its node_modules
}

// System is a running system.
type System struct {
	Name    Name
	Dialect dialect.Dialect
	Bases   []string // ws://host:port of each door
	// Token makes a room token; nil: the system wants none.
	Token func(room, identity string) (string, error)

	folders  Folders
	dir      string   // of logs and stores
	environ  []string // of what is started from now on
	programs []*machine.Process
}

// startTimeout bounds a start.
const startTimeout = time.Minute

// Start starts a system and waits until it takes connections.
func Start(ctx context.Context, name Name, folders Folders) (*System, error) {
	return start(ctx, name, folders, starters[name])
}

// StartEdges starts Parley's services with so many edges, over so many NATS servers.
func StartEdges(ctx context.Context, servers, edges int, folders Folders) (*System, error) {
	return start(ctx, Distributed, folders, distributed(servers, edges))
}

func start(ctx context.Context, name Name, folders Folders, starter func(ctx context.Context, s *System) error) (*System, error) {
	dir, err := os.MkdirTemp("", "parley-bench-")
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	s := &System{Name: name, folders: folders, dir: dir}
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := starter(ctx, s); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), s.Stop())
	}
	return s, nil
}

// Stop ends all processes, the youngest first, and removes their files.
func (s *System) Stop() error {
	for i := len(s.programs) - 1; i >= 0; i-- {
		s.programs[i].Stop()
	}
	s.programs = nil
	return os.RemoveAll(s.dir)
}

// Kill ends a process without a word.
func (s *System) Kill(name string) error {
	p, err := s.signal(name, syscall.SIGKILL)
	if err == nil {
		<-p.Ended()
	}
	return err
}

// Terminate asks a process to end.
func (s *System) Terminate(name string) (*machine.Process, error) {
	return s.signal(name, syscall.SIGTERM)
}

func (s *System) signal(name string, sig syscall.Signal) (*machine.Process, error) {
	for _, p := range s.programs {
		if p.Name == name {
			p.Signal(sig)
			return p, nil
		}
	}
	return nil, fmt.Errorf("%v for %s: there is no such process", sig, name)
}

// CPU is the processor time that each process and its children have used so far.
func (s *System) CPU() (map[string]time.Duration, error) {
	used := map[string]time.Duration{}
	for _, p := range s.programs {
		cpu, err := p.CPU()
		if err != nil {
			return nil, err
		}
		used[p.Name] = cpu
	}
	return used, nil
}

// Resident is the resident memory of each process and its children, in bytes.
func (s *System) Resident() (map[string]int64, error) {
	held := map[string]int64{}
	for _, p := range s.programs {
		bytes, err := p.Resident()
		if err != nil {
			return nil, err
		}
		held[p.Name] = bytes
	}
	return held, nil
}

// Logs are the ends of all logs, for an error.
func (s *System) Logs() string {
	var text strings.Builder
	for _, p := range s.programs {
		if tail := strings.TrimSpace(p.Tail()); tail != "" {
			fmt.Fprintf(&text, "--- %s\n%s\n", p.Name, tail)
		}
	}
	return text.String()
}

// run starts one of the system's programs.
func (s *System) run(name, program string, environ []string, args ...string) error {
	p, err := machine.Start(machine.Command{
		Name: name, Dir: s.dir, Environ: slices.Concat(cleanEnviron(), s.environ, environ), Program: program, Args: args,
	})
	if err != nil {
		return err
	}
	s.programs = append(s.programs, p)
	return nil
}

// accepting waits until something listens on an address.
func (s *System) accepting(ctx context.Context, address string) error {
	return machine.Poll(ctx, s.programs, func(ctx context.Context) error { return machine.Accepts(ctx, address) })
}

// addresses are n free ones.
func addresses(n int) ([]string, error) {
	var all []string
	for range n {
		address, err := machine.FreeAddress()
		if err != nil {
			return nil, err
		}
		all = append(all, address)
	}
	return all, nil
}

// cleanEnviron is this process's environment without what configures Parley, its
// tracing or a run-time.
func cleanEnviron() []string {
	var environ []string
	for _, one := range os.Environ() {
		name, _, _ := strings.Cut(one, "=")
		if strings.HasPrefix(name, "PARLEY_") || strings.HasPrefix(name, "OTEL_") || strings.HasPrefix(name, "NODE_") ||
			name == "GOGC" || name == "GOMEMLIMIT" || name == "GOMAXPROCS" || name == "GODEBUG" {
			continue
		}
		environ = append(environ, one)
	}
	return environ
}
