package envelope

import (
	"fmt"
	"math"

	"github.com/parley-rtc/parley/services/contract"
)

// Signal is a frame that is relayed: an offer, an answer, candidates or a
// message. Its bytes are borrowed, from the frame's text or from the Reader:
// who keeps some must copy them.
type Signal struct {
	Kind        contract.Kind
	Room        []byte      // the room's name
	To          []byte      // peer; empty: of a message to the whole room
	Negotiation []byte      // empty: of a message
	SDP         []byte      // of an offer or answer
	Candidates  []Candidate // of candidates, at least one
	List        bool        // of candidates: they came as a list
	ID, Re      []byte      // of a message; may be empty
	Data        []byte      // of a message: its JSON

	sdp []byte // SDP as a JSON string
}

// Candidate is one candidate of a Signal.
type Candidate struct {
	Ufrag []byte // empty: it names none

	text, mid, ufrag []byte // as JSON strings; empty: absent
	index            []byte // the digits of sdpMLineIndex
}

// begin makes the Reader's signal one of that kind, and reads what all have.
func (r *Reader) begin(kind contract.Kind) *Signal {
	s := &r.signal
	*s = Signal{Kind: kind, Candidates: s.Candidates[:0]}
	s.Room = r.room()
	s.To = r.peer("to", kind != contract.KindMessage)
	return s
}

func (r *Reader) describe(kind contract.Kind) any {
	s := r.begin(kind)
	s.Negotiation = r.label("negotiation")
	inner, ok := r.nested("description", true)
	if !ok {
		return s
	}
	described := inner.text("type")
	s.SDP = inner.text("sdp")
	if r.common.err != nil {
		return s
	}
	if string(described) != r.frame.Type {
		inner.refuse(contract.CodeBadFrame, "type", fmt.Sprintf("%q is required, as the frame has it", r.frame.Type))
	}
	s.sdp = inner.quoted(inner.find("sdp"))
	return s
}

func (r *Reader) trickle() any {
	s := r.begin(contract.KindCandidate)
	s.Negotiation = r.label("negotiation")
	one := r.find("candidate").kind != kindAbsent
	s.List = r.find("candidates").kind != kindAbsent
	switch {
	case one == s.List:
		r.refuse(contract.CodeBadFrame, "candidate", "exactly one of candidate and candidates is required")
	case one:
		if inner, ok := r.nested("candidate", true); ok {
			s.Candidates = append(s.Candidates, inner.candidate())
		}
	default:
		r.candidates()
	}
	return s
}

// candidates reads a list of 1 to Limits.Candidates candidates.
func (r *Reader) candidates() {
	n := r.list("candidates", func(i int, v value) {
		if r.common.err != nil || i >= r.limits.Candidates {
			return
		}
		if v.kind != kindObject {
			r.refuse(contract.CodeBadFrame, "candidates", "a list of objects is required")
			return
		}
		inner := r.sub(v, "candidates", i)
		r.signal.Candidates = append(r.signal.Candidates, inner.candidate())
	})
	switch {
	case n == 0:
		r.refuse(contract.CodeBadFrame, "candidates", "a list that isn't empty is required")
	case n > r.limits.Candidates:
		r.refuse(contract.CodeBadFrame, "candidates",
			fmt.Sprintf("%d candidates, at most %d a frame are allowed", n, r.limits.Candidates))
	}
}

// candidate reads an RTCIceCandidateInit (W3C WebRTC section 4.8.1.1).
func (f *fields) candidate() Candidate {
	var c Candidate
	if text := f.optionalText("candidate"); len(text) > 0 {
		c.text = f.quoted(f.find("candidate"))
	}
	if v, ok := f.nullableText("sdpMid"); ok {
		c.mid = f.quoted(v)
	}
	if v, ok := f.nullableText("usernameFragment"); ok {
		c.ufrag, c.Ufrag = f.quoted(v), f.bytes(v)
	}
	if v := f.find("sdpMLineIndex"); v.kind != kindAbsent && v.kind != kindNull {
		f.integer("sdpMLineIndex", 0, math.MaxUint16)
		c.index = f.in[v.start:v.end]
	}
	if len(c.text) > 0 && len(c.mid) == 0 && len(c.index) == 0 {
		f.refuse(contract.CodeBadFrame, "sdpMid", "a candidate needs sdpMid or sdpMLineIndex")
	}
	return c
}

func (r *Reader) message() any {
	s := r.begin(contract.KindMessage)
	s.ID, s.Re = r.optionalLabel("id"), r.optionalLabel("re")
	s.Data = r.raw("data")
	return s
}

// Drop takes out the candidates that drop reports true for, and counts them.
func (s *Signal) Drop(drop func(*Candidate) bool) (dropped int) {
	kept := 0
	for i := range s.Candidates {
		if !drop(&s.Candidates[i]) {
			s.Candidates[kept] = s.Candidates[i]
			kept++
		}
	}
	dropped = len(s.Candidates) - kept
	s.Candidates = s.Candidates[:kept]
	return dropped
}
