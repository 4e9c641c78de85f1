package candidatefilter

import (
	"bytes"

	"github.com/parley-rtc/parley/candidatefilter/internal/canonical"
	"github.com/parley-rtc/parley/candidatefilter/internal/sdp"
	"github.com/parley-rtc/parley/services/contract"
)

// description is judgeDescription for a body in canonical form.
func (w *workspace) description(p contract.Policy, limits sdp.Limits) (o outcome, ok bool) {
	r := canonical.Read(w.signal.Body)
	if !r.Is(`{"negotiation":`) {
		return o, false
	}
	if _, ok := r.Plain(); !ok || !r.Is(`,"description":{"type":`) {
		return o, false
	}
	if kind, ok := r.Plain(); !ok || string(kind) != w.signal.Kind.Type() || !r.Is(`,"sdp":`) {
		return o, false
	}
	before := r.At()
	if w.text, ok = r.AppendLines(w.text[:0]); !ok || !r.Is("}}") || !r.Ended() {
		return o, false
	}
	came := len(w.text)
	text, report, err := sdp.Sanitise(w.text, w.text, p, limits)
	if err != nil {
		return o, false
	}
	w.text = text
	w.body = append(w.body[:0], w.signal.Body[:before]...)
	if w.body, ok = canonical.QuoteLines(w.body, text[came:]); !ok {
		return o, false
	}
	w.body = append(w.body, "}}"...)
	o.body, o.kept = w.body, bytes.Equal(w.body, w.signal.Body)
	for rule, count := range report.All() {
		o.rules = append(o.rules, ruleCount{rule, count})
	}
	return o, true
}
