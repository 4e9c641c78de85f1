package candidatefilter

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/parley-rtc/parley/candidatefilter/internal/abnf"
	"github.com/parley-rtc/parley/candidatefilter/internal/candidate"
	"github.com/parley-rtc/parley/candidatefilter/internal/policy"
	"github.com/parley-rtc/parley/services/contract"
)

// The bounds of a username fragment (RFC 8839 section 5.4). sdpMid has none of
// its own, and so gets the same upper one.
const (
	minFragment = 4
	maxFragment = 256
)

// trickle is the body of a candidate frame: one candidate, or several.
type trickle struct {
	Negotiation string                  `json:"negotiation"`
	Candidate   *contract.ICECandidate  `json:"candidate,omitempty"`
	Candidates  []contract.ICECandidate `json:"candidates,omitempty"`
}

// judgeTrickle takes candidates out by the policy; of a frame in which none is
// left nothing goes on. A candidate that doesn't parse refuses its frame.
func judgeTrickle(s *contract.Signal, p contract.Policy) outcome {
	var t trickle
	if err := json.Unmarshal(s.Body, &t); err != nil {
		return badCandidate("the body must be an object with negotiation and a candidate or a list of candidates")
	}
	if (t.Candidate == nil) == (len(t.Candidates) == 0) {
		return badCandidate("exactly one of candidate and candidates is required, and candidates must not be empty")
	}
	var o outcome
	if t.Candidate != nil {
		passes, reason := o.candidate(t.Candidate, p)
		if reason != "" {
			return badCandidate("candidate: " + reason)
		}
		if passes {
			o.body = encode(t)
		}
		return o
	}
	kept := t.Candidates[:0]
	for i := range t.Candidates {
		c := t.Candidates[i]
		passes, reason := o.candidate(&c, p)
		if reason != "" {
			return badCandidate(fmt.Sprintf("candidates[%d]: %s", i, reason))
		}
		if passes {
			kept = append(kept, c)
		}
	}
	if t.Candidates = kept; len(kept) > 0 {
		o.body = encode(t)
	}
	return o
}

// candidate makes of c what may go on, counts the rule that took it or a part of
// it, and reports whether it passes. reason is why it is no candidate. An empty
// text ends the candidates and passes.
func (o *outcome) candidate(c *contract.ICECandidate, p contract.Policy) (passes bool, reason string) {
	if c.SDPMid != nil && *c.SDPMid != "" && (len(*c.SDPMid) > maxFragment || !abnf.IsToken(*c.SDPMid)) {
		return false, fmt.Sprintf("sdpMid must be a token of at most %d characters (RFC 8866), as the a=mid of its section", maxFragment)
	}
	fragment := ""
	if c.UsernameFragment != nil {
		fragment = *c.UsernameFragment
	}
	if fragment != "" && !abnf.IsICEChars(fragment, minFragment, maxFragment) {
		return false, fmt.Sprintf("usernameFragment must be %d to %d letters, digits, + or /", minFragment, maxFragment)
	}
	if c.Candidate == "" {
		return true, ""
	}
	parsed, verdict, err := policy.Read(c.Candidate, p)
	switch {
	case err != nil:
		return false, reasonOf(err)
	case fragment != "" && parsed.Has(candidate.ExtUfrag) && parsed.Ufrag != fragment:
		return false, "usernameFragment and the ufrag in the candidate's text must be the same"
	case verdict.Drop != "":
		o.count(verdict.Drop)
		return false, ""
	case verdict.Blanked:
		o.count(contract.RuleRelatedAddress)
	}
	c.Candidate = string(parsed.Append(nil))
	return true, ""
}

// reasonOf is a fault's reason without the place, which the caller knows better.
func reasonOf(err error) string {
	var fault *candidate.Fault
	if errors.As(err, &fault) {
		return fault.Reason
	}
	return err.Error()
}

func badCandidate(message string) outcome {
	return refuse(contract.CodeBadCandidate, contract.RuleBadCandidate, message)
}
