package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// advice says what to do about an error that keeps a service waiting; "" if the
// error says it.
func advice(err error) string {
	switch {
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked):
		return "compare nats.user and nats.password, or nats.creds_file, with the users in nats-server's configuration"
	case errors.Is(err, nats.ErrPermissionViolation):
		return "give each service its own nats.user, with the permissions of this version: docs/operations.md, NATS users"
	case errors.Is(err, nats.ErrNoServers), errors.Is(err, nats.ErrTimeout):
		return "start nats-server, or correct nats.url"
	case missing(err):
		return "start a roomsvc"
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrJetStreamNotEnabled):
		return "give nats-server JetStream, and if it is one of a cluster, most of the others"
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return "enable JetStream for the account of nats.user"
	case errors.Is(err, context.DeadlineExceeded):
		return "see whether NATS refused a request, and whether most nats-servers of the cluster run"
	}
	return ""
}

// advised is err with its advice.
func advised(err error) error {
	if what := advice(err); what != "" {
		return fmt.Errorf("%w: %s", err, what)
	}
	return err
}

// clockTolerance is how far clocks may differ before it is worth a line: the
// leeway that edges grant to room tokens.
const clockTolerance = 30 * time.Second

// clockLog lets one line a minute through for all that a process opens.
var clockLog = throttle{interval: time.Minute}

// checkClock holds this machine's clock against the time in a server's answer.
func checkClock(ctx context.Context, server, now time.Time, log *throttle) {
	ahead := now.Sub(server).Round(time.Second)
	if server.IsZero() || ahead.Abs() <= clockTolerance || !log.allow() {
		return
	}
	slog.WarnContext(ctx, "the clocks of this machine and of the NATS server differ: set both by NTP, tokens and credentials go by them",
		"ahead", ahead.String())
}
