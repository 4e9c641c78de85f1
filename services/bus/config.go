package bus

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/parley-rtc/parley/services/config"
)

// Config is the section "nats".
type Config struct {
	// URL lists the servers, separated by commas: nats://host:4222 or tls://.
	URL string `koanf:"url"`
	// User and Password sign in by name.
	User     string        `koanf:"user"`
	Password config.Secret `koanf:"password"`
	// CredsFile is the path of a file with a user's JWT and seed.
	CredsFile string `koanf:"creds_file"`
	// CAFile, CertFile and KeyFile are PEM files for TLS: who is trusted
	// beside the system's roots, and the client's own certificate and key.
	CAFile   string `koanf:"ca_file"`
	CertFile string `koanf:"cert_file"`
	KeyFile  string `koanf:"key_file"`
	// ConnectTimeout is the most that one attempt to connect may take.
	ConnectTimeout time.Duration `koanf:"connect_timeout"`
	// PingInterval is the time between pings; two missed ones end a connection.
	PingInterval time.Duration `koanf:"ping_interval"`
	// DrainTimeout is the most that draining a connection may take.
	DrainTimeout time.Duration `koanf:"drain_timeout"`
	// Waiting, if not nil, is told after each attempt to connect for the first
	// time why it failed.
	Waiting func(why error) `koanf:"-"`
}

// DefaultConfig is a server on this machine. The pings notice a partition
// after 10 to 15 s; the library's own 2 min would leave it for 6.
func DefaultConfig() Config {
	return Config{
		URL:            "nats://127.0.0.1:4222",
		ConnectTimeout: 2 * time.Second,
		PingInterval:   5 * time.Second,
		DrainTimeout:   10 * time.Second,
	}
}

// Validate reports every fault of the section.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	for server := range strings.SplitSeq(c.URL, ",") {
		if u, err := url.Parse(strings.TrimSpace(server)); err != nil || u.Host == "" {
			fault("url: must be a list of nats://host:port, separated by commas")
			break
		}
	}
	if c.User == "" && c.Password != "" {
		fault("password: needs nats.user")
	}
	if c.User != "" && c.Password == "" {
		fault("password: missing: nats.user needs one, in password or the file that password_file names")
	}
	if c.User != "" && c.CredsFile != "" {
		fault("creds_file: leave it out or nats.user, one of the two signs in")
	}
	if (c.CertFile == "") != (c.KeyFile == "") {
		fault("cert_file: is of use only together with nats.key_file")
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{{"connect_timeout", c.ConnectTimeout}, {"ping_interval", c.PingInterval}, {"drain_timeout", c.DrainTimeout}} {
		if d.value <= 0 {
			fault("%s: must be more than 0s, got %v", d.key, d.value)
		}
	}
	return errors.Join(faults...)
}
