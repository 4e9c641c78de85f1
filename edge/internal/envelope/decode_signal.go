package envelope

import (
	"fmt"
	"math"

	"github.com/parley-rtc/parley/services/contract"
)

func (r *reader) describe() any {
	d := &contract.Describe{
		Type:        r.frame.Type,
		Seq:         r.frame.Seq,
		Room:        r.room(),
		To:          r.peer("to", true),
		Negotiation: r.label("negotiation"),
		Trace:       r.frame.Trace,
	}
	if inner, ok := r.nested("description", true); ok {
		d.Description = contract.SessionDescription{Type: inner.text("type"), SDP: inner.text("sdp")}
		if d.Description.Type != d.Type {
			inner.refuse(contract.CodeBadFrame, "type", fmt.Sprintf("%q is required, as the frame has it", d.Type))
		}
	}
	return d
}

func (r *reader) trickle() any {
	t := &contract.Trickle{
		Type:        r.frame.Type,
		Seq:         r.frame.Seq,
		Room:        r.room(),
		To:          r.peer("to", true),
		Negotiation: r.label("negotiation"),
		Trace:       r.frame.Trace,
	}
	one := r.find("candidate").kind != kindAbsent
	several := r.find("candidates").kind != kindAbsent
	switch {
	case one == several:
		r.refuse(contract.CodeBadFrame, "candidate", "exactly one of candidate and candidates is required")
	case one:
		if inner, ok := r.nested("candidate", true); ok {
			c := inner.candidate()
			t.Candidate = &c
		}
	default:
		t.Candidates = r.candidates()
	}
	return t
}

// candidates reads a list of 1 to Limits.Candidates candidates.
func (r *reader) candidates() []contract.ICECandidate {
	var all []contract.ICECandidate
	n := r.list("candidates", func(i int, v value) {
		if *r.err != nil || i >= r.limits.Candidates {
			return
		}
		if v.kind != kindObject {
			r.refuse(contract.CodeBadFrame, "candidates", "a list of objects is required")
			return
		}
		inner := r.sub(v, "candidates", i)
		all = append(all, inner.candidate())
	})
	switch {
	case n == 0:
		r.refuse(contract.CodeBadFrame, "candidates", "a list that isn't empty is required")
	case n > r.limits.Candidates:
		r.refuse(contract.CodeBadFrame, "candidates",
			fmt.Sprintf("%d candidates, at most %d a frame are allowed", n, r.limits.Candidates))
	}
	return all
}

// candidate reads an RTCIceCandidateInit (W3C WebRTC section 4.8.1.1).
func (f *fields) candidate() contract.ICECandidate {
	c := contract.ICECandidate{
		Candidate:        f.optionalText("candidate"),
		SDPMid:           f.nullableText("sdpMid"),
		UsernameFragment: f.nullableText("usernameFragment"),
	}
	if v := f.find("sdpMLineIndex"); v.kind != kindAbsent && v.kind != kindNull {
		index := uint16(f.integer("sdpMLineIndex", 0, math.MaxUint16))
		c.SDPMLineIndex = &index
	}
	if c.Candidate != "" && c.SDPMid == nil && c.SDPMLineIndex == nil {
		f.refuse(contract.CodeBadFrame, "sdpMid", "a candidate needs sdpMid or sdpMLineIndex")
	}
	return c
}

func (r *reader) message() any {
	return &contract.Message{
		Type:  r.frame.Type,
		Seq:   r.frame.Seq,
		Room:  r.room(),
		To:    r.peer("to", false),
		ID:    r.optionalLabel("id"),
		Re:    r.optionalLabel("re"),
		Data:  r.json("data"),
		Trace: r.frame.Trace,
	}
}

// maxParts bounds `of`; a frame has at most one part a byte.
const maxParts = 1 << 20

func (r *reader) part() any {
	p := &contract.Part{
		Type:  r.frame.Type,
		ID:    r.text("id"),
		Index: int(r.integer("index", 0, maxParts-1)),
		Of:    int(r.integer("of", 1, maxParts)),
		Chunk: r.text("chunk"),
	}
	if *r.err == nil && (p.ID == "" || len(p.ID) > contract.MaxPartIDBytes) {
		r.refuse(contract.CodeBadFrame, "id", fmt.Sprintf("1 to %d bytes are required", contract.MaxPartIDBytes))
	}
	return p
}
