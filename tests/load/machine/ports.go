//go:build linux

package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// The ports of programs. Those above are for outgoing connections, and one of
// them could take a port between its choice and its use. Each bench begins at a
// place of its own.
const (
	lowestPort = 10_000
	ports      = 9_000
)

var portsChosen atomic.Int64

// FreeAddress is a loopback address whose port was free a moment ago; each call
// gives another one.
func FreeAddress() (string, error) {
	for range ports {
		port := lowestPort + (os.Getpid()*31+int(portsChosen.Add(1)))%ports
		address := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := net.Listen("tcp", address) //nolint:noctx // binds at once
		if err == nil {
			_ = l.Close() // it served its purpose
			return address, nil
		}
	}
	return "", errors.New("no port is free")
}

// pollInterval is how often a starting program is asked.
const pollInterval = 20 * time.Millisecond

// Poll asks until ready returns nil, ctx ends or one of the programs ends.
func Poll(ctx context.Context, programs []*Process, ready func(ctx context.Context) error) error {
	ticker := time.NewTicker(pollInterval)
	defer ticker.Stop()
	for {
		err := ready(ctx)
		if err == nil {
			return nil
		}
		for _, p := range programs {
			select {
			case <-p.Ended():
				return fmt.Errorf("%s ended (%s); its log:\n%s", p.Name, p.cmd.ProcessState, p.Tail())
			default:
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w (%w)", err, ctx.Err())
		case <-ticker.C:
		}
	}
}

// Accepts reports whether something listens on an address.
func Accepts(ctx context.Context, address string) error {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return c.Close()
}
