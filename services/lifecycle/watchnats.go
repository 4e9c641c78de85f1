package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
)

// natsCheck is the name of the check that WatchNATS keeps.
const natsCheck = "nats"

// WatchNATS keeps the check "nats" until ctx ends (it then returns nil), and
// fails when the connection is closed for good.
func WatchNATS(ctx context.Context, nc *nats.Conn, health *Health) error {
	changed := nc.StatusChanged(nats.CONNECTED, nats.RECONNECTING, nats.DISCONNECTED, nats.CLOSED)
	defer nc.RemoveStatusListener(changed)
	for {
		if nc.IsClosed() {
			err := errors.New("connection to NATS is closed")
			if last := nc.LastError(); last != nil {
				err = fmt.Errorf("%w: %w", err, last)
			}
			health.Set(natsCheck, err)
			return err
		}
		health.Set(natsCheck, connectionFault(nc))
		select {
		case <-ctx.Done():
			return nil
		case <-changed: // a full channel drops events, so the connection itself is asked
		}
	}
}

func connectionFault(nc *nats.Conn) error {
	if nc.IsConnected() || nc.IsDraining() {
		return nil
	}
	if last := nc.LastError(); last != nil {
		return fmt.Errorf("disconnected: %w", last)
	}
	return errors.New("disconnected")
}
