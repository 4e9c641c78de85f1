package turn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// realm is told to clients with the challenge; they use it as it is.
const realm = "parley"

// Run is the server. It returns nil when ctx ended and everything is closed.
// The configuration must be valid and must name an address.
func Run(ctx context.Context, cfg Config) error {
	public, err := cfg.public()
	if err != nil {
		return fmt.Errorf("turn.%w", err)
	}
	if cfg.UDP == nil || cfg.TCP == nil {
		if cfg.UDP, cfg.TCP, err = Listen(ctx, cfg.Listen); err != nil {
			return err
		}
	}
	host, _, err := net.SplitHostPort(cfg.UDP.LocalAddr().String())
	if err != nil {
		return errors.Join(fmt.Errorf("turn.listen: %w", err), cfg.UDP.Close(), cfg.TCP.Close())
	}
	relay := &relays{host: host, public: public, min: cfg.MinPort, max: cfg.MaxPort}
	counts := &quota{most: cfg.Allocations, mostOfUser: cfg.UserAllocations, users: map[string]int{}}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled // it would name addresses
	server, err := turn.NewServer(turn.ServerConfig{
		Realm:         realm,
		AuthHandler:   checker{[]byte(cfg.Secret.Reveal()), time.Now}.check,
		QuotaHandler:  counts.free,
		EventHandler:  turn.EventHandler{OnAllocationCreated: counts.made, OnAllocationDeleted: counts.ended},
		LoggerFactory: quiet,
		PacketConnConfigs: []turn.PacketConnConfig{{
			PacketConn: cfg.UDP, RelayAddressGenerator: relay, PermissionHandler: relay.permits,
		}},
		ListenerConfigs: []turn.ListenerConfig{{
			Listener: newBounded(cfg.TCP, cfg.Connections), RelayAddressGenerator: relay, PermissionHandler: relay.permits,
		}},
	})
	if err != nil {
		return errors.Join(fmt.Errorf("turn: %w", err), cfg.UDP.Close(), cfg.TCP.Close())
	}
	slog.InfoContext(ctx, "turn listens", "address", cfg.UDP.LocalAddr().String())
	<-ctx.Done()
	if err := server.Close(); err != nil {
		return fmt.Errorf("turn: close: %w", err)
	}
	return nil
}

// Listen takes one port for UDP and TCP. Port 0 is any that is free for both.
func Listen(ctx context.Context, address string) (net.PacketConn, net.Listener, error) {
	var config net.ListenConfig
	for try := 0; ; try++ {
		udp, err := config.ListenPacket(ctx, "udp", address)
		if err != nil {
			return nil, nil, fmt.Errorf("listen: %w", err)
		}
		tcp, err := config.Listen(ctx, "tcp", udp.LocalAddr().String())
		if err == nil {
			return udp, tcp, nil
		}
		_ = udp.Close() // it only took the port
		if _, port, _ := net.SplitHostPort(address); port != "0" || try == portTries {
			return nil, nil, fmt.Errorf("listen: %w", err)
		}
	}
}
