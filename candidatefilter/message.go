package candidatefilter

import (
	"encoding/json"

	"github.com/parley-rtc/parley/services/contract"
)

// message is the body of an application message.
type message struct {
	ID   string          `json:"id"`
	Re   string          `json:"re"`
	Data json.RawMessage `json:"data"`
}

// judgeMessage lets an application message pass with its data as it is, which is
// the application's own business. The members around the data are written anew:
// receivers put them beside `from` and `seq` into one frame, so there must be no
// others.
func judgeMessage(s *contract.Signal, _ contract.Policy) outcome {
	var m message
	if err := json.Unmarshal(s.Body, &m); err != nil || m.Data == nil {
		return refuse(contract.CodeBadFrame, "", "the body must be an object with data, and id and re as texts if at all")
	}
	body := make([]byte, 0, len(s.Body))
	body = append(body, '{')
	if m.ID != "" {
		body = append(append(append(body, `"id":`...), encode(m.ID)...), ',')
	}
	if m.Re != "" {
		body = append(append(append(body, `"re":`...), encode(m.Re)...), ',')
	}
	body = append(append(body, `"data":`...), m.Data...)
	return outcome{body: append(body, '}')}
}

// judgePresence lets a change of presence pass as it is.
func judgePresence(s *contract.Signal, _ contract.Policy) outcome {
	var u contract.PeerUpdate
	if err := json.Unmarshal(s.Body, &u); err != nil || u.Peer.IsZero() {
		return refuse(contract.CodeBadFrame, "", "the body must be an object with the peer and its version, presence and state")
	}
	return outcome{body: s.Body}
}
