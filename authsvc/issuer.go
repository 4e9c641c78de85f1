package authsvc

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-rtc/parley/authsvc/internal/keyring"
	"github.com/parley-rtc/parley/authsvc/internal/request"
	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
	"github.com/parley-rtc/parley/services/token"
)

var tracer = telemetry.Tracer("github.com/parley-rtc/parley/authsvc")

// startingRetry is when a request should come again that was too early, in
// milliseconds.
const startingRetry = 1000

// issuer decides who gets which token. Both entrances use it.
type issuer struct {
	ring     *keyring.Ring
	rules    request.Rules
	apps     *backend.Directory
	complete atomic.Bool     // apps holds all that the bucket does
	keys     *token.Verifier // what edges believe
	limits   *backend.Limits
	now      func() time.Time
}

// admit returns the app of an API key that may have another token now.
func (i *issuer) admit(apiKey string) (contract.AppRecord, error) {
	if !i.complete.Load() {
		return contract.AppRecord{}, unavailable("the apps aren't known yet")
	}
	if apiKey == "" {
		return contract.AppRecord{}, contract.Errorf(contract.CodeBadAPIKey, "token request: an API key is needed: Authorization: Bearer <API key> over HTTP, apiKey over NATS")
	}
	hash := backend.HashOf(apiKey)
	app, err := i.apps.Find(hash)
	switch {
	case errors.Is(err, backend.ErrShared):
		return contract.AppRecord{}, contract.Errorf(contract.CodeBadAPIKey, "token request: the API key stands with several apps, so it counts for none: give each app its own")
	case err != nil:
		return contract.AppRecord{}, contract.Errorf(contract.CodeBadAPIKey, "token request: the API key is unknown or was revoked")
	}
	if wait := i.limits.Take(hash, i.now()); wait > 0 {
		err := contract.Errorf(contract.CodeRateLimited, "token request: over %s with this API key: wait and ask again", i.limits)
		err.RetryAfter = max(1, int64((wait+time.Millisecond-1)/time.Millisecond))
		return contract.AppRecord{}, err
	}
	return app, nil
}

// issue makes the token that an admitted app asks for.
func (i *issuer) issue(app contract.AppRecord, req contract.TokenRequest) (contract.TokenReply, error) {
	// A key that isn't published, or was retired elsewhere, makes tokens that
	// every edge refuses.
	if !i.keys.Knows(i.ring.KeyID()) {
		return contract.TokenReply{}, unavailable("the signing key isn't published")
	}
	claims, err := i.rules.Claims(req, app, rand.Text(), i.now())
	if err != nil {
		return contract.TokenReply{}, err
	}
	raw, err := i.ring.Sign(claims)
	if err != nil {
		// Not %w: a code in it speaks of a token that somebody sent.
		return contract.TokenReply{}, fmt.Errorf("issue token: %v", err) //nolint:errorlint // see above
	}
	return contract.TokenReply{Token: raw, Expires: claims.Expires}, nil
}

// observe runs one request as the span auth.token and measures it. Every error
// that it returns is safe to show.
func (i *issuer) observe(ctx context.Context, entrance string, answer func() (contract.AppRecord, contract.TokenReply, error)) (contract.TokenReply, *contract.Error) {
	began := time.Now()
	ctx, span := tracer.Start(ctx, "auth.token", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	app, reply, err := answer()
	fault := shown(ctx, err)
	result := resultOK
	if fault != nil {
		result = string(fault.Code)
		span.SetStatus(otelcodes.Error, fault.Message)
	}
	span.SetAttributes(
		attribute.String("parley.app", app.App.String()),
		attribute.String("parley.entrance", entrance),
		attribute.String("parley.result", result),
	)
	tokenSeconds.WithLabelValues(result).Observe(time.Since(began).Seconds())
	slog.DebugContext(ctx, "token request answered", "app", app.App, "entrance", entrance, "result", result)
	return reply, fault
}

// shown is what of an error may leave the process. Whatever has no code is our
// fault.
func shown(ctx context.Context, err error) *contract.Error {
	if err == nil {
		return nil
	}
	var fault *contract.Error
	if errors.As(err, &fault) {
		return fault
	}
	slog.ErrorContext(ctx, "token request failed", "error", err)
	return contract.Errorf(contract.CodeInternal, "token request: it failed here; the service's log says why")
}

func unavailable(why string) error {
	err := contract.Errorf(contract.CodeUnavailable, "token request: %s: ask again in a moment", why)
	err.RetryAfter = startingRetry
	return err
}
