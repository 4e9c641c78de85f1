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
	limits sdp.Limits
	kinds  map[contract.Kind]judge // what clients send; all else is refused
}

// judge decides about one signal under a policy, whatever the form of its body.
type judge func(s *contract.Signal, p contract.Policy) outcome

// outcome is what becomes of one signal: refused, or its body as it may go on;
// without either nothing of it is left.
type outcome struct {
	body    []byte
	kept    bool // body is the one that came
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
	return sanitiser{policy: p, limits: limits, kinds: map[contract.Kind]judge{
		contract.KindOffer:     describe,
		contract.KindAnswer:    describe,
		contract.KindCandidate: judgeTrickle,
		contract.KindMessage:   judgeMessage,
		contract.KindPresence:  judgePresence,
	}}
}

// add judges the signal in w, which stands from start to end in the entry that
// came, and adds to e what of it may go on, and the verdicts about it.
func (n *sanitiser) add(w *workspace, e *sanitised, came []byte, start, end int) {
	s := &w.signal
	span := startSanitise(s)
	o := n.judge(w)
	countSignal(s.Kind, o.result())
	endSpan(span, o.result())
	if v := o.refused; v != nil {
		if v.Rule != "" {
			rules.WithLabelValues(string(v.Rule)).Inc()
		}
		v.From, v.Seq, v.Refused = string(s.From), s.Seq, true
		e.verdicts = append(e.verdicts, *v)
		e.rewrite(w)
		return
	}
	for _, one := range o.rules {
		rules.WithLabelValues(string(one.rule)).Add(float64(one.count))
		e.verdicts = append(e.verdicts, contract.Verdict{From: string(s.From), Seq: s.Seq, Rule: one.rule, Count: one.count})
	}
	switch {
	case o.body == nil:
		e.rewrite(w)
		return
	case o.kept && !e.anew:
		e.data = came[:end:end]
	case o.kept:
		e.data = append(e.data, came[start:end]...)
	default:
		e.rewrite(w)
		s.Body = o.body
		e.data = contract.AppendSignal(e.data, s)
	}
	e.signals++
}

// judge decides about the signal in w. A panic refuses the signal and nothing
// else.
func (n *sanitiser) judge(w *workspace) (o outcome) {
	s := &w.signal
	defer func() {
		if fault := recover(); fault != nil {
			panics.Inc()
			slog.Error("a signal made the filter panic; it is refused",
				"type", kindLabel(s.Kind), "panic", fmt.Sprint(fault), "stack", string(debug.Stack()))
			o = refuse(contract.CodeInternal, "", "the candidate filter failed at this frame; that was logged, and it doesn't go on")
		}
	}()
	p := contract.Stricter(n.policy, policyOf(s.Policy))
	if o, ok := n.judgeCanonical(w, p); ok {
		return o
	}
	return n.judgeAny(s, p)
}

// judgeAny decides about a signal whose body may be in any form.
func (n *sanitiser) judgeAny(s *contract.Signal, p contract.Policy) outcome {
	kind, known := n.kinds[s.Kind]
	switch {
	case s.Kind == contract.KindEvent:
		return refuse(contract.CodeForbidden, "", "room events come from roomsvc alone")
	case !known:
		return refuse(contract.CodeUnknownType, "", "the candidate filter doesn't know this kind of signal")
	}
	o := kind(s, p)
	o.kept = o.body != nil && bytes.Equal(o.body, s.Body)
	return o
}

// policyOf is the policy that a signal names, without an allocation. What isn't
// one is the strictest, as [contract.Stricter] has it.
func policyOf(text []byte) contract.Policy {
	switch string(text) {
	case "":
		return ""
	case string(contract.PolicyAll):
		return contract.PolicyAll
	case string(contract.PolicyPublic):
		return contract.PolicyPublic
	default:
		return contract.PolicyRelay
	}
}

// result is what became of a signal, as a metric's label tells it.
type result int

// The results.
const (
	passed result = iota
	dropped
	refused
)

var resultLabels = [...]string{passed: "passed", dropped: "dropped", refused: "refused"}

func (r result) String() string { return resultLabels[r] }

func (o *outcome) result() result {
	switch {
	case o.refused != nil:
		return refused
	case o.body == nil:
		return dropped
	default:
		return passed
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
