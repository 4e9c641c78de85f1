package dialect

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"

	"github.com/parley-rtc/parley/services/contract"
)

// Parley is the protocol of docs/protocol.md. One negotiation holds all
// candidates of a pair: the bench sets the edges' limit for that aside, as none
// of the others has one.
type Parley struct{}

const negotiation = "n1"

// Address implements Dialect.
func (Parley) Address(base string, _ *Peer) string { return base + "/v1/ws" }

// Subprotocol implements Dialect.
func (Parley) Subprotocol() string { return contract.Subprotocol }

// Greets implements Dialect.
func (Parley) Greets() bool { return true }

// Hello implements Dialect. Nobody resumes, so the secret is not kept.
func (Parley) Hello(p *Peer) []byte {
	secret := sha256.Sum256(strconv.AppendInt([]byte("bench "), int64(p.Index), 10))
	return []byte(`{"type":"hello","next":"` + base64.RawURLEncoding.EncodeToString(secret[:]) +
		`","attempt":1,"client":{"name":"bench","version":"1"}}`)
}

// Join implements Dialect.
func (Parley) Join(p *Peer) []byte {
	p.Seq++
	return []byte(`{"type":"join","seq":` + strconv.FormatUint(p.Seq, 10) + `,"room":"` + p.Room + `","token":"` + p.Token +
		`","capabilities":{"rollback":true}}`)
}

// Describe implements Dialect.
func (Parley) Describe(p *Peer, kind Kind) []byte {
	p.Seq++
	return []byte(`{"type":"` + kindName(kind) + `","seq":` + strconv.FormatUint(p.Seq, 10) + `,"room":"` + p.Room +
		`","to":"` + p.Partner + `","negotiation":"` + negotiation + `","description":` + description(p, kind) + `}`)
}

// AppendCandidate implements Dialect.
func (Parley) AppendCandidate(dst []byte, p *Peer, n int) []byte {
	p.Seq++
	dst = append(dst, `{"type":"candidate","seq":`...)
	dst = strconv.AppendUint(dst, p.Seq, 10)
	dst = append(dst, `,"room":"`...)
	dst = append(dst, p.Room...)
	dst = append(dst, `","to":"`...)
	dst = append(dst, p.partnerAs...)
	dst = append(dst, `","negotiation":"`+negotiation+`","candidate":`...)
	dst = appendInit(dst, p.Index, n)
	return append(dst, '}')
}

var (
	parleyCandidate = []byte(`{"type":"candidate",`)
	parleyAcked     = []byte(`{"type":"acked",`)
)

// Read implements Dialect.
func (d Parley) Read(p *Peer, text []byte) (Event, error) {
	if bytes.HasPrefix(text, parleyCandidate) {
		return Event{Kind: Candidate, From: value(text, beforeFrom), Text: value(text, beforeCandidate)}, nil
	}
	if bytes.HasPrefix(text, parleyAcked) {
		return Event{Kind: Acked}, nil
	}
	var frame struct {
		Type  string          `json:"type"`
		From  string          `json:"from"`
		Self  parleyPeer      `json:"self"`
		Peer  json.RawMessage `json:"peer"`
		Peers []parleyPeer    `json:"peers"`
		T     json.RawMessage `json:"t"`
	}
	if err := json.Unmarshal(text, &frame); err != nil {
		return Event{}, unexpected(text)
	}
	switch frame.Type {
	case contract.TypeWelcome:
		return Event{Kind: Greeted}, nil
	case contract.TypeJoined:
		p.Self = frame.Self.Peer
		if len(frame.Peers) > 0 {
			p.meet(frame.Peers[0].Peer)
		}
		return Event{Kind: Joined}, nil
	case contract.TypePeerJoined:
		var joiner parleyPeer
		if err := json.Unmarshal(frame.Peer, &joiner); err != nil {
			return Event{}, unexpected(text)
		}
		p.meet(joiner.Peer)
		return Event{Kind: Met}, nil
	case contract.TypeOffer:
		p.meet(frame.From)
		return Event{Kind: Offer}, nil
	case contract.TypeAnswer:
		return Event{Kind: Answer}, nil
	case contract.TypePing:
		return Event{Reply: pong(frame.T)}, nil
	case contract.TypePeerUpdated, contract.TypeICEServers:
		return Event{}, nil
	}
	return Event{}, unexpected(text)
}

type parleyPeer struct {
	Peer string `json:"peer"`
}

func pong(t json.RawMessage) []byte {
	if len(t) == 0 {
		return []byte(`{"type":"pong"}`)
	}
	return []byte(`{"type":"pong","t":` + string(t) + `}`)
}
