package edge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/parley-rtc/parley/edge/internal/upgrade"
	"github.com/parley-rtc/parley/services/contract"
)

// Config is the section "edge".
type Config struct {
	// Name is the first part of the process's id.
	Name string `koanf:"name"`
	// Listen is host:port for clients.
	Listen string `koanf:"listen"`
	// Origins are the exact origins (scheme://host[:port]) of pages that may
	// connect; "*" lets every page in. Pages of the edge's own host always may.
	Origins []string `koanf:"origins"`
	// Issuer, if set, must be the `iss` of every token.
	Issuer string `koanf:"issuer"`
	// ICEServers are told to every joiner.
	ICEServers []contract.ICEServer `koanf:"ice_servers"`
	// ICEPolicy is what clients are told the filter applies; it must be the
	// filter's own setting.
	ICEPolicy contract.Policy `koanf:"ice_policy"`
	// Limits bound each connection.
	Limits contract.Limits `koanf:"limits"`
	// HelloTimeout and RoomTimeout are how long a connection may be without
	// hello, and without any room.
	HelloTimeout time.Duration `koanf:"hello_timeout"`
	RoomTimeout  time.Duration `koanf:"room_timeout"`
	// PingInterval is the time between pings; a connection is dead after two
	// missed ones.
	PingInterval time.Duration `koanf:"ping_interval"`
	// ResumeWindow is how long a session outlives its socket.
	ResumeWindow time.Duration `koanf:"resume_window"`
	// RecordRefresh is the age at which the record of a member is written again;
	// their bucket keeps them for 24 h.
	RecordRefresh time.Duration `koanf:"record_refresh"`
	// RequestTimeout is how long a join or another room change may take.
	RequestTimeout time.Duration `koanf:"request_timeout"`
	// DrainTimeout is the most that a stopping edge takes to have its clients
	// move to another one.
	DrainTimeout time.Duration `koanf:"drain_timeout"`
	// Gather is the longest that a busy edge waits before it reads its sockets
	// again; an idle one reads at once.
	Gather time.Duration `koanf:"gather"`

	// Listener, if set, is used instead of Listen.
	Listener net.Listener `koanf:"-"`
	// Serve, if set, is used instead of any listening: it must serve the handler
	// of an edge with this id until ctx ends. Requests that it still passes on
	// then are refused.
	Serve func(ctx context.Context, id contract.Token, h http.Handler) error `koanf:"-"`
}

// DefaultConfig is a closed door on the loopback interface: no page of another
// origin may connect.
func DefaultConfig() Config {
	return Config{
		Name:           "edge",
		Listen:         "127.0.0.1:7420",
		ICEPolicy:      contract.PolicyPublic,
		Limits:         contract.DefaultLimits(),
		HelloTimeout:   5 * time.Second,
		RoomTimeout:    10 * time.Second,
		PingInterval:   20 * time.Second,
		ResumeWindow:   60 * time.Second,
		RecordRefresh:  6 * time.Hour,
		RequestTimeout: 30 * time.Second,
		DrainTimeout:   10 * time.Second,
		Gather:         5 * time.Millisecond,
	}
}

// Validate reports every fault of the section.
func (c Config) Validate() error {
	var faults []error
	if _, err := contract.NewProcessID(c.Name); err != nil {
		faults = append(faults, fmt.Errorf("name: %w", err))
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		faults = append(faults, fmt.Errorf("listen is %q, it must be host:port", c.Listen))
	}
	for _, origin := range c.Origins {
		if err := upgrade.ValidOrigin(origin); err != nil {
			faults = append(faults, fmt.Errorf("origins: %w", err))
		}
	}
	for i, server := range c.ICEServers {
		if len(server.URLs) == 0 {
			faults = append(faults, fmt.Errorf("ice_servers[%d].urls is empty", i))
		}
	}
	if _, err := contract.ParsePolicy(string(c.ICEPolicy)); err != nil {
		faults = append(faults, fmt.Errorf("ice_policy: %w", err))
	}
	if err := c.Limits.Validate(); err != nil {
		faults = append(faults, fmt.Errorf("limits: %w", err))
	}
	for _, one := range []struct {
		key          string
		value, least time.Duration
	}{
		{"hello_timeout", c.HelloTimeout, 100 * time.Millisecond},
		{"room_timeout", c.RoomTimeout, 100 * time.Millisecond},
		{"ping_interval", c.PingInterval, 100 * time.Millisecond},
		{"resume_window", c.ResumeWindow, 0},
		{"record_refresh", c.RecordRefresh, time.Second},
		{"request_timeout", c.RequestTimeout, time.Second},
		{"drain_timeout", c.DrainTimeout, 0},
		{"gather", c.Gather, 0},
	} {
		if one.value < one.least {
			faults = append(faults, fmt.Errorf("%s is %s, it must be at least %s", one.key, one.value, one.least))
		}
	}
	return errors.Join(faults...)
}
