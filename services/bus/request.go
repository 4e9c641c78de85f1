package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/nats-io/nats.go"
)

// RequestOption changes how Request retries.
type RequestOption func(*requestOptions)

type requestOptions struct {
	attempt           time.Duration
	shortest, longest time.Duration
}

// AttemptTimeout is how long one attempt waits for its answer (default 1 s).
func AttemptTimeout(d time.Duration) RequestOption {
	return func(o *requestOptions) { o.attempt = d }
}

// Backoff is the shortest and the longest pause between two attempts (default
// 100 and 500 ms); half of each pause is random.
func Backoff(shortest, longest time.Duration) RequestOption {
	return func(o *requestOptions) { o.shortest, o.longest = shortest, longest }
}

// Request sends data to subject until somebody answers or ctx ends: no
// responders, time-outs and lost connections are retried with a back-off. The
// request may therefore be carried out more than once; the receiver must
// recognise a repeat. header isn't changed; the trace of ctx is added as a
// lower-case traceparent. The error wraps ctx's and that of the last attempt that
// ctx let come to its end.
func Request(ctx context.Context, nc *nats.Conn, subject string, header nats.Header, data []byte, opts ...RequestOption) (*nats.Msg, error) {
	o := requestOptions{attempt: time.Second, shortest: 100 * time.Millisecond, longest: 500 * time.Millisecond}
	for _, opt := range opts {
		opt(&o)
	}
	m := &nats.Msg{Subject: subject, Header: InjectTrace(ctx, maps.Clone(header)), Data: data}
	pause := backoff{shortest: o.shortest, longest: o.longest}
	for last := error(nil); ; {
		reply, err := requestOnce(ctx, nc, m, o.attempt)
		if err == nil {
			return reply, nil
		}
		if ctx.Err() == nil && !IsTransient(err) {
			return nil, fmt.Errorf("request %s: %w", subject, err)
		}
		if !errors.Is(err, ctx.Err()) {
			last = err
		}
		if pause.wait(ctx) != nil {
			return nil, fmt.Errorf("request %s: %w", subject, ended(ctx, last))
		}
		retries.WithLabelValues(opRequest).Inc()
	}
}

func requestOnce(ctx context.Context, nc *nats.Conn, m *nats.Msg, timeout time.Duration) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return nc.RequestMsgWithContext(ctx, m)
}

// ended is ctx's error together with that of the last attempt, unless the last
// attempt only ended because ctx did.
func ended(ctx context.Context, last error) error {
	if last == nil || errors.Is(last, ctx.Err()) {
		return ctx.Err()
	}
	return fmt.Errorf("%w (last attempt: %w)", ctx.Err(), last)
}
