package bus

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// JetStream error codes that the client library has no name for.
const (
	errClusterNotLeader   jetstream.ErrorCode = 10009 // asked while no leader is known
	errStorageExceeded    jetstream.ErrorCode = 10047 // nothing was written
	errDuplicateInProcess jetstream.ErrorCode = 10158 // the same message id is being committed
	statusTooManyRequests                     = 429
	statusServiceUnavail                      = 503
	statusRequestTimeout                      = 408
)

// IsTransient reports whether err, of a request to NATS or JetStream, can pass
// by itself: nobody answered, or the one who did can't serve just now. The
// request may have been carried out all the same.
func IsTransient(err error) bool {
	for _, e := range []error{
		nats.ErrNoResponders, nats.ErrTimeout, nats.ErrDisconnected, nats.ErrConnectionReconnecting,
		nats.ErrReconnectBufExceeded, nats.ErrStaleConnection, nats.ErrNoServers,
		context.DeadlineExceeded, jetstream.ErrNoStreamResponse,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return false
	}
	switch api.ErrorCode {
	case errClusterNotLeader, errStorageExceeded, errDuplicateInProcess:
		return true
	case jetstream.JSErrCodeJetStreamNotEnabledForAccount:
		return false // a 503 that is a fault of the server's configuration
	}
	switch api.Code {
	case statusRequestTimeout, statusTooManyRequests, statusServiceUnavail:
		return true
	}
	return false
}

// isConflict reports that a compare-and-set met another revision: 10071 on one
// server, 10164 often on a cluster.
func isConflict(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) &&
		(api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// backoff is a pause that doubles from shortest to longest.
type backoff struct {
	shortest, longest time.Duration
	next              time.Duration
}

// wait sleeps for the next pause, half of it random, or until ctx ends.
func (b *backoff) wait(ctx context.Context) error {
	b.next = min(max(2*b.next, b.shortest), b.longest)
	return sleep(ctx, b.next/2+rand.N(b.next/2+1))
}

// sleep returns ctx's error if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// throttle lets something through at most once an interval.
type throttle struct {
	interval time.Duration

	mu   sync.Mutex
	next time.Time
}

func (t *throttle) allow() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if now.Before(t.next) {
		return false
	}
	t.next = now.Add(t.interval)
	return true
}
