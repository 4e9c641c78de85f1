package dialect

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// PeerJS is what PeerJS clients 1.5 speak. There are no rooms: who wants to reach
// somebody knows the id.
type PeerJS struct{}

// peerJSID is the id of a client.
func peerJSID(index int) string { return "peer" + strconv.Itoa(index) }

// Address implements Dialect.
func (PeerJS) Address(base string, p *Peer) string {
	return base + "/peerjs?key=peerjs&version=1.5.5&token=t" + strconv.Itoa(p.Index) + "&id=" + peerJSID(p.Index)
}

// Subprotocol implements Dialect.
func (PeerJS) Subprotocol() string { return "" }

// Greets implements Dialect.
func (PeerJS) Greets() bool { return true }

// Hello implements Dialect: the id stands in the address.
func (PeerJS) Hello(*Peer) []byte { return nil }

// Join implements Dialect.
func (PeerJS) Join(p *Peer) []byte {
	p.Self = peerJSID(p.Index)
	p.meet(peerJSID(p.Index ^ 1))
	return nil
}

// Describe implements Dialect.
func (PeerJS) Describe(p *Peer, kind Kind) []byte {
	name := "OFFER"
	if kind == Answer {
		name = "ANSWER"
	}
	return []byte(`{"type":"` + name + `","dst":"` + p.Partner + `","payload":{"sdp":` + description(p, kind) +
		`,"type":"data","connectionId":"dc_bench","label":"dc_bench","reliable":true,"serialization":"binary"}}`)
}

// AppendCandidate implements Dialect.
func (PeerJS) AppendCandidate(dst []byte, p *Peer, n int) []byte {
	dst = append(dst, `{"type":"CANDIDATE","dst":"`...)
	dst = append(dst, p.partnerAs...)
	dst = append(dst, `","payload":{"candidate":`...)
	dst = appendInit(dst, p.Index, n)
	return append(dst, `,"type":"data","connectionId":"dc_bench"}}`...)
}

var peerJSCandidate = []byte(`{"type":"CANDIDATE",`)

// Read implements Dialect.
func (PeerJS) Read(_ *Peer, text []byte) (Event, error) {
	if bytes.HasPrefix(text, peerJSCandidate) {
		return Event{Kind: Candidate, From: value(text, `"src":"`), Text: value(text, beforeCandidate)}, nil
	}
	var message struct{ Type string }
	if err := json.Unmarshal(text, &message); err != nil {
		return Event{}, unexpected(text)
	}
	switch message.Type {
	case "OPEN":
		return Event{Kind: Greeted}, nil
	case "OFFER":
		return Event{Kind: Offer}, nil
	case "ANSWER":
		return Event{Kind: Answer}, nil
	}
	return Event{}, unexpected(text)
}

// Roomless marks a dialect whose peers join nothing.
func (PeerJS) Roomless() {}
