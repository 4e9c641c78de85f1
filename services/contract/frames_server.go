package contract

import "encoding/json"

// The types of server frames that clients don't send.
const (
	TypeWelcome       = "welcome"
	TypeJoined        = "joined"
	TypePeerJoined    = "peer-joined"
	TypePeerLeft      = "peer-left"
	TypePeerUpdated   = "peer-updated"
	TypeLeft          = "left"
	TypeAcked         = "acked"
	TypeFiltered      = "filtered"
	TypeError         = "error"
	TypeGap           = "gap"
	TypeGoaway        = "goaway"
	TypeICEServers    = "ice-servers"
	TypeTokenExpiring = "token-expiring"
)

// Welcome answers hello.
type Welcome struct {
	Type         string   `json:"type"`
	Session      string   `json:"session"`
	Resumed      bool     `json:"resumed"`
	Seq          uint64   `json:"seq"`          // the edge goes on after this one; seq_hole counts from here
	ResumeWindow int64    `json:"resumeWindow"` // milliseconds
	PingInterval int64    `json:"pingInterval"` // milliseconds
	Limits       Limits   `json:"limits"`
	Features     []string `json:"features"`
	Edge         string   `json:"edge"` // the edge's id, to tell two edges apart
}

// Peer is another member as a client sees it.
type Peer struct {
	Peer         Token           `json:"peer"`
	Identity     string          `json:"identity"`
	Epoch        uint64          `json:"epoch"`
	Presence     json.RawMessage `json:"presence,omitempty"`
	Version      uint64          `json:"version"`
	Polite       bool            `json:"polite"` // you are the polite one towards it
	Capabilities Capabilities    `json:"capabilities"`
	State        MemberState     `json:"state"`
}

// Self is what a joiner learns of itself.
type Self struct {
	Peer     Token  `json:"peer"`
	Identity string `json:"identity"`
	Epoch    uint64 `json:"epoch"`
}

// ICEServer is an RTCIceServer (W3C WebRTC section 4.2.2).
type ICEServer struct {
	URLs       []string `json:"urls" koanf:"urls"`
	Username   string   `json:"username,omitempty" koanf:"username"`
	Credential string   `json:"credential,omitempty" koanf:"credential"`
}

// Joined answers join. Peers is the room at Revision; every later change
// follows as a delta.
type Joined struct {
	Type         string      `json:"type"`
	Re           uint64      `json:"re"`
	Room         string      `json:"room"`
	Self         Self        `json:"self"`
	Revision     uint64      `json:"revision"`
	Peers        []Peer      `json:"peers"`
	ICEServers   []ICEServer `json:"iceServers"`
	ICEPolicy    Policy      `json:"icePolicy"`
	TokenExpires int64       `json:"tokenExpires"` // Unix seconds
	Cursor       string      `json:"cursor"`
}

// PeerJoined tells of a new member.
type PeerJoined struct {
	Type     string `json:"type"`
	Room     string `json:"room"`
	Revision uint64 `json:"revision"`
	Peer     Peer   `json:"peer"`
}

// PeerLeft tells that a membership ended.
type PeerLeft struct {
	Type     string      `json:"type"`
	Room     string      `json:"room"`
	Revision uint64      `json:"revision"`
	Peer     Token       `json:"peer"`
	Reason   LeaveReason `json:"reason"`
}

// PeerUpdated tells of a member's presence or state; the newest version wins.
type PeerUpdated struct {
	Type string     `json:"type"`
	Room string     `json:"room"`
	Peer PeerUpdate `json:"peer"`
}

// PeerUpdate is the body of PeerUpdated and of a presence signal.
type PeerUpdate struct {
	Peer     Token           `json:"peer"`
	Version  uint64          `json:"version"`
	Presence json.RawMessage `json:"presence,omitempty"`
	State    MemberState     `json:"state,omitempty"`
	// Incarnation, Began and Acked are the record's, in presence signals only: the
	// edge with the highest incarnation holds the member.
	Incarnation uint64 `json:"incarnation,omitempty"`
	Began       uint64 `json:"began,omitempty"`
	Acked       uint64 `json:"acked,omitempty"`
}

// Left tells a client that its own membership ended.
type Left struct {
	Type     string      `json:"type"`
	Room     string      `json:"room"`
	Revision uint64      `json:"revision"`
	Reason   LeaveReason `json:"reason"`
}

// Relayed is an offer, answer, candidate or message as its receiver gets it. A
// message without From and Epoch is of the app's backend: its Seq is the room
// revision that it took.
type Relayed struct {
	Type        string              `json:"type"`
	Room        string              `json:"room"`
	From        Token               `json:"from,omitzero"`
	Epoch       uint64              `json:"epoch,omitempty"` // of the sender
	Seq         uint64              `json:"seq"`             // of the sender
	Cursor      string              `json:"cursor"`
	Negotiation string              `json:"negotiation,omitempty"`
	Description *SessionDescription `json:"description,omitempty"`
	Candidate   *ICECandidate       `json:"candidate,omitempty"`
	Candidates  []ICECandidate      `json:"candidates,omitempty"`
	ID          string              `json:"id,omitempty"`
	Re          string              `json:"re,omitempty"`
	Data        json.RawMessage     `json:"data,omitempty"`
	Trace       string              `json:"traceparent,omitempty"`
}

// Acked tells that every frame up to Seq is settled: committed or answered by
// an error.
type Acked struct {
	Type string `json:"type"`
	Seq  uint64 `json:"seq"`
}

// Filtered tells what the policy took out of a frame that went on.
type Filtered struct {
	Type  string `json:"type"`
	Re    uint64 `json:"re"`
	Rule  Rule   `json:"rule"`
	Count int    `json:"count"`
}

// ErrorFrame answers a frame, or the connection if Re is absent.
type ErrorFrame struct {
	Type       string `json:"type"`
	Re         uint64 `json:"re,omitempty"`
	Code       Code   `json:"code"`
	Status     int    `json:"status"`
	Message    string `json:"message"`
	Retryable  bool   `json:"retryable"`
	RetryAfter int64  `json:"retryAfter,omitempty"` // milliseconds
	Rule       Rule   `json:"rule,omitempty"`       // of the filter, if it refused
}

// Gap tells that something could not be replayed: renegotiate with From, or
// with everyone if it is absent.
type Gap struct {
	Type   string `json:"type"`
	Room   string `json:"room"`
	From   Token  `json:"from,omitzero"`
	Reason string `json:"reason"`
}

// Goaway asks the client to reconnect elsewhere after the given milliseconds.
type Goaway struct {
	Type   string `json:"type"`
	After  int64  `json:"after"`
	Reason string `json:"reason"`
}

// ICEServersFrame replaces the servers of a room before they expire.
type ICEServersFrame struct {
	Type       string      `json:"type"`
	Room       string      `json:"room"`
	ICEServers []ICEServer `json:"iceServers"`
}

// TokenExpiring asks for a refresh before the given Unix second.
type TokenExpiring struct {
	Type    string `json:"type"`
	Room    string `json:"room"`
	Expires int64  `json:"expires"`
}
