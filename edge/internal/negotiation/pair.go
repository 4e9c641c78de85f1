package negotiation

import (
	"math"
	"slices"

	"github.com/parley-rtc/parley/services/contract"
)

// maxReplaced is how many replaced negotiations are remembered. Candidates of
// older ones pass: only what is known to be of no use is dropped.
const maxReplaced = 4

// Pair is what the edge of one peer ("we") knows of its negotiations with one
// other peer. The zero Pair knows nothing, which lets everything pass. It must
// not be used by two goroutines at once.
type Pair struct {
	settled   exchange              // the last one whose answer passed here
	sent      exchange              // our offer without an answer
	got       exchange              // their offer without an answer
	replaced  [maxReplaced]exchange // the newest first
	strangers int32                 // candidates of unknown negotiations since the last description
}

// SendOffer notes an offer that we send. It returns CodeGlare, and notes
// nothing, if the offer must not be sent: an offer of the other peer was
// delivered to us that we haven't answered, we are the polite one, and we can't
// roll back.
func (p *Pair) SendOffer(negotiation, sdp []byte, selfPolite, selfRollback bool) *contract.Error {
	id := markOf(negotiation)
	if p.got.id != none && p.got.id != id && selfPolite && !selfRollback {
		return contract.Errorf(contract.CodeGlare, "the other peer's offer came first: answer it, then offer again")
	}
	if p.sent.id != id {
		p.retire(&p.sent)
		p.sent.id = id
	}
	p.sent.describe(sdp)
	p.strangers = 0
	return nil
}

// ReceiveOffer notes that an offer of the other peer is delivered to us.
func (p *Pair) ReceiveOffer(negotiation []byte) {
	if id := markOf(negotiation); p.got.id != id {
		p.retire(&p.got)
		p.got.id = id
	}
	p.strangers = 0
}

// SendAnswer notes an answer that we send. It ends an offer of our own that is
// still open: whoever answers has rolled it back.
func (p *Pair) SendAnswer(negotiation, sdp []byte) {
	p.settle(p.take(markOf(negotiation)))
	p.settled.describe(sdp)
	p.retire(&p.sent)
}

// ReceiveAnswer notes that an answer of the other peer is delivered to us. It
// ends an offer of theirs that is still open, for the same reason. The answer
// to an offer that was replaced means nothing; one to an offer that isn't known
// belongs to a description that another edge has seen.
func (p *Pair) ReceiveAnswer(negotiation []byte) {
	id := markOf(negotiation)
	switch {
	case p.sent.id == id:
		p.settle(p.take(id))
		p.retire(&p.got)
	case p.find(id) == nil:
		p.settle(exchange{id: id, unknown: true})
	}
}

// Candidate judges n candidates that we send with one negotiation and one
// username fragment (empty if they name none). rule is RuleSuperseded if they
// must be dropped; err is CodeTooManyCands if they are over maxPerNegotiation
// together with those that passed before.
func (p *Pair) Candidate(negotiation, ufrag []byte, maxPerNegotiation, n int) (rule contract.Rule, err *contract.Error) {
	e := p.find(markOf(negotiation))
	passed := &p.strangers
	if e != nil {
		if p.isReplaced(e) && p.superseded(e, ufrag) {
			return contract.RuleSuperseded, nil
		}
		passed = &e.candidates
	}
	if n > maxPerNegotiation-int(*passed) || n > math.MaxInt32-int(*passed) {
		return "", contract.Errorf(contract.CodeTooManyCands,
			"%d candidates of this negotiation passed, at most %d are allowed", *passed, maxPerNegotiation)
	}
	*passed += int32(n)
	return "", nil
}

// superseded reports whether candidates of the replaced exchange e can't belong
// to a description of ours that counts. A renegotiation without ICE restart
// keeps the username fragment (RFC 8839 section 5.4), so late candidates under
// the old negotiation stay good. Without a fragment those of e's description
// decide.
func (p *Pair) superseded(e *exchange, ufrag []byte) bool {
	if p.settled.unknown || p.sent.unknown {
		return false
	}
	if len(ufrag) > 0 {
		return !p.current(markOf(ufrag))
	}
	if e.unknown {
		return false
	}
	for _, u := range e.ufrags {
		if u != none && p.current(u) {
			return false
		}
	}
	return true
}

// current reports whether a description of ours that counts has the fragment.
// An open offer doesn't end what was settled before: it may be rolled back.
func (p *Pair) current(ufrag mark) bool { return p.settled.has(ufrag) || p.sent.has(ufrag) }

// settle makes e the settled exchange.
func (p *Pair) settle(e exchange) {
	p.retire(&p.settled)
	p.settled = e
	p.strangers = 0
}

// take returns the exchange of that id and forgets it, or a new one.
func (p *Pair) take(id mark) exchange {
	e := p.find(id)
	if e == nil {
		return exchange{id: id}
	}
	taken := *e
	*e = exchange{}
	return taken
}

// retire moves an exchange to the replaced ones. The oldest of them is
// forgotten, unless one was taken from among them and left its place.
func (p *Pair) retire(e *exchange) {
	if e.id == none {
		return
	}
	free := slices.IndexFunc(p.replaced[:], func(r exchange) bool { return r.id == none })
	if free < 0 {
		free = maxReplaced - 1
	}
	copy(p.replaced[1:free+1], p.replaced[:free])
	p.replaced[0] = *e
	*e = exchange{}
}

// find returns the exchange of that id, or nil; what counts comes before what
// was replaced.
func (p *Pair) find(id mark) *exchange {
	for _, e := range [...]*exchange{&p.sent, &p.got, &p.settled} {
		if e.id == id {
			return e
		}
	}
	for i := range p.replaced {
		if p.replaced[i].id == id {
			return &p.replaced[i]
		}
	}
	return nil
}

func (p *Pair) isReplaced(e *exchange) bool { return e != &p.sent && e != &p.got && e != &p.settled }
