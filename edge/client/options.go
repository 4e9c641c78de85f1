package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"time"
)

// Defaults of the options.
const (
	DefaultBackoffMin     = 100 * time.Millisecond
	DefaultBackoffMax     = 5 * time.Second
	DefaultConnectTimeout = 10 * time.Second
	DefaultOutboxFrames   = 256
	DefaultOutboxBytes    = 256 << 10
	DefaultEventCount     = 256
	DefaultEventBytes     = 1 << 20
)

// Version is the version that the client tells in its hello.
const Version = "0.1.0"

// TokenReason says why a token is asked for.
type TokenReason string

// The reasons.
const (
	ReasonJoin    TokenReason = "join"    // [Client.Join] was called
	ReasonRejoin  TokenReason = "rejoin"  // the session was lost, the room is joined again
	ReasonRefresh TokenReason = "refresh" // the grants run out
)

// TokenFunc returns a room token. It is called by a goroutine that may wait,
// for several rooms at once, and must give up when ctx ends. It must not call
// [Client.Close].
type TokenFunc func(ctx context.Context, room string, reason TokenReason) (string, error)

// Option changes how [Dial] makes a client.
type Option func(*options)

type options struct {
	urls                     []string
	token                    TokenFunc
	backoffMin, backoffMax   time.Duration
	connectTimeout           time.Duration
	logger                   *slog.Logger
	origin, name             string
	tls                      *tls.Config
	outboxFrames, outboxByte int
	eventCount, eventBytes   int
	dial                     func(ctx context.Context, network, address string) (net.Conn, error)
	traceparent              func() string
}

// WithToken sets where room tokens come from. Without it no room can be joined.
func WithToken(f TokenFunc) Option { return func(o *options) { o.token = f } }

// WithBackoff bounds the wait before a reconnect: a random time from 0 up to
// lowest, which doubles with each failure until it is highest.
func WithBackoff(lowest, highest time.Duration) Option {
	return func(o *options) { o.backoffMin, o.backoffMax = lowest, highest }
}

// WithConnectTimeout bounds one attempt to connect, until the welcome.
func WithConnectTimeout(d time.Duration) Option { return func(o *options) { o.connectTimeout = d } }

// WithLogger sets where the client says what it does. It never logs a token, a
// secret or the content of a signal.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// WithOrigin sets the Origin header, for edges that allow some origins only.
func WithOrigin(origin string) Option { return func(o *options) { o.origin = origin } }

// WithTLSConfig sets the configuration for wss addresses.
func WithTLSConfig(c *tls.Config) Option { return func(o *options) { o.tls = c } }

// WithName sets the client name that the edge logs.
func WithName(name string) Option { return func(o *options) { o.name = name } }

// WithOutbox bounds the frames that are sent and not yet acknowledged, and
// their bytes. When it is full, sending methods wait and [Room.Post] returns
// [ErrOutboxFull].
func WithOutbox(frames, bytes int) Option {
	return func(o *options) { o.outboxFrames, o.outboxByte = frames, bytes }
}

// WithEventBuffer bounds the events that a room keeps unread, by count and by
// the bytes of their frames. Over it the client stops reading the socket, for
// all its rooms, until the application takes events: nothing is lost, but an
// edge closes a connection that doesn't read for long, which then resumes.
// While a call waits for its acknowledgement the bound is 16 times as high, so
// that an application may send from the loop that takes its events; beyond
// that the call ends with [ErrEventsUnread].
func WithEventBuffer(events, bytes int) Option {
	return func(o *options) { o.eventCount, o.eventBytes = events, bytes }
}

// WithURLs adds edges. The client begins at the first address; each try after
// that goes to the next one, in an order of this client's own, so that the
// clients of an edge that died spread over all others.
func WithURLs(urls ...string) Option { return func(o *options) { o.urls = append(o.urls, urls...) } }

// WithDialer sets how TCP connections are made.
func WithDialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) Option {
	return func(o *options) { o.dial = dial }
}

// WithTraceparent sets where the trace of each frame comes from: a W3C
// traceparent, or "" for none. It must not wait.
func WithTraceparent(f func() string) Option { return func(o *options) { o.traceparent = f } }

func newOptions(first string, opts []Option) (options, error) {
	o := options{
		urls:           []string{first},
		backoffMin:     DefaultBackoffMin,
		backoffMax:     DefaultBackoffMax,
		connectTimeout: DefaultConnectTimeout,
		logger:         slog.New(slog.DiscardHandler),
		name:           "parley-go",
		outboxFrames:   DefaultOutboxFrames,
		outboxByte:     DefaultOutboxBytes,
		eventCount:     DefaultEventCount,
		eventBytes:     DefaultEventBytes,
		traceparent:    func() string { return "" },
	}
	for _, set := range opts {
		set(&o)
	}
	var faults []error
	for i, raw := range o.urls {
		u, err := webSocketURL(raw)
		if err != nil {
			faults = append(faults, err)
		}
		o.urls[i] = u
	}
	others := o.urls[1:]
	rand.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	if o.backoffMin <= 0 || o.backoffMax < o.backoffMin {
		faults = append(faults, fmt.Errorf("backoff %v to %v: give a lowest over 0 and a highest that isn't less", o.backoffMin, o.backoffMax))
	}
	if o.connectTimeout <= 0 {
		faults = append(faults, errors.New("connect timeout: give more than 0"))
	}
	if o.outboxFrames < 1 || o.outboxByte < 1 {
		faults = append(faults, errors.New("outbox: give at least 1 frame and 1 byte"))
	}
	if o.eventCount < 1 || o.eventBytes < 1 {
		faults = append(faults, errors.New("event buffer: give at least 1 event and 1 byte"))
	}
	return o, errors.Join(faults...)
}

// webSocketURL accepts ws, wss, http and https; without a path it is /v1/ws.
func webSocketURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return "", fmt.Errorf("address of the edge: %w", err)
	}
	switch u.Scheme {
	case "ws", "wss":
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	default:
		return "", fmt.Errorf("address of the edge %q: use ws:// or wss://", raw)
	}
	if u.Host == "" {
		return "", fmt.Errorf("address of the edge %q: it has no host", raw)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/ws"
	}
	u.Fragment = ""
	return u.String(), nil
}
