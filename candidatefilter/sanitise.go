package candidatefilter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/parley-rtc/parley/candidatefilter/internal/abnf"
	"github.com/parley-rtc/parley/candidatefilter/internal/policy"
	"github.com/parley-rtc/parley/candidatefilter/internal/sdp"
	"github.com/parley-rtc/parley/services/contract"
)

// maxTag bounds sdpMid and usernameFragment (RFC 8839 section 5.4: 256).
const maxTag = 256

// sanitised is an entry as it may go on.
type sanitised struct {
	data     []byte
	signals  int // that are in data
	verdicts []contract.Verdict
	err      error // the entry itself is no entry
}

// outcome is what became of one signal.
type outcome struct {
	body    []byte // as it may go on
	drop    bool   // nothing of it goes on
	refused *contract.Verdict
	rules   []ruleCount
}

type ruleCount struct {
	rule  contract.Rule
	count int
}

// sanitise reads an entry and writes the one that may go on. An entry in which
// nothing changes goes on as it came.
func (f *filter) sanitise(data []byte) (e sanitised) {
	if len(data) > contract.MaxEntryBytes {
		return sanitised{err: fmt.Errorf("entry of %d bytes, at most %d are allowed", len(data), contract.MaxEntryBytes)}
	}
	items, err := contract.ReadEntry(data)
	if err != nil {
		return sanitised{err: err}
	}
	changed := false
	e.data = contract.AppendEntry(make([]byte, 0, len(data)+len(data)/8))
	for {
		more, err := items.Next()
		if err != nil {
			return sanitised{err: err}
		}
		if !more {
			break
		}
		if !items.IsSignal() {
			return sanitised{err: errors.New("only the filter writes verdicts")}
		}
		var s contract.Signal
		if err := items.Signal(&s); err != nil {
			return sanitised{err: err}
		}
		changed = f.add(&e, &s) || changed
	}
	if e.signals > contract.MaxEntrySignals {
		return sanitised{err: fmt.Errorf("entry of %d signals, at most %d are allowed", e.signals, contract.MaxEntrySignals)}
	}
	if !changed {
		e.data = data
	}
	for i := range e.verdicts {
		e.data = contract.AppendVerdict(e.data, &e.verdicts[i])
	}
	return e
}

// add adds what may go on of a signal, with its verdicts, and reports whether
// that differs from what came.
func (f *filter) add(e *sanitised, s *contract.Signal) (changed bool) {
	span := startSanitise(s)
	defer endSpan(span)
	o := f.judge(s)
	kind := kindLabel(s.Kind)
	if o.refused != nil {
		signals.WithLabelValues(kind, "refused").Inc()
		rules.WithLabelValues(string(o.refused.Rule)).Inc()
		o.refused.From, o.refused.Seq, o.refused.Refused = string(s.From), s.Seq, true
		e.verdicts = append(e.verdicts, *o.refused)
		return true
	}
	for _, one := range o.rules {
		rules.WithLabelValues(string(one.rule)).Add(float64(one.count))
		e.verdicts = append(e.verdicts, contract.Verdict{
			From: string(s.From), Seq: s.Seq, Rule: one.rule, Count: one.count,
		})
	}
	if o.drop {
		signals.WithLabelValues(kind, "dropped").Inc()
		return true
	}
	signals.WithLabelValues(kind, "passed").Inc()
	changed = !bytes.Equal(o.body, s.Body)
	s.Body = o.body
	e.data = contract.AppendSignal(e.data, s)
	e.signals++
	return changed
}

// judge sanitises one signal. A panic refuses the signal and nothing else.
func (f *filter) judge(s *contract.Signal) (o outcome) {
	defer func() {
		if fault := recover(); fault != nil {
			slog.Error("a signal made the filter panic; it is refused", "kind", s.Kind, "panic", fmt.Sprint(fault))
			panics.Inc()
			o = refuse(contract.CodeInternal, contract.RuleBadDescription, "the filter could not read it; this was logged")
		}
	}()
	p := contract.Stricter(f.cfg.Policy, contract.Policy(s.Policy))
	switch s.Kind {
	case contract.KindOffer, contract.KindAnswer:
		return f.judgeDescription(s.Body, p)
	case contract.KindCandidate:
		return judgeTrickle(s.Body, p)
	case contract.KindMessage, contract.KindPresence:
		return outcome{body: s.Body}
	case contract.KindEvent:
		return refuse(contract.CodeForbidden, contract.RuleBadDescription, "only roomsvc writes room events")
	default:
		return refuse(contract.CodeUnknownType, contract.RuleBadDescription, "this filter doesn't know this kind of signal")
	}
}

