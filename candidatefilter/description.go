package candidatefilter

import (
	"encoding/json"

	"github.com/parley-rtc/parley/candidatefilter/internal/sdp"
	"github.com/parley-rtc/parley/services/contract"
)

// description is the body of an offer or an answer.
type description struct {
	Negotiation string                      `json:"negotiation"`
	Description contract.SessionDescription `json:"description"`
}

// judgeDescription sanitises the SDP of an offer or an answer. One that doesn't
// parse, or is over a limit, refuses its frame.
func judgeDescription(s *contract.Signal, p contract.Policy, limits sdp.Limits) outcome {
	var d description
	if err := json.Unmarshal(s.Body, &d); err != nil {
		return badDescription("the body must be an object with negotiation and description, and description one with type and sdp")
	}
	if d.Description.Type != s.Kind.Type() {
		return badDescription("the type of the description must be " + s.Kind.Type() + ", as that of its frame")
	}
	text, report, err := sdp.Sanitise(nil, []byte(d.Description.SDP), p, limits)
	if err != nil {
		return badDescription(err.Error())
	}
	d.Description.SDP = string(text)
	o := outcome{body: encode(d)}
	for rule, count := range report.All() {
		o.rules = append(o.rules, ruleCount{rule, count})
	}
	return o
}

func badDescription(message string) outcome {
	return refuse(contract.CodeBadDescription, contract.RuleBadDescription, message)
}
