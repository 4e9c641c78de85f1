package candidatefilter

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// commitTimeout bounds how long the filter waits for a commit. The edge has
// given up its attempt by then and tries again.
const commitTimeout = time.Second

// pass puts an entry without verdicts into the log; JetStream answers the edge.
func (f *filter) pass(ctx context.Context, m, out *nats.Msg) {
	out.Reply = m.Reply
	if err := f.nc.PublishMsg(out); err != nil {
		f.fail(ctx, failedPublish, err)
	}
}

// commit puts an entry with verdicts into the log and tells the edge. It doesn't
// hold the worker: while the leader of one shard is away, the entries for the
// others must go on.
func (f *filter) commit(ctx context.Context, m *nats.Msg, out nats.Msg, verdicts []contract.Verdict) {
	select {
	case f.commits <- struct{}{}:
	default:
		failedCommits.WithLabelValues(failedFull).Inc()
		f.answer(ctx, m, unavailable("too many entries wait for the log"))
		return
	}
	ctx = context.WithoutCancel(ctx) // the server that took m may have closed meanwhile
	f.committing.Go(func() {
		defer func() { <-f.commits }()
		f.await(ctx, m, &out, verdicts)
	})
}

// acknowledgement is what of a PubAck matters here.
type acknowledgement struct {
	Sequence  uint64    `json:"seq"`
	Duplicate bool      `json:"duplicate"`
	Error     *struct{} `json:"error"`
}

// await publishes an entry and answers the edge when JetStream has. An error of
// JetStream's the edge gets as it is. If nobody answers in time it hears nothing:
// its attempt is over.
func (f *filter) await(ctx context.Context, m, out *nats.Msg, verdicts []contract.Verdict) {
	waiting, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	reply, err := f.nc.RequestMsgWithContext(waiting, out)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		f.fail(ctx, failedTimeout, err)
		return
	case err != nil:
		f.fail(ctx, failedPublish, err)
		f.answer(ctx, m, unavailable("the log doesn't answer"))
		return
	}
	var ack acknowledgement
	if err := json.Unmarshal(reply.Data, &ack); err != nil || ack.Error != nil || ack.Sequence == 0 {
		failedCommits.WithLabelValues(failedRefused).Inc()
		if err := m.Respond(reply.Data); err != nil {
			f.fail(ctx, failedAnswer, err)
		}
		return
	}
	answer := contract.FilterAnswer{Filter: true, Revision: ack.Sequence, Duplicate: ack.Duplicate, Verdicts: verdicts}
	if ack.Duplicate {
		answer.Verdicts = nil // the first commit decides
	}
	f.answer(ctx, m, answer)
}

// fail notes that an entry, or the answer to one, got lost; its edge tries
// again. That NATS is away is told by the connection, once.
func (f *filter) fail(ctx context.Context, reason string, err error) {
	failedCommits.WithLabelValues(reason).Inc()
	level := slog.LevelWarn
	if bus.IsTransient(err) {
		level = slog.LevelDebug
	}
	slog.Log(ctx, level, "an entry got lost; its edge sends it again", "reason", reason, "error", err)
}

func unavailable(message string) contract.FilterAnswer {
	return contract.FilterAnswer{Filter: true, Error: &contract.WireError{Code: contract.CodeUnavailable, Message: message}}
}
