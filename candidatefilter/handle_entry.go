package candidatefilter

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

// commitTimeout bounds how long the filter itself waits for a commit; the edge
// tries again after about the same time.
const commitTimeout = time.Second

// handleEntry sanitises one entry and puts it into the log. If nothing was taken
// out JetStream answers the edge; otherwise the filter does, since the edge must
// know what.
func (f *filter) handleEntry(ctx context.Context, m *nats.Msg) {
	began := time.Now()
	from, to, err := contract.ParseFilterSubject(m.Subject)
	if err != nil {
		f.refuse(m, fmt.Errorf("subject: %w", err))
		return
	}
	id := m.Header.Get(contract.HeaderMessageID)
	if !strings.HasPrefix(id, from.String()+"."+to.String()+".") {
		f.refuse(m, fmt.Errorf("the message id is not of the link %s to %s", from, to))
		return
	}
	e := f.sanitise(m.Data)
	sanitiseSeconds.Observe(time.Since(began).Seconds())
	if e.err != nil {
		f.refuse(m, e.err)
		return
	}
	if e.signals == 0 {
		f.answer(m, contract.FilterAnswer{Filter: true, Verdicts: e.verdicts})
		return
	}
	out := nats.NewMsg(f.log.Subject(from, to))
	out.Header[contract.HeaderMessageID] = []string{id}
	out.Data = e.data
	if len(e.verdicts) == 0 {
		out.Reply = m.Reply
		if err := f.nc.PublishMsg(out); err != nil {
			slog.WarnContext(ctx, "an entry could not be put into the log; its edge sends it again", "error", err)
		}
		return
	}
	f.commit(ctx, m, out, e.verdicts)
}

// acknowledgement is what of a PubAck matters here.
type acknowledgement struct {
	Sequence  uint64          `json:"seq"`
	Duplicate bool            `json:"duplicate"`
	Error     json.RawMessage `json:"error"`
}

// commit puts an entry with verdicts into the log and tells the edge. Without an
// acknowledgement the edge hears nothing and tries again; an error of
// JetStream's it gets as it is.
func (f *filter) commit(ctx context.Context, m, out *nats.Msg, verdicts []contract.Verdict) {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	reply, err := f.nc.RequestMsgWithContext(ctx, out)
	if err != nil {
		slog.DebugContext(ctx, "no acknowledgement for an entry; its edge sends it again", "error", err)
		return
	}
	var ack acknowledgement
	if err := json.Unmarshal(reply.Data, &ack); err != nil || ack.Error != nil || ack.Sequence == 0 {
		if err := m.Respond(reply.Data); err != nil {
			slog.DebugContext(ctx, "an answer could not be sent", "error", err)
		}
		return
	}
	answer := contract.FilterAnswer{Filter: true, Revision: ack.Sequence, Duplicate: ack.Duplicate, Verdicts: verdicts}
	if ack.Duplicate {
		answer.Verdicts = nil // the first commit decides
	}
	f.answer(m, answer)
}

// refuse answers a request that no edge of ours sends. The answer is an error,
// so that a faulty edge gives up at its budget and says so.
func (f *filter) refuse(m *nats.Msg, why error) {
	refusedEntries.Inc()
	slog.Error("an entry was refused", "subject", m.Subject, "error", why)
	f.answer(m, contract.FilterAnswer{Filter: true, Error: &contract.WireError{
		Code: contract.CodeBadFrame, Message: why.Error(),
	}})
}

func (f *filter) answer(m *nats.Msg, answer contract.FilterAnswer) {
	text, err := json.Marshal(answer)
	if err == nil && m.Reply != "" {
		err = m.Respond(text)
	}
	if err != nil {
		slog.Warn("an answer could not be sent", "error", err)
	}
}
