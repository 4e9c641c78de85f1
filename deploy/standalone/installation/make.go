package installation

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-rtc/parley/services/config"
)

const (
	// secretsFolder is below the folder of the installation.
	secretsFolder = "secrets"
	// folderMode keeps other users of the host out of the folder with the secrets.
	folderMode = 0o700
	// fileMode lets the users of containers read what is mounted into theirs: a
	// file that compose mounts keeps its owner and mode, and the user of a
	// container isn't the one who made it.
	fileMode = 0o644
)

// Options say what to make.
type Options struct {
	// Dir is the folder of the installation, the one with compose.yaml.
	Dir string
	// Host is the name or address by which clients reach it.
	Host string
}

// Make makes the files that are missing and returns them, by their paths below
// o.Dir.
func Make(o Options) (made []string, err error) {
	if err := checkHost(o.Host); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(o.Dir, secretsFolder), folderMode); err != nil {
		return nil, fmt.Errorf("make the folder for secrets: %w", err)
	}
	m := &maker{dir: o.Dir}
	for _, name := range []string{"signing_key", "api_key", "turn_secret"} {
		m.secret(name)
	}
	m.nats()
	m.file(".env", func() (string, error) { return settings(o.Host), nil })
	return m.made, m.err
}

// checkHost wants what stands between :// and : in a URL.
func checkHost(host string) error {
	if host == "" || strings.ContainsAny(host, " /@?#\t\n'\"$") {
		return fmt.Errorf("the host is %q, it must be a name or an IP address, as in localhost or signal.example.org", host)
	}
	return nil
}

// maker makes files until one can't be made.
type maker struct {
	dir  string
	made []string
	err  error
}

// file makes a file that isn't there, and reports whether it did.
func (m *maker) file(name string, content func() (string, error)) bool {
	if m.err != nil {
		return false
	}
	path := filepath.Join(m.dir, name)
	_, err := os.Stat(path)
	if err == nil {
		return false
	}
	if !errors.Is(err, fs.ErrNotExist) {
		m.err = fmt.Errorf("look for %s: %w", name, err)
		return false
	}
	text, err := content()
	if err == nil {
		err = writeWhole(path, text)
	}
	if err != nil {
		m.err = fmt.Errorf("make %s: %w", name, err)
		return false
	}
	m.made = append(m.made, name)
	return true
}

// forget removes a file that was made from a secret that is no more.
func (m *maker) forget(name string) {
	if err := os.Remove(filepath.Join(m.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) && m.err == nil {
		m.err = fmt.Errorf("remove what was made from an old secret: %w", err)
	}
}

// writeWhole writes a file that is never seen half, and gives it its mode
// whatever the umask says.
func writeWhole(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // it was renamed, or is of no use
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Chmod(fileMode), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// secret returns a secret of the installation, and reports whether it is new.
func (m *maker) secret(name string) (value config.Secret, fresh bool) {
	path := filepath.Join(secretsFolder, name)
	fresh = m.file(path, func() (string, error) { return config.NewSecret().Reveal() + "\n", nil })
	if m.err != nil {
		return "", false
	}
	text, err := os.ReadFile(filepath.Join(m.dir, path))
	if err != nil {
		m.err = fmt.Errorf("read %s: %w", path, err)
		return "", false
	}
	return config.Secret(bytes.TrimSpace(text)), fresh
}
