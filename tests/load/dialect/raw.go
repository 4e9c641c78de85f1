package dialect

import (
	"bytes"
	"encoding/json"
)

// Raw is the JSON of the guides for plain WebSockets, which peers/ws.js speaks.
type Raw struct{}

// Address implements Dialect.
func (Raw) Address(base string, _ *Peer) string { return base + "/" }

// Subprotocol implements Dialect.
func (Raw) Subprotocol() string { return "" }

// Greets implements Dialect.
func (Raw) Greets() bool { return false }

// Hello implements Dialect.
func (Raw) Hello(*Peer) []byte { return nil }

// Join implements Dialect.
func (Raw) Join(p *Peer) []byte { return []byte(`{"type":"join","room":` + quoted(p.Room) + `}`) }

// Describe implements Dialect.
func (Raw) Describe(p *Peer, kind Kind) []byte {
	return []byte(`{"type":"sdp-` + kindName(kind) + `","to":` + quoted(p.Partner) + `,"description":` + description(p, kind) + `}`)
}

// AppendCandidate implements Dialect.
func (Raw) AppendCandidate(dst []byte, p *Peer, n int) []byte {
	dst = append(dst, `{"type":"ice-candidate","to":"`...)
	dst = append(dst, p.partnerAs...)
	dst = append(dst, `","candidate":`...)
	dst = appendInit(dst, p.Index, n)
	return append(dst, '}')
}

var rawCandidate = []byte(`{"type":"ice-candidate",`)

// Read implements Dialect.
func (Raw) Read(p *Peer, text []byte) (Event, error) {
	if bytes.HasPrefix(text, rawCandidate) {
		return Event{Kind: Candidate, From: value(text, beforeFrom), Text: value(text, beforeCandidate)}, nil
	}
	var message struct{ Type, ID, From string }
	if err := json.Unmarshal(text, &message); err != nil {
		return Event{}, unexpected(text)
	}
	return p.guided(message.Type, message.ID, message.From, text)
}

// guided reads a message as both guides call them.
func (p *Peer) guided(name, id, from string, text []byte) (Event, error) {
	switch name {
	case "joined":
		p.Self = id
		return Event{Kind: Joined}, nil
	case "peer-joined":
		p.meet(id)
		return Event{Kind: Met}, nil
	case "sdp-offer":
		p.meet(from)
		return Event{Kind: Offer}, nil
	case "sdp-answer":
		return Event{Kind: Answer}, nil
	}
	return Event{}, unexpected(text)
}
