package sdp

import "github.com/parley-rtc/parley/services/contract"

// Sanitise appends to dst the description that may go on in place of text under
// the policy p, and returns the longer slice and what was taken out. The empty
// policy is contract.PolicyPublic, one that is unknown is contract.PolicyRelay.
//
// The error is a *[Fault]; dst then comes back as it was. dst may share memory
// with text.
func Sanitise(dst, text []byte, p contract.Policy, lim Limits) ([]byte, Report, error) {
	s := sanitiser{out: dst, lim: lim, policy: p, open: p == contract.PolicyAll}
	if f := s.run(string(text)); f != nil {
		return dst, Report{}, f
	}
	return s.out, s.report, nil
}

// sanitiser is the state of one call of [Sanitise].
type sanitiser struct {
	lim    Limits
	policy contract.Policy
	open   bool // addresses outside of candidates stay

	out    []byte
	report Report
}

func (s *sanitiser) run(text string) *Fault {
	if f := check(text, s.lim); f != nil {
		return f
	}
	l := lines{rest: text}
	if f := s.session(&l); f != nil {
		return f
	}
	for l.peek() == 'm' {
		if f := s.media(&l); f != nil {
			return f
		}
	}
	return nil
}

// write writes a line as it is. Its value was checked by the caller.
func (s *sanitiser) write(kind byte, value string) {
	s.out = append(s.out, kind, '=')
	s.out = append(s.out, value...)
	s.end()
}

// end ends a line.
func (s *sanitiser) end() { s.out = append(s.out, '\r', '\n') }

// remove counts a line, or a part of one, that doesn't go on.
func (s *sanitiser) remove() { s.report.add(contract.RuleSDPLine) }

// fault refuses the description because of one line.
func (ln line) fault(reason string) *Fault { return &Fault{ln.number, reason} }
