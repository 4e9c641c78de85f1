package client

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// Client is one session with Parley's edges, over one WebSocket at a time.
type Client struct {
	// Static.
	opts  options
	log   *slog.Logger
	ctx   context.Context // ends when the client closes
	stop  context.CancelFunc
	done  chan struct{} // closed when the connection's goroutines are gone
	kick  chan struct{} // of 1: the writer has something to do
	tasks sync.WaitGroup

	// Owned by whoever connects: Dial first, then run; while run serves a
	// connection, its move.
	nextURL  int
	failures int
	secrets  secrets

	mu       sync.Mutex
	closed   error // nil while the client lives
	welcome  contract.Welcome
	outbox   outbox
	rooms    map[string]*Room
	stats    Stats
	refused  *contract.Error // the last error about the connection itself
	waiting  int             // calls that wait for something the reader brings
	space    bell            // the outbox has room again
	drained  bell            // the reader may be able to go on
	unread   bell            // waiting calls must give up, see ErrEventsUnread
	welcomed bell            // a new connection began
}

// Dial connects to an edge, at a ws:// or wss:// address (without a path it is
// /v1/ws). It tries each address of [WithURLs] once, and returns when an edge
// has welcomed the client; ctx bounds that only. From then on the client
// reconnects by itself until the server ends the session for good or Close is
// called; see [Client.Done].
//
// An edge closes a connection that is in no room for long. The client then
// comes back with the next [Client.Join].
func Dial(ctx context.Context, url string, opts ...Option) (*Client, error) {
	o, err := newOptions(url, opts)
	if err != nil {
		return nil, err
	}
	c := newClient(o)
	var sock *socket
	for range o.urls {
		if sock, err = c.connect(ctx); err == nil {
			go c.run(sock)
			return c, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	c.stop()
	return nil, fmt.Errorf("dial: %w", err)
}

func newClient(o options) *Client {
	c := &Client{
		opts:   o,
		log:    o.logger,
		done:   make(chan struct{}),
		kick:   make(chan struct{}, 1),
		outbox: outbox{maxFrames: o.outboxFrames, maxBytes: o.outboxByte},
		rooms:  make(map[string]*Room),
	}
	c.welcome.Limits = contract.DefaultLimits()
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

// Close says bye, which leaves every room at once, and returns when all of the
// client's goroutines have ended. Frames that aren't acknowledged fail with
// [ErrClosed]; wait for them first if they matter. Close may be called again.
func (c *Client) Close() error {
	c.shutdown(ErrClosed)
	<-c.done
	c.tasks.Wait()
	return nil
}

// Done is closed when the session is over: by Close, or by the server for good.
func (c *Client) Done() <-chan struct{} { return c.ctx.Done() }

// Err says why the session is over: [ErrClosed] or a [*ClosedError]; nil while
// it isn't.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// Session is the public id of the session, for logs. It resumes nothing.
func (c *Client) Session() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.welcome.Session
}

// Edge is the id of the edge that welcomed the client last.
func (c *Client) Edge() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.welcome.Edge
}

// ResumeWindow is how long the session outlives its connection.
func (c *Client) ResumeWindow() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(c.welcome.ResumeWindow) * time.Millisecond
}

// Limits are those of the edge that welcomed the client last.
func (c *Client) Limits() contract.Limits {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.welcome.Limits
}

// shutdown ends everything but the goroutines; only the first cause counts.
func (c *Client) shutdown(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed != nil {
		return
	}
	c.closed = cause
	for _, f := range c.outbox.abandon(c.outbox.last) {
		f.finish(cause)
	}
	for _, f := range c.outbox.frames {
		f.finish(cause)
	}
	for name, r := range c.rooms {
		r.end(cause)
		delete(c.rooms, name)
	}
	c.space.ring()
	c.drained.ring()
	c.welcomed.ring()
	c.stop()
	c.wake()
}

// wake makes the writer, or a client that rests, look for something to do.
func (c *Client) wake() {
	select {
	case c.kick <- struct{}{}:
	default:
	}
}

// task runs f on a goroutine that Close waits for; c.mu is held.
func (c *Client) task(f func()) {
	if c.closed == nil {
		c.tasks.Go(f)
	}
}

// sleep waits for d, or reports false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// backOff counts a failure and is the wait before the next attempt to connect.
func (c *Client) backOff() time.Duration {
	wait := c.jitter(c.failures)
	c.failures++
	return wait
}

// jitter is the wait before attempt n of something that failed.
func (c *Client) jitter(n int) time.Duration {
	return fullJitter(c.opts.backoffMin, c.opts.backoffMax, n, rand.Float64())
}
