//go:build linux

package target

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/parley-rtc/parley/tests/load/dialect"
)

// startNode starts one of the servers in peers.
func startNode(ctx context.Context, s *System, d dialect.Dialect, script string) error {
	s.Dialect = d
	return s.node(ctx, "node", script)
}

// startSocketIORedis starts two Socket.IO servers with a Redis between them.
func startSocketIORedis(ctx context.Context, s *System) error {
	s.Dialect = dialect.SocketIO{}
	program, err := redisServer()
	if err != nil {
		return err
	}
	address, err := addresses(1)
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(address[0])
	if err != nil {
		return err
	}
	if err := s.run("redis-server", program, nil,
		"--bind", host, "--port", port, "--save", "", "--appendonly", "no", "--dir", s.dir); err != nil {
		return err
	}
	if err := s.accepting(ctx, address[0]); err != nil {
		return err
	}
	for i := range 2 {
		if err := s.node(ctx, fmt.Sprintf("node-%d", i+1), "socketio.js", "redis://"+address[0]); err != nil {
			return err
		}
	}
	return nil
}

// node starts a script on a port of its own and waits for it.
func (s *System) node(ctx context.Context, name, script string, args ...string) error {
	program, err := exec.LookPath("node")
	if err != nil {
		return errors.New("the servers to compare with need Node 20: https://nodejs.org")
	}
	if _, err := os.Stat(filepath.Join(s.folders.Peers, "node_modules")); err != nil {
		return fmt.Errorf("the servers to compare with aren't installed: npm ci --prefix %s", s.folders.Peers)
	}
	address, err := addresses(1)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(address[0])
	if err != nil {
		return err
	}
	args = append([]string{filepath.Join(s.folders.Peers, script), port}, args...)
	if err := s.run(name, program, []string{"NODE_ENV=production"}, args...); err != nil {
		return err
	}
	s.Bases = append(s.Bases, "ws://"+address[0])
	return s.accepting(ctx, address[0])
}

func redisServer() (string, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return "", errors.New("there is no redis-server; install it: apt-get install redis-server")
	}
	return program, nil
}
