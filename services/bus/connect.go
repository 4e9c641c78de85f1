package bus

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

const (
	// pingsOut is how many pings may stay unanswered.
	pingsOut = 2
	// reconnectWait is the first pause between two attempts to reconnect, and
	// reconnectMaxWait the longest; half of each is random, so that the clients
	// of a dead server don't come back in step.
	reconnectWait    = 50 * time.Millisecond
	reconnectMaxWait = time.Second
	// waitingLogInterval is the least time between two lines about waiting.
	waitingLogInterval = 5 * time.Second
)

// Connect waits for NATS until ctx ends, and then keeps the connection through
// every outage until it is closed. name stands in the server's list of
// connections. Its inboxes are those of its user (contract.InboxPrefix), or of
// name if it has none. extra options are applied last; an in-process server is one.
//
// Nothing is buffered while the connection is away: a publish fails at once
// (see [IsTransient]), since what a buffer would send late was given up or sent
// again by then.
func Connect(ctx context.Context, cfg Config, name string, extra ...nats.Option) (*nats.Conn, error) {
	options, err := resolve(cfg, append(connectOptions(cfg, name), extra...))
	if err != nil {
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	waiting := throttle{interval: waitingLogInterval}
	for attempt := 0; ; attempt++ {
		nc, err := options.Connect()
		if err == nil {
			slog.InfoContext(ctx, "connected to NATS", "server", nc.ConnectedUrlRedacted(), "name", name)
			return nc, nil
		}
		why := advised(err)
		if cfg.Waiting != nil {
			cfg.Waiting(why)
		}
		if waiting.allow() {
			slog.WarnContext(ctx, "waiting for NATS", "url", redactURL(cfg.URL), "error", why)
		}
		if sleep(ctx, reconnectDelay(attempt)) != nil {
			return nil, fmt.Errorf("connect to NATS: %w", ended(ctx, err))
		}
	}
}

// resolve finds the faults that no waiting cures: options that contradict each
// other and files that can't be read.
func resolve(cfg Config, options []nats.Option) (nats.Options, error) {
	resolved := nats.GetDefaultOptions()
	for server := range strings.SplitSeq(cfg.URL, ",") {
		resolved.Servers = append(resolved.Servers, strings.TrimSpace(server))
	}
	for _, file := range []struct{ key, path string }{
		{"nats.creds_file", cfg.CredsFile}, {"nats.ca_file", cfg.CAFile}, {"nats.cert_file", cfg.CertFile}, {"nats.key_file", cfg.KeyFile},
	} {
		if file.path == "" {
			continue
		}
		if _, err := os.ReadFile(file.path); err != nil {
			return resolved, fmt.Errorf("%s: %w", file.key, err)
		}
	}
	for _, option := range options {
		if err := option(&resolved); err != nil {
			return resolved, err
		}
	}
	return resolved, nil
}

// Drain lets the subscriptions of nc finish what they hold, flushes what was
// published and closes it. It returns when nc is closed, which takes at most
// the configured drain timeout.
func Drain(nc *nats.Conn) {
	closed := nc.StatusChanged(nats.CLOSED)
	defer nc.RemoveStatusListener(closed)
	if nc.Drain() != nil || nc.IsClosed() {
		nc.Close() // it was away: there is nobody to flush to
		return
	}
	<-closed
}

func connectOptions(cfg Config, name string) []nats.Option {
	options := []nats.Option{
		nats.Name(name),
		nats.CustomInboxPrefix(inboxPrefix(cfg.User, name)),
		nats.Timeout(cfg.ConnectTimeout),
		nats.PingInterval(cfg.PingInterval),
		nats.MaxPingsOutstanding(pingsOut),
		nats.DrainTimeout(cfg.DrainTimeout),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // or a server that reloads its users ends us for good
		nats.ReconnectBufSize(-1),
		nats.CustomReconnectDelay(reconnectDelay),
		nats.DisconnectErrHandler(logDisconnect),
		nats.ReconnectHandler(logReconnect),
		nats.ErrorHandler(newAsyncErrorLog()),
	}
	if cfg.User != "" {
		options = append(options, nats.UserInfo(cfg.User, cfg.Password.Reveal()))
	}
	if cfg.CredsFile != "" {
		options = append(options, nats.UserCredentials(cfg.CredsFile))
	}
	if cfg.CAFile != "" {
		options = append(options, nats.RootCAs(cfg.CAFile))
	}
	if cfg.CertFile != "" {
		options = append(options, nats.ClientCert(cfg.CertFile, cfg.KeyFile))
	}
	return options
}

// reconnectDelay doubles from reconnectWait to reconnectMaxWait; half of it is
// random.
func reconnectDelay(attempt int) time.Duration {
	d := min(reconnectWait<<min(attempt, 10), reconnectMaxWait)
	return d/2 + rand.N(d/2)
}

// inboxPrefix is what the inboxes begin with: NATS can then permit a user its own
// inboxes alone.
func inboxPrefix(user, name string) string {
	if user == "" {
		return contract.InboxPrefix(inboxToken(name))
	}
	tokens := strings.Split(user, ".")
	for i, token := range tokens {
		tokens[i] = inboxToken(token)
	}
	return contract.InboxPrefix(strings.Join(tokens, "."))
}

// inboxToken makes a name safe as one token of a subject. Two names may give
// one token: the inboxes below it are random anyway.
func inboxToken(name string) string {
	token := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r >= 'A' && r <= 'Z', r >= 'a' && r <= 'z', r == '-', r == '_':
			return r
		}
		return '_'
	}, name)
	if token == "" {
		return "parley"
	}
	return token
}

// redactURL hides a password that was written into the address.
func redactURL(servers string) string {
	list := strings.Split(servers, ",")
	for i, server := range list {
		if scheme, rest, ok := strings.Cut(server, "://"); ok {
			if _, host, signed := strings.Cut(rest, "@"); signed {
				list[i] = scheme + "://[redacted]@" + host
			}
		}
	}
	return strings.Join(list, ",")
}

func logDisconnect(nc *nats.Conn, err error) {
	if nc.IsClosed() || nc.IsDraining() {
		return
	}
	slog.Warn("lost NATS", "error", err)
}

func logReconnect(nc *nats.Conn) {
	reconnects.Inc()
	slog.Info("NATS is back", "server", nc.ConnectedUrlRedacted())
}

// newAsyncErrorLog logs what the library reports outside any call: slow
// consumers, permission violations. Each may come once a message.
func newAsyncErrorLog() nats.ErrHandler {
	limit := throttle{interval: waitingLogInterval}
	return func(_ *nats.Conn, sub *nats.Subscription, err error) {
		asyncErrors.Inc()
		heedOverrun(sub, err)
		if !limit.allow() {
			return
		}
		err = advised(err)
		if sub != nil {
			slog.Error("NATS reported an error", "error", err, "subject", sub.Subject)
			return
		}
		slog.Error("NATS reported an error", "error", err)
	}
}
