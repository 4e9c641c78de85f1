package candidatefilter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/parley-rtc/parley/candidatefilter/internal/sdp"
	"github.com/parley-rtc/parley/services/contract"
)

// sanitiser decides what of an entry may go on. Its decisions depend on the
// entry and on these fields alone, so every filter of one configuration decides
// alike about a retry.
type sanitiser struct {
	policy contract.Policy
	kinds  map[contract.Kind]judge // what clients send; all else is refused
}

// judge decides about one signal under a policy.
type judge func(s *contract.Signal, p contract.Policy) outcome

// outcome is what becomes of one signal: refused, or its body as it may go on;
// without either nothing of it is left.
type outcome struct {
	body    []byte
	refused *contract.Verdict
	rules   []ruleCount
}

// ruleCount is how many things a rule took out.
type ruleCount struct {
	rule  contract.Rule
	count int
}

func newSanitiser(p contract.Policy, limits sdp.Limits) sanitiser {
	describe := func(s *contract.Signal, p contract.Policy) outcome { return judgeDescription(s, p, limits) }
	return sanitiser{policy: p, kinds: map[contract.Kind]judge{
		contract.KindOffer:     describe,
		contract.KindAnswer:    describe,
		contract.KindCandidate: judgeTrickle,
		contract.KindMessage:   judgeMessage,
		contract.KindPresence:  judgePresence,
	}}
}

// add adds what may go on of a signal to an entry, and the verdicts about it.
func (n *sanitiser) add(e *sanitised, s *contract.Signal) {
	span := startSanitise(s)
	o := n.judge(s)
	signals.WithLabelValues(kindLabel(s.Kind), o.result()).Inc()
	endSpan(span, o.result())
	if v := o.refused; v != nil {
		if v.Rule != "" {
			rules.WithLabelValues(string(v.Rule)).Inc()
		}
		v.From, v.Seq, v.Refused = string(s.From), s.Seq, true
		e.verdicts = append(e.verdicts, *v)
		return
	}
	for _, one := range o.rules {
		rules.WithLabelValues(string(one.rule)).Add(float64(one.count))
		e.verdicts = append(e.verdicts, contract.Verdict{From: string(s.From), Seq: s.Seq, Rule: one.rule, Count: one.count})
	}
	if o.body == nil {
		return
	}
	passed := *s
	passed.Body = o.body
	e.data = contract.AppendSignal(e.data, &passed)
	e.signals++
}

// judge decides about one signal. A panic refuses the signal and nothing else.
func (n *sanitiser) judge(s *contract.Signal) (o outcome) {
	defer func() {
		if fault := recover(); fault != nil {
			panics.Inc()
			slog.Error("a signal made the filter panic; it is refused",
				"type", kindLabel(s.Kind), "panic", fmt.Sprint(fault), "stack", string(debug.Stack()))
			o = refuse(contract.CodeInternal, "", "the candidate filter failed at this frame; that was logged, and it doesn't go on")
		}
	}()
	kind, known := n.kinds[s.Kind]
	switch {
	case s.Kind == contract.KindEvent:
		return refuse(contract.CodeForbidden, "", "room events come from roomsvc alone")
	case !known:
		return refuse(contract.CodeUnknownType, "", "the candidate filter doesn't know this kind of signal")
	}
	return kind(s, contract.Stricter(n.policy, contract.Policy(s.Policy)))
}

// result is the outcome as a metric's label.
func (o *outcome) result() string {
	switch {
	case o.refused != nil:
		return "refused"
	case o.body == nil:
		return "dropped"
	default:
		return "passed"
	}
}

func (o *outcome) count(rule contract.Rule) {
	for i := range o.rules {
		if o.rules[i].rule == rule {
			o.rules[i].count++
			return
		}
	}
	o.rules = append(o.rules, ruleCount{rule, 1})
}

// refuse is a refusal whose message is safe to show and says what to do. rule is
// empty if the signal isn't what the rules are about.
func refuse(code contract.Code, rule contract.Rule, message string) outcome {
	return outcome{refused: &contract.Verdict{Code: code, Rule: rule, Message: message}}
}

// encode writes a body as the edge writes it: without HTML escapes.
func encode(body any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		panic("candidatefilter: internal error: a body without text: " + err.Error())
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
