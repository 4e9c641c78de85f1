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

// maxReplyBytes bounds a reply subject. With it the line that puts an entry into
// the log stays far under the 4,096 bytes at which NATS ends the connection.
const maxReplyBytes = 512

// handleEntry sanitises one entry and puts it into the log. If nothing was taken
// out JetStream answers the edge; otherwise the filter does, since the edge must
// know what.
func (f *filter) handleEntry(ctx context.Context, m *nats.Msg) {
	w := takeWorkspace()
	f.handle(ctx, w, m)
	w.giveBack()
}

// handle is handleEntry in the memory of w.
func (f *filter) handle(ctx context.Context, w *workspace, m *nats.Msg) {
	began := time.Now()
	if wrong := f.envelope(m, &w.out); wrong != nil {
		f.refuse(ctx, m, wrong)
		return
	}
	e, wrong := f.sanitiser.entry(w, m.Data)
	sanitiseSeconds.Observe(time.Since(began).Seconds())
	w.out.Data = e.data
	switch {
	case wrong != nil:
		f.refuse(ctx, m, wrong)
	case e.signals == 0:
		f.answer(ctx, m, contract.FilterAnswer{Filter: true, Verdicts: e.verdicts})
	case len(e.verdicts) == 0:
		f.pass(ctx, m, &w.out)
	default:
		w.entry = nil // the commit keeps it
		f.commit(ctx, m, w.out, e.verdicts)
	}
}

// envelope makes of out the message that puts the entry of m into the log, still
// empty. Of the headers only the message id goes on, and only if it is one of
// the link.
//
// The reply must be an inbox: what answers an entry, here or in JetStream, may
// publish where the edge may not, into the log too, and so the edge must not
// choose the subject.
func (f *filter) envelope(m, out *nats.Msg) *fault {
	r, err := f.routes.of(m.Subject)
	if err != nil {
		return &fault{reasonSubject, contract.CodeBadID, "subject: " + err.Error()}
	}
	if !strings.HasPrefix(m.Reply, nats.InboxPrefix) || len(m.Reply) > maxReplyBytes {
		return &fault{reasonReply, contract.CodeBadFrame,
			fmt.Sprintf("the reply subject must be an inbox, %s and at most %d bytes in all", nats.InboxPrefix, maxReplyBytes)}
	}
	ids := m.Header[contract.HeaderMessageID]
	if len(ids) == 0 || !r.isMessageID(ids[0]) {
		return &fault{reasonMessageID, contract.CodeBadFrame,
			fmt.Sprintf("the header %s must be the subject's two names and the number of the entry, with dots between", contract.HeaderMessageID)}
	}
	out.Subject, out.Header = r.subject, m.Header
	if len(m.Header) > 1 || len(ids) > 1 {
		out.Header = nats.Header{contract.HeaderMessageID: ids[:1]}
	}
	return nil
}

// refuse answers an entry that no edge of ours sends. A faulty edge tries until
// its budget is over; the log line says what to mend.
func (f *filter) refuse(ctx context.Context, m *nats.Msg, why *fault) {
	refusedEntries.WithLabelValues(why.reason).Inc()
	slog.ErrorContext(ctx, "an entry was refused", "subject", m.Subject, "reason", why.reason, "fault", why.text)
	if why.reason != reasonReply {
		f.answer(ctx, m, contract.FilterAnswer{Filter: true, Error: &contract.WireError{Code: why.code, Message: why.text}})
	}
}

func (f *filter) answer(ctx context.Context, m *nats.Msg, answer contract.FilterAnswer) {
	text, err := json.Marshal(answer)
	if err == nil {
		err = m.Respond(text)
	}
	if err != nil {
		f.fail(ctx, failedAnswer, err)
	}
}
