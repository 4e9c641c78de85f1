package sdp

import (
	"iter"

	"github.com/parley-rtc/parley/services/contract"
)

// reported are the rules that a description can fall under without being
// refused.
var reported = [...]contract.Rule{
	contract.RulePrivateAddress,
	contract.RuleLoopback,
	contract.RuleLinkLocal,
	contract.RuleMulticast,
	contract.RuleBroadcast,
	contract.RuleUnspecified,
	contract.RuleReservedAddress,
	contract.RuleHostname,
	contract.RuleNotRelay,
	contract.RuleBadPort,
	contract.RuleRelatedAddress,
	contract.RuleTooManyCandidates,
	contract.RuleBadCandidate,
	contract.RuleSDPAddress,
	contract.RuleSDPLine,
}

// Report says what [Sanitise] took out. The zero Report says: nothing.
type Report struct {
	Sections   int // m= lines
	Candidates int // candidates that went on

	counts [len(reported)]int // parallel to reported
}

// Count returns how often a rule was applied.
func (r *Report) Count(rule contract.Rule) int {
	for i, known := range reported {
		if known == rule {
			return r.counts[i]
		}
	}
	return 0
}

// All yields each rule that was applied with its count, in the order of
// contract.Rules.
func (r *Report) All() iter.Seq2[contract.Rule, int] {
	return func(yield func(contract.Rule, int) bool) {
		for i, n := range r.counts {
			if n > 0 && !yield(reported[i], n) {
				return
			}
		}
	}
}

func (r *Report) add(rule contract.Rule) {
	for i, known := range reported {
		if known == rule {
			r.counts[i]++
			return
		}
	}
}
