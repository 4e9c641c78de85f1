//go:build linux

package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/deploy/standalone"
	"github.com/parley-rtc/parley/tests/load/machine"
)

// The sizes.
const (
	nodes  = 3 // of NATS; also the replicas
	edges  = 3
	double = 2 // filters, roomsvcs
	// Shards are those of the log.
	Shards = nodes
)

// The ports; each process has an address of its own.
const (
	natsPort, routePort, monitorPort = ":4222", ":6222", ":8222"
	edgePort, roomsPort, authPort    = ":7420", ":7411", ":7412"
	adminPort                        = ":7421"
)

// Options say what to start.
type Options struct {
	Bin    string        // folder of the programs
	Dir    string        // for logs and stores
	Window time.Duration // of resumes
}

// Cluster is a running Parley. The last edge is not started.
type Cluster struct {
	Processes []*Process
	EdgeURLs  []string
	Tokens    standalone.Tokens
	Rooms     []standalone.Rooms

	nc *nats.Conn
	js jetstream.JetStream
}

// startTimeout bounds a start.
const startTimeout = time.Minute

// Start starts the cluster and waits until it is ready.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	c := &Cluster{}
	if err := c.start(ctx, o); err != nil {
		err = fmt.Errorf("start the cluster: %w", err)
		c.Stop()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o Options) error {
	if err := setUpHub(); err != nil {
		return err
	}
	if err := c.build(o); err != nil {
		return err
	}
	// One roomsvc makes the streams: two that do it at once often wait for an answer in vain, which takes seconds.
	last := len(c.Processes) - 1
	for _, part := range [][]*Process{c.Processes[:nodes], c.Processes[nodes : nodes+1], c.Processes[nodes+1 : last]} {
		for _, p := range part {
			if err := p.Start(); err != nil {
				return err
			}
		}
		if err := c.wait(ctx, c.alive); err != nil {
			return err
		}
	}
	if err := c.connect(); err != nil {
		return err
	}
	return c.WaitHealthy(ctx)
}

// connect lets this process see the streams, through whichever node is there.
func (c *Cluster) connect() error {
	var urls []string
	for _, p := range c.Of(NATS) {
		urls = append(urls, "nats://"+p.Address+natsPort)
	}
	var err error
	c.nc, err = nats.Connect(strings.Join(urls, ","), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
		nats.ReconnectWait(100*time.Millisecond), nats.PingInterval(time.Second), nats.MaxPingsOutstanding(2))
	if err != nil {
		return fmt.Errorf("connect to NATS: %w", err)
	}
	c.js, err = jetstream.New(c.nc)
	return err
}

// Of are the processes of a kind, the ones that don't run too.
func (c *Cluster) Of(kind Kind) []*Process {
	return slices.DeleteFunc(slices.Clone(c.Processes), func(p *Process) bool { return p.Kind != kind })
}

// Stop ends everything: nothing of it is needed any more, so it is killed.
func (c *Cluster) Stop() {
	if c.nc != nil {
		c.nc.Close()
	}
	for _, p := range slices.Backward(c.Processes) {
		if p.Runs() {
			p.Kill()
		}
	}
}

// build makes all processes, in the order in which they start.
func (c *Cluster) build(o Options) error {
	t, err := newTenant()
	if err != nil {
		return err
	}
	var urls, routes []string
	for i := range nodes {
		urls = append(urls, fmt.Sprintf("nats://"+natsFormat, i+1)+natsPort)
		routes = append(routes, fmt.Sprintf("nats://"+natsFormat, i+1)+routePort)
	}
	for i := range nodes {
		name := "nats-" + strconv.Itoa(i+1)
		address := fmt.Sprintf(natsFormat, i+1)
		err := c.add(o, NATS, name, "nats-server", address, nil, "-n", name, "-js", "-sd", filepath.Join(o.Dir, name),
			"-a", address, "-p", natsPort[1:], "-m", monitorPort[1:],
			"--cluster_name", "parley", "--cluster", routes[i], "--routes", strings.Join(routes, ","))
		if err != nil {
			return err
		}
	}
	c.Tokens = standalone.Tokens{URL: "http://" + fmt.Sprintf(otherFormat, authsvcHost) + authPort, APIKey: t.apiKey}
	for _, s := range t.services(o) {
		address := fmt.Sprintf(otherFormat, s.host)
		environ := append(s.environ(address), "PARLEY_NATS__URL="+strings.Join(urls, ","), "PARLEY_ADMIN__LISTEN="+address+adminPort)
		switch s.kind {
		case Edge:
			c.EdgeURLs = append(c.EdgeURLs, "ws://"+address+edgePort+"/v1/ws")
		case Roomsvc:
			c.Rooms = append(c.Rooms, standalone.Rooms{URL: "http://" + address + roomsPort, APIKey: t.apiKey})
		case NATS, Filter, Authsvc:
		}
		if err := c.add(o, s.kind, s.name, s.program, address, environ); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) add(o Options, kind Kind, name, program, address string, environ []string, args ...string) error {
	path := filepath.Join(o.Bin, program)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%s isn't there: run `make build` first", path)
	}
	network, err := newNamespace(len(c.Processes), address)
	if err != nil {
		return err
	}
	c.Processes = append(c.Processes, &Process{
		Name: name, Kind: kind, Address: address, network: network,
		command: machine.Command{Dir: o.Dir, Environ: append(plainEnviron(), environ...), Program: path, Args: args},
	})
	return nil
}

// plainEnviron is this process's environment without what configures Parley or its
// tracing.
func plainEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(one string) bool {
		return strings.HasPrefix(one, "PARLEY_") || strings.HasPrefix(one, "OTEL_")
	})
}
