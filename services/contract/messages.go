package contract

import "encoding/json"

// Header names of NATS messages. They are lower case on the wire.
const (
	HeaderTraceparent = "traceparent"
	HeaderMessageID   = "Nats-Msg-Id" // JetStream's own spelling
)

// OpKind is what a room operation does.
type OpKind string

// The operations.
const (
	OpJoin   OpKind = "join"
	OpLeave  OpKind = "leave"
	OpKick   OpKind = "kick"
	OpLock   OpKind = "lock"
	OpUnlock OpKind = "unlock"
	OpClose  OpKind = "close"
	// OpMessage is roomsvc's own, for an app's backend: no edge may ask for it.
	OpMessage OpKind = "message"
)

// RoomOp is one operation on a room. Grants were checked by the asking edge.
type RoomOp struct {
	Kind         OpKind          `json:"kind"`
	Peer         Token           `json:"peer,omitzero"`      // of join, leave, kick; of message, zero for all
	Identity     string          `json:"identity,omitempty"` // of join; of roomsvc's own kick instead of Peer
	Presence     json.RawMessage `json:"presence,omitempty"` // of join
	Capabilities Capabilities    `json:"capabilities,omitzero"`
	Reason       LeaveReason     `json:"reason,omitempty"` // of leave
	ID           string          `json:"id,omitempty"`     // of message
	Data         json.RawMessage `json:"data,omitempty"`   // of message
	Trace        string          `json:"traceparent,omitempty"`
}

// RoomChange asks roomsvc to apply operations to one room. An edge has one
// request a room in flight; N rises by one with each new request of that edge
// for that room, and a retry repeats the same bytes. A request whose N was
// applied before is answered like the first time, and its events are sent again.
type RoomChange struct {
	App  Token    `json:"app"`
	Room Token    `json:"room"`
	Edge Token    `json:"edge"` // the asker
	N    uint64   `json:"n"`
	Ops  []RoomOp `json:"ops"`
}

// OpResult answers one operation, in the order of RoomChange.Ops.
type OpResult struct {
	Code    Code   `json:"code,omitempty"` // empty: done
	Message string `json:"message,omitempty"`
}

// RoomChanged answers RoomChange after its events are in the log of every edge
// of the room. Error is set if nothing was done.
type RoomChanged struct {
	Revision uint64     `json:"revision"`
	Results  []OpResult `json:"results,omitempty"`
	Error    *WireError `json:"error,omitempty"`
}

// Standstill tells how long a roomsvc has seen leases of edges stand still, so that
// a wait for the members of a dead edge doesn't begin anew with the roomsvc that
// counted it.
type Standstill struct {
	Leases []StandingLease `json:"leases"`
}

// StandingLease is a lease that isn't renewed. Revision is that of its record, 0 if
// there was none yet.
type StandingLease struct {
	Edge         Token  `json:"edge"`
	Revision     uint64 `json:"revision"`
	Milliseconds int64  `json:"ms"`
}

// WireError is an Error in a reply.
type WireError struct {
	Code       Code   `json:"code"`
	Message    string `json:"message"`
	RetryAfter int64  `json:"retryAfter,omitempty"`
}

// Err turns a WireError back into an error; nil stays nil.
func (w *WireError) Err() error {
	if w == nil {
		return nil
	}
	return &Error{Code: w.Code, Message: w.Message, RetryAfter: w.RetryAfter}
}

// EventKind is what happened in a room.
type EventKind string

// The room events.
const (
	EventJoined   EventKind = "joined"
	EventLeft     EventKind = "left"
	EventLocked   EventKind = "locked"
	EventUnlocked EventKind = "unlocked"
	EventMessage  EventKind = "message" // of the app's backend
)

// RoomEvent is one event; Revision is the room's after it. A message is for the
// members with a lower epoch than that, whatever the roster has learned since:
// no document tells of it.
type RoomEvent struct {
	Kind     EventKind       `json:"kind"`
	Revision uint64          `json:"revision"`
	Member   *Member         `json:"member,omitempty"`   // of joined
	Presence json.RawMessage `json:"presence,omitempty"` // of joined
	Peer     Token           `json:"peer,omitzero"`      // of left
	Reason   LeaveReason     `json:"reason,omitempty"`   // of left
	To       Token           `json:"to,omitzero"`        // of message; zero: every member
	ID       string          `json:"id,omitempty"`       // of message
	Data     json.RawMessage `json:"data,omitempty"`     // of message
	Trace    string          `json:"traceparent,omitempty"`
}

// RoomEvents is the body of a KindEvent signal: all that one commit did. An
// edge applies it if its roster stands at Base, ignores it if the roster is at
// or over the last event's revision, and reads the document otherwise.
type RoomEvents struct {
	Base   uint64      `json:"base"`
	Events []RoomEvent `json:"events,omitempty"` // empty: only a notice that Revision exists
	// Revision is the document's; with events it is that of the last one.
	Revision uint64 `json:"revision"`
	// Members are all members at Revision, for an edge that had none in the room
	// before, so that it needn't read the document; nil where they are too many.
	Members []Member `json:"members,omitempty"`
}

// FilterAnswer is the filter's own reply to an edge when it refused something;
// otherwise JetStream's PubAck answers. Revision is 0 if nothing was left to
// commit. Duplicate: read the verdicts from the entry at Revision instead.
type FilterAnswer struct {
	Filter    bool       `json:"filter"` // always true: tells it from a PubAck
	Revision  uint64     `json:"revision,omitempty"`
	Duplicate bool       `json:"duplicate,omitempty"`
	Verdicts  []Verdict  `json:"verdicts,omitempty"`
	Error     *WireError `json:"error,omitempty"`
}

// TokenRequest asks authsvc for a room token, over NATS or POST /v1/tokens.
type TokenRequest struct {
	App      string   `json:"app,omitempty"` // over HTTP: the app of the API key
	APIKey   string   `json:"apiKey,omitempty"`
	Room     string   `json:"room"`
	Identity string   `json:"identity"`
	TTL      int64    `json:"ttl,omitempty"` // seconds, 0: authsvc's default
	Grants   []string `json:"grants,omitempty"`
	MaxStay  int64    `json:"maxStay,omitempty"` // seconds a membership may last, 0: for ever
	ICE      Policy   `json:"ice,omitempty"`
}

// TokenReply answers TokenRequest.
type TokenReply struct {
	Token   string     `json:"token,omitempty"`
	Expires int64      `json:"expires,omitempty"` // Unix seconds
	Error   *WireError `json:"error,omitempty"`
}

// Claims of a room token (JWT, RFC 7519; signed with EdDSA, RFC 8037). Times
// are Unix seconds.
type Claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"` // the identity
	Audience  string   `json:"aud"` // TokenAudience
	Expires   int64    `json:"exp"` // gates the join only
	NotBefore int64    `json:"nbf"`
	ID        string   `json:"jti"`
	App       string   `json:"app"`
	Room      string   `json:"room"`
	Grants    []string `json:"grants,omitempty"`
	MaxStay   int64    `json:"maxStay,omitempty"` // seconds
	ICE       Policy   `json:"ice,omitempty"`
}

// TokenAudience is the `aud` of every room token.
const TokenAudience = "parley"

// The grants. Without any, a member may signal, send messages and set its
// presence.
const (
	GrantKick  = "kick"
	GrantLock  = "lock"
	GrantClose = "close"
)

// Grants lists every grant.
func Grants() []string { return []string{GrantKick, GrantLock, GrantClose} }
