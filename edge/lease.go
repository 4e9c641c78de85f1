package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// lease renews the edge's key. While it is not held the edge fences itself: its
// links cut and settle nothing, since others may hold its peers to be gone. See
// fence.go for what comes after that.
type lease struct {
	kv       jetstream.KeyValue
	record   contract.EdgeLease // owned by run
	renewed  atomic.Int64       // sinceBoot of the sending of the last renewal that worked; 0: none yet
	draining chan struct{}      // closed when the edge takes no more clients

	// Gaps between two renewals in which it was out, noted or not; after how many of
	// them the members' records were read; and who is to read them.
	gaps, read atomic.Uint64
	gap        chan struct{}
}

func newLease(kv jetstream.KeyValue, id contract.Token, address string) *lease {
	return &lease{
		kv: kv, record: contract.EdgeLease{Edge: id, Address: address}, draining: make(chan struct{}), gap: make(chan struct{}, 1),
	}
}

// held reports whether the last renewal is younger than contract.FenceAfter, on
// a clock that also counts while the machine is suspended, and the members' records
// were read since one was not.
func (l *lease) held() bool {
	renewed := l.renewed.Load()
	return renewed != 0 && !isOut(renewed) && l.gaps.Load() == l.read.Load()
}

// isOut reports whether a lease is out that was renewed then.
func isOut(renewed int64) bool { return sinceBoot()-time.Duration(renewed) >= contract.FenceAfter }

// tellGap has the members' records be read.
func (l *lease) tellGap() {
	select {
	case l.gap <- struct{}{}:
	default:
	}
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

// answered reports whether a renewal has worked just now.
func (l *lease) answered() bool {
	renewed := l.renewed.Load()
	return renewed != 0 && sinceBoot()-time.Duration(renewed) < takesAfter
}

// run renews until ctx ends; report hears of each renewal's outcome, and leave is
// called once each time that the lease is lost.
func (l *lease) run(ctx context.Context, report func(error), leave func()) error {
	ticker := time.NewTicker(contract.LeaseInterval)
	defer ticker.Stop()
	left, draining := false, l.draining
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
		case <-draining:
			l.record.Drain, draining = true, nil
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
	if renewed := l.renewed.Load(); renewed != 0 && isOut(renewed) { // whether or not anybody looked meanwhile
		l.gaps.Add(1)
		l.tellGap()
	}
	l.renewed.Store(int64(sent))
	return nil
}

// takesAfter is how old the lease of an edge may be that takes clients.
const takesAfter = 3 * contract.LeaseInterval

// elsewhere reports whether another edge takes clients: its lease was renewed lately and
// tells of no drain. Ages are counted from the youngest lease, on the clock of the
// server that stores all of them.
func (l *lease) elsewhere(ctx context.Context) (bool, error) {
	ctx, done := context.WithCancel(ctx)
	defer done()
	var youngest, other time.Time
	known := false
	err := bus.Watch(ctx, l.kv, "*", func(entry jetstream.KeyValueEntry) {
		var one contract.EdgeLease
		if entry.Created().After(youngest) {
			youngest = entry.Created()
		}
		if json.Unmarshal(entry.Value(), &one) == nil && one.Edge != l.record.Edge && !one.Drain && entry.Created().After(other) {
			other = entry.Created()
		}
	}, func() {
		known = true
		done()
	})
	if !known {
		return false, fmt.Errorf("read the leases: %w", err)
	}
	return !other.IsZero() && youngest.Sub(other) < takesAfter, nil
}
