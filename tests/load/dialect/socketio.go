package dialect

import (
	"bytes"
	"encoding/json"
)

// SocketIO is Socket.IO protocol 5 over Engine.IO protocol 4 with the events of
// its guide for WebRTC, which peers/socketio.js speaks.
type SocketIO struct{}

const namespace = "/signaling,"

// Address implements Dialect.
func (SocketIO) Address(base string, _ *Peer) string {
	return base + "/socket.io/?EIO=4&transport=websocket"
}

// Subprotocol implements Dialect.
func (SocketIO) Subprotocol() string { return "" }

// Greets implements Dialect.
func (SocketIO) Greets() bool { return true }

// Hello implements Dialect: the server speaks first.
func (SocketIO) Hello(*Peer) []byte { return nil }

// Join implements Dialect.
func (SocketIO) Join(p *Peer) []byte {
	return []byte(`42` + namespace + `["join",{"room":` + quoted(p.Room) + `}]`)
}

// Describe implements Dialect.
func (SocketIO) Describe(p *Peer, kind Kind) []byte {
	return []byte(`42` + namespace + `["sdp-` + kindName(kind) + `",{"to":` + quoted(p.Partner) + `,"description":` + description(p, kind) + `}]`)
}

// AppendCandidate implements Dialect.
func (SocketIO) AppendCandidate(dst []byte, p *Peer, n int) []byte {
	dst = append(dst, `42`+namespace+`["ice-candidate",{"to":"`...)
	dst = append(dst, p.partnerAs...)
	dst = append(dst, `","candidate":`...)
	dst = appendInit(dst, p.Index, n)
	return append(dst, `}]`...)
}

var (
	socketIOEvent     = []byte(`42` + namespace)
	socketIOConnected = []byte(`40` + namespace)
	socketIOCandidate = []byte(`["ice-candidate",`)
)

// Read implements Dialect.
func (SocketIO) Read(p *Peer, text []byte) (Event, error) {
	if body, ok := bytes.CutPrefix(text, socketIOEvent); ok {
		return p.socketIOEvent(body)
	}
	switch {
	case bytes.HasPrefix(text, []byte(`0{`)):
		return Event{Reply: []byte(`40` + namespace)}, nil
	case string(text) == "2":
		return Event{Reply: []byte("3")}, nil
	case bytes.HasPrefix(text, socketIOConnected):
		return Event{Kind: Greeted}, nil
	}
	return Event{}, unexpected(text)
}

func (p *Peer) socketIOEvent(body []byte) (Event, error) {
	if bytes.HasPrefix(body, socketIOCandidate) {
		return Event{Kind: Candidate, From: value(body, beforeFrom), Text: value(body, beforeCandidate)}, nil
	}
	var name string
	var message struct{ ID, From string }
	if err := json.Unmarshal(body, &[]any{&name, &message}); err != nil {
		return Event{}, unexpected(body)
	}
	return p.guided(name, message.ID, message.From, body)
}
