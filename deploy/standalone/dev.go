package standalone

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/deploy/standalone/turn"
	"github.com/parley-rtc/parley/edge/demo"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

// DevApp is the app of `parley dev`.
const DevApp = "dev"

// Files are the secrets that `parley dev` keeps in its folder over restarts.
type Files struct{ Dir string }

// SigningKey returns the folder's signing key, made at random the first time.
func (f Files) SigningKey() (config.Secret, error) { return f.secret("signing.key") }

// APIKey returns the API key of DevApp, made at random the first time.
func (f Files) APIKey() (config.Secret, error) { return f.secret("api.key") }

// TURNSecret returns the secret of the folder's TURN server, made at random the
// first time.
func (f Files) TURNSecret() (config.Secret, error) { return f.secret("turn.secret") }

// secret reads 32 random bytes as base64url from a file, or makes them.
func (f Files) secret(name string) (config.Secret, error) {
	path := filepath.Join(f.Dir, name)
	text, err := os.ReadFile(path)
	if err == nil {
		return config.Secret(strings.TrimSpace(string(text))), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("read %s: %w", name, err)
	}
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return "", fmt.Errorf("make the folder for %s: %w", name, err)
	}
	secret := config.NewSecret()
	if err := os.WriteFile(path, []byte(secret.Reveal()+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep %s: %w", name, err)
	}
	return secret, nil
}

// devEdges is how many edges development has: what works between two works
// between any. devDrainTimeout is shorter than in production, where nobody
// waits for a terminal.
const (
	devEdges        = 2
	devDrainTimeout = time.Second
)

// DevDefaults are the defaults that differ in development. On one machine only
// private addresses exist, so the candidate policy is `all`. The signing key and
// the TURN secret are such that Develop replaces by the folder's, which isn't
// known before the configuration is read.
func DevDefaults() Config {
	c := DefaultConfig()
	c.Filter.Policy = contract.PolicyAll
	c.Edge.ICEPolicy = contract.PolicyAll
	c.Edge.Origins = []string{"*"}
	c.Edge.DrainTimeout = devDrainTimeout
	c.Standalone.Edges = devEdges
	c.Log.Level = "warn" // the greeting says what is to be known
	c.Auth.SigningKey = config.NewSecret()
	c.temporaryKey = c.Auth.SigningKey
	c.TURN.Listen = "127.0.0.1:3478"
	c.TURN.Secret = config.NewSecret()
	c.temporaryTURN = c.TURN.Secret
	return c
}

// Develop adds what `parley dev` needs and the user didn't set: an app with an
// API key, a signing key and a TURN secret, all kept in the store folder; and a
// front with the demo page and development tokens, also for pages of the named
// hosts.
func (c *Config) Develop(hosts ...string) error {
	files := Files{c.Standalone.StoreDir}
	if c.Auth.SigningKey == c.temporaryKey {
		key, err := files.SigningKey()
		if err != nil {
			return err
		}
		c.Auth.SigningKey = key
	}
	if c.TURN.Secret == c.temporaryTURN {
		secret, err := files.TURNSecret()
		if err != nil {
			return err
		}
		c.TURN.Secret = secret
	}
	apiKey, err := files.APIKey()
	if err != nil {
		return err
	}
	c.Auth.Apps = append(c.Auth.Apps, authsvc.App{ID: DevApp, APIKeys: map[string]config.Secret{"dev": apiKey}})
	c.Front = &Front{Page: demo.Handler()}
	c.Front.DevToken = &DevToken{Tokens: c.Front, APIKey: apiKey, Hosts: hosts}
	return nil
}

// portsTried is how many ports after a busy one are tried.
const portsTried = 20

// Listen listens on the address or, if its port is busy, on the next free one
// after it; moved tells.
func Listen(address string) (l net.Listener, moved bool, err error) {
	moved, err = nextFree(address, func(at string) (err error) {
		l, err = net.Listen("tcp", at) //nolint:noctx // binds at once
		return err
	})
	return l, moved, err
}

// ListenTURN is Listen for a port of both UDP and TCP.
func ListenTURN(ctx context.Context, address string) (udp net.PacketConn, tcp net.Listener, moved bool, err error) {
	moved, err = nextFree(address, func(at string) (err error) {
		udp, tcp, err = turn.Listen(ctx, at)
		return err
	})
	return udp, tcp, moved, err
}

// nextFree calls listen with the address and then with the ports after it, for
// as long as they are busy.
func nextFree(address string, listen func(address string) error) (moved bool, err error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return false, fmt.Errorf("listen: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return false, fmt.Errorf("listen on %s: the port must be a number", address)
	}
	for try := range portsTried {
		if err = listen(net.JoinHostPort(host, strconv.Itoa(port+try))); err == nil {
			return try > 0, nil
		}
		if port == 0 || !isBusy(err) {
			break
		}
	}
	return false, fmt.Errorf("listen on %s and the %d ports after it: %w", address, portsTried-1, err)
}
