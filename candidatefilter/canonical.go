package candidatefilter

import (
	"github.com/parley-rtc/parley/candidatefilter/internal/canonical"
	"github.com/parley-rtc/parley/services/contract"
)

// judgeCanonical decides about the signal in w if its body is in the form in
// which edges write bodies and nothing is to be refused. It decides as judgeAny
// does, which encoding/json makes six times as dear; ok is false if that must
// decide. Nothing is allocated unless something is taken out.
func (n *sanitiser) judgeCanonical(w *workspace, p contract.Policy) (o outcome, ok bool) {
	switch w.signal.Kind {
	case contract.KindCandidate:
		return w.trickle(p)
	case contract.KindMessage:
		return w.asItCame(isMessage(w.signal.Body))
	case contract.KindPresence:
		return w.asItCame(isPresence(w.signal.Body))
	case contract.KindOffer, contract.KindAnswer:
		return w.description(p, n.limits)
	default:
		return outcome{}, false
	}
}

// asItCame is the outcome for a body that goes on as it is.
func (w *workspace) asItCame(ok bool) (outcome, bool) {
	return outcome{body: w.signal.Body, kept: true}, ok
}

// isMessage reports whether body is a message as judgeMessage writes one.
func isMessage(body []byte) bool {
	r := canonical.Read(body)
	if !r.Is("{") {
		return false
	}
	for _, member := range [...]string{`"id":`, `"re":`} {
		if !r.Is(member) {
			continue
		}
		if name, ok := r.Plain(); !ok || len(name) == 0 || !r.Is(",") {
			return false
		}
	}
	return r.Is(`"data":`) && r.Value() && r.Is("}") && r.Ended()
}

// isPresence reports whether body is a presence as an edge writes it.
func isPresence(body []byte) bool {
	const digits = 1e19 - 1 // fit into 64 bits
	r := canonical.Read(body)
	if !r.Is(`{"peer":`) {
		return false
	}
	if peer, ok := r.Quoted(); !ok || !contract.IsToken(peer) {
		return false
	}
	if !r.Is(`,"version":`) || !r.Number(digits) {
		return false
	}
	if r.Is(`,"presence":`) && !r.Value() {
		return false
	}
	if r.Is(`,"state":`) {
		if _, ok := r.Plain(); !ok {
			return false
		}
	}
	return r.Is("}") && r.Ended()
}
