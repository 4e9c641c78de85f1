package contract

import "encoding/json"

// The types of client frames; ping and pong travel both ways.
const (
	TypeHello     = "hello"
	TypeJoin      = "join"
	TypeOffer     = "offer"
	TypeAnswer    = "answer"
	TypeCandidate = "candidate"
	TypeMessage   = "message"
	TypePresence  = "presence"
	TypeModerate  = "moderate"
	TypeRefresh   = "refresh"
	TypeLeave     = "leave"
	TypePing      = "ping"
	TypePong      = "pong"
	TypeBye       = "bye"
	TypePart      = "part"
)

// Hello is the first frame of a connection, within HelloTimeout.
type Hello struct {
	Type     string                `json:"type"`
	Resume   []string              `json:"resume,omitempty"`  // base64url secrets, at most 2: the confirmed one, the one proposed since
	Next     string                `json:"next"`              // base64url SHA-256 of the next 256-bit secret
	Attempt  uint64                `json:"attempt,omitempty"` // up by one with each hello of the session
	Acked    uint64                `json:"acked,omitempty"`   // highest acked seen
	Rooms    map[string]ResumeRoom `json:"rooms,omitempty"`   // by room
	Client   ClientInfo            `json:"client,omitzero"`
	Features []string              `json:"features,omitempty"`
	Trace    string                `json:"traceparent,omitempty"`
}

// ResumeRoom is what a client still knows of a room that it was in.
type ResumeRoom struct {
	Peer   string `json:"peer"`
	Cursor string `json:"cursor,omitempty"`
}

// ClientInfo names the client library for logs.
type ClientInfo struct {
	Name    string `json:"name,omitempty"`
	Version string `json:"version,omitempty"`
}

// Join asks for a membership with a room token.
type Join struct {
	Type         string          `json:"type"`
	Seq          uint64          `json:"seq"`
	Room         string          `json:"room"`
	Token        string          `json:"token"`
	Presence     json.RawMessage `json:"presence,omitempty"`
	Capabilities Capabilities    `json:"capabilities,omitzero"`
	Trace        string          `json:"traceparent,omitempty"`
}

// Capabilities are what a peer's WebRTC stack can do.
type Capabilities struct {
	Rollback bool `json:"rollback,omitempty"` // setLocalDescription({type: "rollback"}); pion can't
}

// SessionDescription is an RTCSessionDescriptionInit (W3C WebRTC section 4.7.2).
type SessionDescription struct {
	Type string `json:"type"`
	SDP  string `json:"sdp"`
}

// ICECandidate is an RTCIceCandidateInit (W3C WebRTC section 4.8.1.1). An
// empty candidate ends the candidates of its generation.
type ICECandidate struct {
	Candidate        string  `json:"candidate"`
	SDPMid           *string `json:"sdpMid,omitempty"`
	SDPMLineIndex    *uint16 `json:"sdpMLineIndex,omitempty"`
	UsernameFragment *string `json:"usernameFragment,omitempty"`
}

// Describe is an offer or an answer. Negotiation is made by the offerer, new
// for each offer; the answer and both sides' candidates repeat it.
type Describe struct {
	Type        string             `json:"type"` // TypeOffer or TypeAnswer
	Seq         uint64             `json:"seq"`
	Room        string             `json:"room"`
	To          string             `json:"to"`
	Negotiation string             `json:"negotiation"`
	Description SessionDescription `json:"description"`
	Trace       string             `json:"traceparent,omitempty"`
}

// Trickle carries one candidate or several (exactly one of the two fields).
type Trickle struct {
	Type        string         `json:"type"`
	Seq         uint64         `json:"seq"`
	Room        string         `json:"room"`
	To          string         `json:"to"`
	Negotiation string         `json:"negotiation"`
	Candidate   *ICECandidate  `json:"candidate,omitempty"`
	Candidates  []ICECandidate `json:"candidates,omitempty"`
	Trace       string         `json:"traceparent,omitempty"`
}

// Message is an application signal to one peer, or to the whole room but its
// sender if To is empty. ID and Re make requests and replies.
type Message struct {
	Type  string          `json:"type"`
	Seq   uint64          `json:"seq"`
	Room  string          `json:"room"`
	To    string          `json:"to,omitempty"`
	ID    string          `json:"id,omitempty"`
	Re    string          `json:"re,omitempty"`
	Data  json.RawMessage `json:"data"`
	Trace string          `json:"traceparent,omitempty"`
}

// SetPresence replaces the sender's presence in a room.
type SetPresence struct {
	Type  string          `json:"type"`
	Seq   uint64          `json:"seq"`
	Room  string          `json:"room"`
	Data  json.RawMessage `json:"data"`
	Trace string          `json:"traceparent,omitempty"`
}

// Action is what a moderator does.
type Action string

// The actions of Moderate.
const (
	ActionKick   Action = "kick"
	ActionLock   Action = "lock"
	ActionUnlock Action = "unlock"
	ActionClose  Action = "close"
)

// Moderate needs the grant of its action.
type Moderate struct {
	Type   string `json:"type"`
	Seq    uint64 `json:"seq"`
	Room   string `json:"room"`
	Action Action `json:"action"`
	Peer   string `json:"peer,omitempty"` // of kick
	Trace  string `json:"traceparent,omitempty"`
}

// Refresh renews the grants of a membership.
type Refresh struct {
	Type  string `json:"type"`
	Seq   uint64 `json:"seq"`
	Room  string `json:"room"`
	Token string `json:"token"`
	Trace string `json:"traceparent,omitempty"`
}

// Leave ends a membership.
type Leave struct {
	Type  string `json:"type"`
	Seq   uint64 `json:"seq"`
	Room  string `json:"room"`
	Trace string `json:"traceparent,omitempty"`
}

// Ping asks for a Pong with the same T. From the server it carries the cursor
// of each room.
type Ping struct {
	Type    string            `json:"type"` // TypePing or TypePong
	T       json.RawMessage   `json:"t,omitempty"`
	Cursors map[string]string `json:"cursors,omitempty"`
}

// Bye leaves every room at once; nothing can be resumed after it.
type Bye struct {
	Type string `json:"type"`
}

// Part is a piece of a frame over Limits.PartBytes, cut at code points. Parts
// of one frame come in order, from index 0; the assembled frame carries the
// seq. Unfinished parts die with the socket.
type Part struct {
	Type  string `json:"type"`
	ID    string `json:"id"`
	Index int    `json:"index"`
	Of    int    `json:"of"`
	Chunk string `json:"chunk"`
}
