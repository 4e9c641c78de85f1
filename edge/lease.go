package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/contract"
)

// lease renews the edge's key. While it is not held the edge fences itself: its
// links cut and settle nothing, since others may hold its peers to be gone.
type lease struct {
	kv      jetstream.KeyValue
	record  contract.EdgeLease
	renewed atomic.Int64 // sinceBoot of the sending of the last renewal that worked; 0: none yet
}

func newLease(kv jetstream.KeyValue, id contract.Token, address string) *lease {
	return &lease{kv: kv, record: contract.EdgeLease{Edge: id, Address: address}}
}

// held reports whether the last renewal is younger than contract.FenceAfter, on
// a clock that also counts while the machine is suspended.
func (l *lease) held() bool {
	renewed := l.renewed.Load()
	return renewed != 0 && sinceBoot()-time.Duration(renewed) < contract.FenceAfter
}

// leaveAfter is how long an edge may be without a renewal before its clients are
// asked to go elsewhere.
const leaveAfter = 20 * time.Second

// lost reports whether the last renewal is so old that clients are better off
// elsewhere.
func (l *lease) lost() bool {
	renewed := l.renewed.Load()
	return renewed != 0 && sinceBoot()-time.Duration(renewed) > leaveAfter
}

// run renews until ctx ends; report hears of each renewal's outcome, and leave is
// called once each time that the lease is lost.
func (l *lease) run(ctx context.Context, report func(error), leave func()) error {
	ticker := time.NewTicker(contract.LeaseInterval)
	defer ticker.Stop()
	left := false
	for {
		err := l.renew(ctx)
		if lost := l.lost(); lost != left {
			if left = lost; lost {
				leave()
			}
		}
		if err == nil || !l.held() {
			report(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

func (l *lease) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, contract.FenceAfter/5)
	defer cancel()
	l.record.Renewal++
	value, err := json.Marshal(l.record)
	if err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	sent := sinceBoot()
	if _, err := l.kv.Put(ctx, l.record.Edge.String(), value); err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	l.renewed.Store(int64(sent))
	return nil
}
