package envelope

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/parley-rtc/parley/services/contract"
)

// errNoBody is wrapped when a body says nothing.
var errNoBody = errors.New("no body")

// AppendBody appends the JSON object that goes into contract.Signal.Body:
// {"negotiation","description"} of a *contract.Describe,
// {"negotiation","candidate"} or {"negotiation","candidates"} of a
// *contract.Trickle, {"id","re","data"} of a *contract.Message (id and re only
// if they aren't empty). body must come from Decode, which has checked the raw
// JSON in it. It fails for any other type, and for a body that says nothing;
// dst is then returned as it was.
func AppendBody(dst []byte, body any) ([]byte, error) {
	switch b := body.(type) {
	case *contract.Describe:
		return appendDescribe(dst, b), nil
	case *contract.Trickle:
		return appendTrickle(dst, b)
	case *contract.Message:
		return appendMessage(dst, b)
	default:
		return dst, fmt.Errorf("append body: %T isn't relayed", body)
	}
}

func appendDescribe(dst []byte, d *contract.Describe) []byte {
	dst = append(dst, `{"negotiation":`...)
	dst = appendQuoted(dst, d.Negotiation)
	dst = append(dst, `,"description":{"type":`...)
	dst = appendQuoted(dst, d.Description.Type)
	dst = append(dst, `,"sdp":`...)
	dst = appendQuoted(dst, d.Description.SDP)
	return append(dst, "}}"...)
}

func appendTrickle(dst []byte, t *contract.Trickle) ([]byte, error) {
	if (t.Candidate == nil) == (len(t.Candidates) == 0) {
		return dst, fmt.Errorf("append body: candidate and candidates: exactly one must be set: %w", errNoBody)
	}
	dst = append(dst, `{"negotiation":`...)
	dst = appendQuoted(dst, t.Negotiation)
	if t.Candidate != nil {
		dst = append(dst, `,"candidate":`...)
		return append(appendCandidate(dst, t.Candidate), '}'), nil
	}
	dst = append(dst, `,"candidates":[`...)
	for i := range t.Candidates {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendCandidate(dst, &t.Candidates[i])
	}
	return append(dst, "]}"...), nil
}

func appendCandidate(dst []byte, c *contract.ICECandidate) []byte {
	dst = append(dst, `{"candidate":`...)
	dst = appendQuoted(dst, c.Candidate)
	if c.SDPMid != nil {
		dst = append(dst, `,"sdpMid":`...)
		dst = appendQuoted(dst, *c.SDPMid)
	}
	if c.SDPMLineIndex != nil {
		dst = append(dst, `,"sdpMLineIndex":`...)
		dst = strconv.AppendUint(dst, uint64(*c.SDPMLineIndex), 10)
	}
	if c.UsernameFragment != nil {
		dst = append(dst, `,"usernameFragment":`...)
		dst = appendQuoted(dst, *c.UsernameFragment)
	}
	return append(dst, '}')
}

func appendMessage(dst []byte, m *contract.Message) ([]byte, error) {
	if len(m.Data) == 0 {
		return dst, fmt.Errorf("append body: data must be set: %w", errNoBody)
	}
	dst = append(dst, '{')
	if m.ID != "" {
		dst = append(dst, `"id":`...)
		dst = append(appendQuoted(dst, m.ID), ',')
	}
	if m.Re != "" {
		dst = append(dst, `"re":`...)
		dst = append(appendQuoted(dst, m.Re), ',')
	}
	dst = append(dst, `"data":`...)
	dst = append(dst, m.Data...)
	return append(dst, '}'), nil
}
