package client

import (
	"unicode/utf8"

	"github.com/parley-rtc/parley/services/contract"
)

// Signal is what a room sends; make one with OfferTo, AnswerTo, CandidatesTo,
// MessageTo or ToAll, and send it with [Room.Do] or [Room.Post].
type Signal struct {
	kind        string
	to          contract.Token
	all         bool
	negotiation string
	description contract.SessionDescription
	candidates  []contract.ICECandidate
	id, re      string
	data        any
}

// OfferTo offers a session description to a peer. The negotiation must be new
// for each offer, at most [contract.MaxNameField] bytes; the answer and all
// candidates of both sides repeat it.
func OfferTo(to contract.Token, negotiation string, d contract.SessionDescription) Signal {
	return Signal{kind: contract.TypeOffer, to: to, negotiation: negotiation, description: d}
}

// AnswerTo answers the offer of that negotiation.
func AnswerTo(to contract.Token, negotiation string, d contract.SessionDescription) Signal {
	return Signal{kind: contract.TypeAnswer, to: to, negotiation: negotiation, description: d}
}

// CandidatesTo sends ICE candidates of a negotiation, in one frame. An empty
// candidate ends them.
func CandidatesTo(to contract.Token, negotiation string, candidates ...contract.ICECandidate) Signal {
	return Signal{kind: contract.TypeCandidate, to: to, negotiation: negotiation, candidates: candidates}
}

// MessageTo sends application data, any value that can be written as JSON, to
// one peer.
func MessageTo(to contract.Token, data any) Signal {
	return Signal{kind: contract.TypeMessage, to: to, data: data}
}

// ToAll sends application data to every other member of the room.
func ToAll(data any) Signal { return Signal{kind: contract.TypeMessage, all: true, data: data} }

// frame is the signal as the outbox takes it.
func (s Signal) frame(room, trace string) (*outFrame, error) {
	if s.to.IsZero() != s.all {
		return nil, contract.Errorf(contract.CodeBadFrame, "%s: it has no receiver, give a peer", s.kind)
	}
	var frame any
	switch s.kind {
	case contract.TypeOffer, contract.TypeAnswer:
		frame = contract.Describe{
			Type: s.kind, Room: room, To: s.to.String(), Negotiation: s.negotiation, Description: s.description, Trace: trace,
		}
	case contract.TypeCandidate:
		t := contract.Trickle{Type: s.kind, Room: room, To: s.to.String(), Negotiation: s.negotiation, Trace: trace}
		switch len(s.candidates) {
		case 0:
			return nil, contract.Errorf(contract.CodeBadFrame, "candidate: there is none, an empty one ends them")
		case 1:
			t.Candidate = &s.candidates[0]
		default:
			t.Candidates = s.candidates
		}
		frame = t
	case contract.TypeMessage:
		data, err := encodeData(s.data)
		if err != nil {
			return nil, err
		}
		if data == nil {
			data = []byte("null")
		}
		frame = contract.Message{
			Type: s.kind, Room: room, To: s.to.String(), ID: s.id, Re: s.re, Data: data, Trace: trace,
		}
	default:
		return nil, contract.Errorf(contract.CodeBadFrame, "empty signal: make one with OfferTo, AnswerTo, CandidatesTo, MessageTo or ToAll")
	}
	return newOutFrame(s.kind, frame)
}

// check refuses what the edge would close the connection for, or would refuse
// for its size.
func (f *outFrame) check(l contract.Limits) error {
	if size := f.size() + len("9007199254740991"); size > l.FrameBytes {
		return contract.Errorf(contract.CodeTooLarge, "%s of %d bytes, at most %d are allowed", f.kind, size, l.FrameBytes)
	}
	if !utf8.Valid(f.head) || !utf8.Valid(f.tail) {
		return contract.Errorf(contract.CodeBadFrame, "%s: it isn't UTF-8", f.kind)
	}
	return nil
}
