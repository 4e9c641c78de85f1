package authsvc

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-rtc/parley/services/contract"
)

// handleICE answers an edge that asks for the ICE servers of one member, on
// contract.SubjectAuthICE. Whom it asks for the edge has verified.
func (s *service) handleICE(ctx context.Context, m *nats.Msg) {
	began := time.Now()
	ctx, span := tracer.Start(ctx, "auth.ice", trace.WithSpanKind(trace.SpanKindServer))
	defer span.End()
	var ask contract.ICERequest
	var reply contract.ICEReply
	result := resultOK
	if err := json.Unmarshal(m.Data, &ask); err != nil || ask.App.IsZero() || ask.Identity == "" {
		reply.Error = &contract.WireError{Code: contract.CodeBadFrame, Message: "ice request: it must be JSON with app and identity"}
		result = string(reply.Error.Code)
	} else if reply.ICEServers = s.turn.Issue(ask.App, ask.Identity, s.issuer.now()); len(reply.ICEServers) > 0 {
		reply.TTL = int64(s.turn.TTL / time.Second)
	}
	span.SetAttributes(attribute.String("parley.result", result))
	iceSeconds.WithLabelValues(result).Observe(time.Since(began).Seconds())
	if m.Reply == "" {
		return // nobody waits for it
	}
	body, err := json.Marshal(reply)
	if err == nil {
		err = m.Respond(body)
	}
	if err != nil {
		slog.WarnContext(ctx, "ice reply not sent", "error", err)
	}
}