func refuse(code contract.Code, rule contract.Rule, message string) outcome {
	return outcome{refused: &contract.Verdict{Code: code, Rule: rule, Message: message}}
}

// description is the body of an offer or an answer.
type description struct {
	Negotiation string                      `json:"negotiation"`
	Description contract.SessionDescription `json:"description"`
}

func (f *filter) judgeDescription(body []byte, p contract.Policy) outcome {
	var d description
	if err := json.Unmarshal(body, &d); err != nil {
		return refuse(contract.CodeBadDescription, contract.RuleBadDescription, "the body is no description")
	}
	out, report, err := sdp.Sanitise(nil, []byte(d.Description.SDP), p, f.cfg.Descriptions.limits())
	if err != nil {
		return refuse(contract.CodeBadDescription, contract.RuleBadDescription, err.Error())
	}
	o := outcome{body: body}
	for rule, count := range report.All() {
		o.rules = append(o.rules, ruleCount{rule, count})
	}
	if string(out) != d.Description.SDP {
		d.Description.SDP = string(out)
		o.body = encode(d)
	}
	return o
}

// trickle is the body of a candidate frame.
type trickle struct {
	Negotiation string                  `json:"negotiation"`
	Candidate   *contract.ICECandidate  `json:"candidate,omitempty"`
	Candidates  []contract.ICECandidate `json:"candidates,omitempty"`
}

// judgeTrickle takes candidates out by the policy. A frame of which nothing is
// left doesn't go on; a candidate that doesn't parse refuses its frame.
func judgeTrickle(body []byte, p contract.Policy) outcome {
	var t trickle
	if err := json.Unmarshal(body, &t); err != nil {
		return refuse(contract.CodeBadCandidate, contract.RuleBadCandidate, "the body holds no candidate")
	}
	all := t.Candidates
	if t.Candidate != nil {
		all = []contract.ICECandidate{*t.Candidate}
	}
	var (
		kept    []contract.ICECandidate
		o       = outcome{body: body}
		changed bool
	)
	for _, c := range all {
		text, rule, fault := judgeCandidate(&c, p)
		if fault != nil {
			return refuse(contract.CodeBadCandidate, contract.RuleBadCandidate, fault.Error())
		}
		if rule != "" {
			o.count(rule)
		}
		if text == "" && c.Candidate != "" {
			continue
		}
		changed = changed || text != c.Candidate
		c.Candidate = text
		kept = append(kept, c)
	}
	switch {
	case len(kept) == 0:
		return outcome{drop: true, rules: o.rules}
	case !changed && len(kept) == len(all):
		return o
	case t.Candidate != nil:
		t.Candidate = &kept[0]
	default:
		t.Candidates = kept
	}
	o.body = encode(t)
	return o
}

// judgeCandidate returns the candidate's text as it may go on, "" if it may
// not, and the rule that took it or a part of it. An empty candidate ends the
// candidates and passes.
func judgeCandidate(c *contract.ICECandidate, p contract.Policy) (text string, rule contract.Rule, fault error) {
	if c.SDPMid != nil && *c.SDPMid != "" && (len(*c.SDPMid) > maxTag || !abnf.IsToken(*c.SDPMid)) {
		return "", "", errors.New("candidate: sdpMid must be a token of at most 256 characters")
	}
	if c.UsernameFragment != nil && *c.UsernameFragment != "" && !abnf.IsICEChars(*c.UsernameFragment, 4, maxTag) {
		return "", "", errors.New("candidate: usernameFragment must be 4 to 256 letters, digits, + or /")
	}
	if c.Candidate == "" {
		return "", "", nil
	}
	out, verdict, err := policy.AppendCandidate(nil, c.Candidate, p)
	switch {
	case err != nil:
		return "", "", err
	case verdict.Drop != "":
		return "", verdict.Drop, nil
	case verdict.Blanked:
		return string(out), contract.RuleRelatedAddress, nil
	default:
		return string(out), "", nil
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
