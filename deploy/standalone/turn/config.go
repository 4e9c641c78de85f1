package turn

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/parley-rtc/parley/services/config"
)

// minSecret is the least length of the secret, as authsvc has it.
const minSecret = 16

// Config is the section "turn".
type Config struct {
	// Listen is host:port for clients, over UDP and TCP; empty means none.
	Listen string `koanf:"listen"`
	// PublicAddress is the IP address that clients reach the server at, and that
	// relayed traffic comes from; empty: the host of Listen.
	PublicAddress string `koanf:"public_address"`
	// MinPort and MaxPort are the UDP ports that are relayed from; 0 and 0: those
	// that the system gives.
	MinPort int `koanf:"min_port"`
	MaxPort int `koanf:"max_port"`
	// Secret makes and checks credentials; authsvc.turn.secret must be the same.
	Secret config.Secret `koanf:"secret"`
	// Allocations are the most at once, UserAllocations those of one user.
	Allocations     int `koanf:"allocations"`
	UserAllocations int `koanf:"user_allocations"`
	// Connections are the most TCP connections at once.
	Connections int `koanf:"connections"`

	// UDP and TCP, if set, are used instead of Listen, and closed.
	UDP net.PacketConn `koanf:"-"`
	TCP net.Listener   `koanf:"-"`
}

// DefaultConfig listens nowhere. A browser allocates once for each connection,
// network interface and URL.
func DefaultConfig() Config {
	return Config{Allocations: 1024, UserAllocations: 256, Connections: 512}
}

// Validate reports every fault of the section.
func (c Config) Validate() error {
	var faults []error
	fail := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if c.Listen == "" {
		return nil // the rest is of no use
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		fail("listen: is %q, it must be host:port", c.Listen)
	} else if _, err := c.public(); err != nil {
		faults = append(faults, err)
	}
	if c.MinPort < 0 || c.MaxPort > 65535 || c.MinPort > c.MaxPort || (c.MinPort == 0) != (c.MaxPort == 0) {
		fail("min_port: %d to max_port %d is no range of ports; 0 and 0 leave it to the system", c.MinPort, c.MaxPort)
	}
	if n := len(c.Secret.Reveal()); n < minSecret {
		fail("secret: has %d characters, it must have at least %d; make one with: openssl rand -hex 32", n, minSecret)
	}
	for _, one := range []struct {
		key   string
		value int
	}{{"allocations", c.Allocations}, {"user_allocations", c.UserAllocations}, {"connections", c.Connections}} {
		if one.value < 1 {
			fail("%s: is %d, it must be at least 1", one.key, one.value)
		}
	}
	return errors.Join(faults...)
}

// public is the address that clients are told.
func (c Config) public() (netip.Addr, error) {
	text := c.PublicAddress
	if text == "" {
		host, _, err := net.SplitHostPort(c.Listen)
		if err != nil {
			return netip.Addr{}, fmt.Errorf("listen: %w", err)
		}
		if text = host; host == "localhost" {
			text = "127.0.0.1"
		}
	}
	address, err := netip.ParseAddr(text)
	if err != nil || address.IsUnspecified() {
		return address, fmt.Errorf("public_address: %q isn't the IP address of one interface; clients must be told one", text)
	}
	return address.Unmap(), nil
}

// URLs are what clients need to be told (RFC 7064, RFC 7065); nil without a
// server.
func (c Config) URLs() []string {
	public, err := c.public()
	_, port, portErr := net.SplitHostPort(c.Listen)
	if c.Listen == "" || err != nil || portErr != nil {
		return nil
	}
	at := net.JoinHostPort(public.String(), port)
	return []string{"stun:" + at, "turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}
}
