package standalone

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/parley-rtc/parley/authsvc"
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
	secret := newSecret()
	if err := os.WriteFile(path, []byte(secret.Reveal()+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("keep %s: %w", name, err)
	}
	return secret, nil
}

func newSecret() config.Secret {
	var raw [32]byte
	rand.Read(raw[:])
	return config.Secret(base64.RawURLEncoding.EncodeToString(raw[:]))
}

// DevDefaults are the defaults that differ in development. On one machine only
// private addresses exist, so the candidate policy is `all`. The signing key is
// one that Develop replaces by the folder's, which isn't known before the
// configuration is read.
func DevDefaults() Config {
	c := DefaultConfig()
	c.Filter.Policy = contract.PolicyAll
	c.Edge.ICEPolicy = contract.PolicyAll
	c.Edge.Origins = []string{"*"}
	c.Auth.SigningKey = newSecret()
	c.temporaryKey = c.Auth.SigningKey
	return c
}

// Develop adds what `parley dev` needs and the user didn't set: an app with an
// API key, and a signing key, both kept in the store folder.
func (c *Config) Develop() error {
	files := Files{c.Standalone.StoreDir}
	if c.Auth.SigningKey == c.temporaryKey {
		key, err := files.SigningKey()
		if err != nil {
			return err
		}
		c.Auth.SigningKey = key
	}
	apiKey, err := files.APIKey()
	if err != nil {
		return err
	}
	c.Auth.Apps = append(c.Auth.Apps, authsvc.App{ID: DevApp, APIKeys: map[string]config.Secret{"dev": apiKey}})
	return nil
}

// portsTried is how many ports after a busy one are tried.
const portsTried = 20

// Listen listens on the address or, if its port is busy, on the next free one
// after it; moved tells.
func Listen(address string) (l net.Listener, moved bool, err error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, false, fmt.Errorf("listen: %w", err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, false, fmt.Errorf("listen on %s: the port must be a number", address)
	}
	for try := range portsTried {
		l, err = net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port+try))) //nolint:noctx // binds at once
		if err == nil {
			return l, try > 0, nil
		}
		if port == 0 || !isBusy(err) {
			break
		}
	}
	return nil, false, fmt.Errorf("listen on %s and the %d ports after it: %w", address, portsTried-1, err)
}
