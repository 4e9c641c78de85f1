package embednats

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// readyTimeout bounds the start, most of which is JetStream reading its files.
const readyTimeout = 30 * time.Second

// readyStep is how often a fault is looked for meanwhile.
const readyStep = 50 * time.Millisecond

// Config describes the server.
type Config struct {
	// Name is the server's name; empty gives a random one.
	Name string
	// StoreDir is where JetStream keeps its files. It must be set.
	StoreDir string
	// Listen is host:port for clients over TCP; empty means none, and port -1
	// a free one.
	Listen string
	// MaxMemory and MaxStore bound JetStream's memory and files, in bytes; 0
	// leaves it to the server.
	MaxMemory int64
	MaxStore  int64
	// SyncInterval is the time between fsyncs of the files; 0 is the server's
	// own (2 min), less than 0 is after each write.
	SyncInterval time.Duration
}

// Server is a running NATS server.
type Server struct {
	server   *server.Server
	config   Config
	stopping sync.Once
}

// Start starts a server and waits until it takes connections.
func Start(cfg Config) (*Server, error) {
	options, err := cfg.options()
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	ns, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	log := &serverLog{}
	ns.SetLoggerV2(log, log.debug(), false, false)
	s := &Server{server: ns, config: cfg}
	ns.Start()
	if err := s.awaitReady(log); err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	if addr, ok := ns.Addr().(*net.TCPAddr); ok {
		s.config.Listen = net.JoinHostPort(options.Host, strconv.Itoa(addr.Port))
	}
	return s, nil
}

// awaitReady looks at the log too, since the server tells of a fault that ends
// its start nowhere else.
func (s *Server) awaitReady(log *serverLog) error {
	for deadline := time.Now().Add(readyTimeout); ; {
		if err := log.fatal(); err != nil {
			return err
		}
		if s.server.ReadyForConnections(readyStep) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready after %v", readyTimeout)
		}
	}
}

func (c Config) options() (*server.Options, error) {
	if c.StoreDir == "" {
		return nil, errors.New("a folder for JetStream's files must be set")
	}
	options := &server.Options{
		ServerName:         c.Name,
		DontListen:         c.Listen == "",
		NoSigs:             true,
		JetStream:          true,
		StoreDir:           c.StoreDir,
		JetStreamMaxMemory: c.MaxMemory,
		JetStreamMaxStore:  c.MaxStore,
		SyncInterval:       max(c.SyncInterval, 0),
		SyncAlways:         c.SyncInterval < 0,
	}
	if c.Listen != "" {
		host, port, err := net.SplitHostPort(c.Listen)
		if err != nil {
			return nil, fmt.Errorf("listen address: %w", err)
		}
		if options.Port, err = strconv.Atoi(port); err != nil {
			return nil, fmt.Errorf("listen address %s: the port must be a number", c.Listen)
		}
		options.Host = host
	}
	return options, nil
}

// InProcess is the option that makes a connection through memory, whatever
// address the connection names.
func (s *Server) InProcess() nats.Option { return nats.InProcessServer(s.server) }

// Connect makes an in-process connection. The caller closes it.
func (s *Server) Connect(name string, opts ...nats.Option) (*nats.Conn, error) {
	nc, err := nats.Connect("", append([]nats.Option{s.InProcess(), nats.Name(name)}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to embedded NATS: %w", err)
	}
	return nc, nil
}

// ClientURL is the address for clients over TCP, "" without a listener.
func (s *Server) ClientURL() string {
	if s.config.Listen == "" {
		return ""
	}
	return s.server.ClientURL()
}

// Config returns what the server was started with; a port that was chosen
// freely stands in it.
func (s *Server) Config() Config { return s.config }

// Shutdown stops the server and returns when it has stopped. Its files stay.
func (s *Server) Shutdown() {
	s.stopping.Do(s.server.Shutdown)
	s.server.WaitForShutdown()
}
