package dialect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// Dialect is the language of one kind of server. Its methods must be called by
// one goroutine at a time.
type Dialect interface {
	// Address is the URL to which a peer connects; base is ws://host:port.
	Address(base string, p *Peer) string
	// Subprotocol is what the handshake asks for; empty: nothing.
	Subprotocol() string
	// Hello is what a peer sends first; nil: nothing.
	Hello(p *Peer) []byte
	// Greets reports whether the server speaks before it takes a join.
	Greets() bool
	// Join asks for the peer's room; nil: this server has no rooms.
	Join(p *Peer) []byte
	// Describe is an offer or an answer (an Event's kind) for the partner.
	Describe(p *Peer, kind Kind) []byte
	// AppendCandidate appends the frame with the n-th candidate for the partner.
	AppendCandidate(dst []byte, p *Peer, n int) []byte
	// Read reads what the server sent. It refuses what no server that works says.
	Read(p *Peer, text []byte) (Event, error)
}

// Peer is what a client knows of itself and of its partner.
type Peer struct {
	Index     int    // of this client; its partner is Index^1
	Room      string // of the two
	Token     string // for the room, if the server wants one
	Self      string // the own id
	Partner   string // the id of the other one; empty: not known yet
	Seq       uint64 // frames counted so far (Parley)
	partnerAs []byte // Partner, as it stands in the frames of candidates
}

// Kind is what an Event is about.
type Kind uint8

// The kinds.
const (
	None      Kind = iota // nothing to do, or only Reply
	Greeted               // the peer may join
	Joined                // the peer is in its room
	Met                   // the partner is there, Peer.Partner is set
	Offer                 // from the partner
	Answer                // from the partner
	Candidate             // From and Text are set
	Acked                 // the server has settled frames
)

// Event is what a text of the server means. From and Text are part of the text
// that was read.
type Event struct {
	Kind  Kind
	From  []byte // who sent the candidate, as the server says
	Text  []byte // the candidate's text
	Reply []byte // to be sent at once; nil: nothing
}

// RoomName is the room of a peer.
func RoomName(prefix string, index int) string { return prefix + strconv.Itoa(index/2) }

// meet notes who the partner is.
func (p *Peer) meet(partner string) {
	p.Partner, p.partnerAs = partner, []byte(partner)
}

// value finds the text of a member, without escapes, by the bytes before it.
func value(text []byte, before string) []byte {
	i := bytes.Index(text, []byte(before))
	if i < 0 {
		return nil
	}
	rest := text[i+len(before):]
	end := bytes.IndexByte(rest, '"')
	if end < 0 {
		return nil
	}
	return rest[:end]
}

const (
	beforeCandidate = `"candidate":"`
	beforeFrom      = `"from":"`
)

// description is the session description of a peer, as JSON.
func description(p *Peer, kind Kind) string {
	text, err := json.Marshal(map[string]string{"type": kindName(kind), "sdp": sdp(p.Index, kind)})
	if err != nil {
		panic(fmt.Sprintf("dialect: internal error: %v", err))
	}
	return string(text)
}

func kindName(kind Kind) string {
	if kind == Offer {
		return "offer"
	}
	return "answer"
}

// quoted is a text as JSON.
func quoted(text string) string {
	out, err := json.Marshal(text)
	if err != nil {
		panic(fmt.Sprintf("dialect: internal error: %v", err))
	}
	return string(out)
}

// unexpected is the error for a text that doesn't belong here.
func unexpected(text []byte) error {
	const most = 300
	return fmt.Errorf("the server said %.*q", most, text)
}
