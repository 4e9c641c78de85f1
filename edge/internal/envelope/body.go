package envelope

import "github.com/parley-rtc/parley/services/contract"

// AppendBody appends the JSON object that goes into contract.Signal.Body:
// {"negotiation","description"} of an offer or answer, {"negotiation",
// "candidate"} or {"negotiation","candidates"} of candidates,
// {"id","re","data"} of a message (id and re only if they aren't empty). A
// signal that a Reader didn't make must be a message whose Data is JSON. A
// signal of candidates must have one left.
func AppendBody(dst []byte, s *Signal) []byte {
	switch s.Kind {
	case contract.KindOffer, contract.KindAnswer:
		return appendDescription(dst, s)
	case contract.KindCandidate:
		return appendCandidates(dst, s)
	default:
		return appendMessage(dst, s)
	}
}

func appendDescription(dst []byte, s *Signal) []byte {
	dst = appendNegotiation(dst, s)
	dst = append(dst, `,"description":{"type":"`...)
	dst = append(dst, s.Kind.Type()...)
	dst = append(dst, `","sdp":`...)
	dst = append(dst, s.sdp...)
	return append(dst, "}}"...)
}

func appendNegotiation(dst []byte, s *Signal) []byte {
	dst = append(dst, `{"negotiation":`...)
	return appendQuoted(dst, s.Negotiation)
}

func appendCandidates(dst []byte, s *Signal) []byte {
	dst = appendNegotiation(dst, s)
	if !s.List {
		dst = append(dst, `,"candidate":`...)
		return append(appendCandidate(dst, &s.Candidates[0]), '}')
	}
	dst = append(dst, `,"candidates":[`...)
	for i := range s.Candidates {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCandidate(dst, &s.Candidates[i])
	}
	return append(dst, "]}"...)
}

func appendCandidate(dst []byte, c *Candidate) []byte {
	dst = append(dst, `{"candidate":`...)
	if len(c.text) == 0 {
		dst = append(dst, `""`...)
	}
	dst = append(dst, c.text...)
	if len(c.mid) > 0 {
		dst = append(dst, `,"sdpMid":`...)
		dst = append(dst, c.mid...)
	}
	if len(c.index) > 0 {
		dst = append(dst, `,"sdpMLineIndex":`...)
		dst = append(dst, c.index...)
	}
	if len(c.ufrag) > 0 {
		dst = append(dst, `,"usernameFragment":`...)
		dst = append(dst, c.ufrag...)
	}
	return append(dst, '}')
}

func appendMessage(dst []byte, s *Signal) []byte {
	dst = append(dst, '{')
	if len(s.ID) > 0 {
		dst = append(dst, `"id":`...)
		dst = append(appendQuoted(dst, s.ID), ',')
	}
	if len(s.Re) > 0 {
		dst = append(dst, `"re":`...)
		dst = append(appendQuoted(dst, s.Re), ',')
	}
	dst = append(dst, `"data":`...)
	dst = append(dst, s.Data...)
	return append(dst, '}')
}
