package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	// readyTimeout is how long `parley dev` may take to greet, stopTimeout how long to end when it is asked to.
	readyTimeout = 30 * time.Second
	stopTimeout  = 10 * time.Second
)

// anywhere lets `parley dev` listen wherever there is room.
var anywhere = []string{"--edge.listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0", "--turn.listen", "127.0.0.1:0", "--log.level", "warn"}

// Parley is a running `parley dev`.
type Parley struct {
	// URL is its public address, which serves the page.
	URL string `json:"url"`
	// Edges are the ids of its edges.
	Edges []string `json:"edges"`

	dir   string
	cmd   *exec.Cmd
	logs  bytes.Buffer // read after ended
	ended chan error
}

// Binary is the path of the program: $PARLEY_BIN, or what `make build` made, seen from the folder `repository`.
func Binary(repository string) (string, error) {
	path := os.Getenv("PARLEY_BIN")
	if path == "" {
		path = filepath.Join(repository, "bin", "parley")
	}
	path, err := filepath.Abs(path)
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return "", fmt.Errorf("parley isn't built: run make build (%w)", err)
	}
	return path, nil
}

// StartParley runs `parley dev` in a folder that is its own, and waits until it greets. Stop ends it.
func StartParley(binary, dir string, args ...string) (*Parley, error) {
	p := &Parley{dir: dir, ended: make(chan error, 1)}
	p.cmd = exec.CommandContext(context.Background(), binary, append(append([]string{"dev"}, anywhere...), args...)...)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = dir, cleanEnviron(), &p.logs
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start parley dev: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start parley dev: %w", err)
	}
	greeting := make(chan []byte, 1)
	go func() {
		scanner := bufio.NewScanner(out)
		scanner.Scan() // nothing: it ended, and its log says why
		greeting <- bytes.Clone(scanner.Bytes())
		for scanner.Scan() {
			continue // it must never wait for a reader
		}
		p.ended <- p.cmd.Wait()
	}()
	select {
	case line := <-greeting:
		err = json.Unmarshal(line, p)
	case <-time.After(readyTimeout):
		err = errors.New("it does not greet")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start parley dev: %w", err), p.Stop())
	}
	return p, nil
}

// APIKey is the key of the app `dev`, for the Server API.
func (p *Parley) APIKey() (string, error) {
	key, err := os.ReadFile(filepath.Join(p.dir, ".parley", "api.key"))
	return strings.TrimSpace(string(key)), err
}

// Stop asks it to end and waits until it has. The error holds its log.
func (p *Parley) Stop() error {
	late := time.AfterFunc(stopTimeout, func() { _ = p.cmd.Process.Signal(syscall.SIGQUIT) }) // with its goroutines on stderr
	_ = p.cmd.Process.Signal(os.Interrupt)                                                    // it may have ended already
	err := <-p.ended
	if !late.Stop() {
		err = errors.Join(err, fmt.Errorf("it took over %v", stopTimeout))
	}
	if err != nil {
		return fmt.Errorf("parley dev didn't end well: %w; it logged:\n%s", err, &p.logs)
	}
	return nil
}

// cleanEnviron is this process's environment without what configures Parley or its tracing.
func cleanEnviron() []string {
	var environ []string
	for _, one := range os.Environ() {
		if !strings.HasPrefix(one, "PARLEY_") && !strings.HasPrefix(one, "OTEL_") {
			environ = append(environ, one)
		}
	}
	return environ
}
