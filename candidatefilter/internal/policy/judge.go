package policy

import (
	"errors"
	"net/netip"

	"github.com/parley-rtc/parley/candidatefilter/internal/candidate"
	"github.com/parley-rtc/parley/services/contract"
)

// discard is the port that stands for none: for a blanked related address (RFC
// 8839 section 5.1) and for a TCP candidate that only connects (RFC 6544
// section 4.5).
const discard = 9

// Verdict says what became of one candidate.
type Verdict struct {
	// Drop is the rule by which the candidate must not go on; empty if it does.
	Drop contract.Rule

	// Blanked says that the candidate goes on without the related address that
	// it carried: contract.RuleRelatedAddress. Replacing an address that said
	// nothing, or adding a missing one, isn't told.
	Blanked bool
}

// Judge decides whether c may pass under p, and if so blanks its related
// address where p asks for that. The empty policy is [contract.PolicyPublic],
// one that is unknown is [contract.PolicyRelay].
func Judge(c *candidate.Candidate, p contract.Policy) Verdict {
	p = effective(p)
	if drop := judgeShape(c, p); drop != "" {
		return Verdict{Drop: drop}
	}
	if !c.Address.IP.IsValid() {
		if c.Type != candidate.Host {
			return Verdict{Drop: contract.RuleHostname}
		}
		return Verdict{}
	}
	class := Classify(c.Address.IP)
	if p == contract.PolicyAll {
		if !class.Unicast() {
			return Verdict{Drop: class.Rule()}
		}
		return Verdict{}
	}
	if class != Global {
		return Verdict{Drop: class.Rule()}
	}
	return Verdict{Blanked: blankRelated(c)}
}

// effective replaces what is not a policy by the policy that counts.
func effective(p contract.Policy) contract.Policy {
	if p == "" {
		return contract.PolicyPublic
	}
	return contract.Stricter(p, p)
}

// judgeShape judges what doesn't depend on the address.
func judgeShape(c *candidate.Candidate, p contract.Policy) contract.Rule {
	switch {
	case p == contract.PolicyRelay && c.Type != candidate.Relay:
		return contract.RuleNotRelay
	case c.Port == 0:
		return contract.RuleBadPort
	case c.TCPType == candidate.Active && c.Port != discard:
		return contract.RuleBadPort
	}
	return ""
}

// blankRelated replaces the related address by one of the same family that
// says nothing, and reports whether it said something before.
func blankRelated(c *candidate.Candidate) bool {
	if c.Type == candidate.Host {
		return false
	}
	told := c.Related.Name != "" ||
		c.Related.IP.IsValid() && !c.Related.IP.IsUnspecified() ||
		c.RelatedPort != 0 && c.RelatedPort != discard
	blank := netip.IPv4Unspecified()
	if !c.Address.IP.Is4() {
		blank = netip.IPv6Unspecified()
	}
	c.Related = candidate.Address{IP: blank}
	c.RelatedPort = discard
	return told
}

// Read parses text and judges the candidate under p; if the verdict lets it
// pass, it comes as it may go on. The error is a *[candidate.Fault] for a text
// that the grammar doesn't allow. A host name in place of an address is a
// verdict, not an error, and comes without a candidate.
func Read(text string, p contract.Policy) (candidate.Candidate, Verdict, error) {
	c, err := candidate.Parse(text)
	if err == nil {
		v := Judge(&c, p)
		return c, v, nil
	}
	var fault *candidate.Fault
	if errors.As(err, &fault) && fault.Rule != contract.RuleBadCandidate {
		return c, Verdict{Drop: fault.Rule}, nil
	}
	return c, Verdict{}, err
}

// AppendCandidate is [Read] that writes the candidate to dst if it passes;
// otherwise dst comes back as it was. Nothing is allocated beyond what dst needs
// to grow.
func AppendCandidate(dst []byte, text string, p contract.Policy) ([]byte, Verdict, error) {
	c, v, err := Read(text, p)
	if err != nil || v.Drop != "" {
		return dst, v, err
	}
	return c.Append(dst), v, nil
}
