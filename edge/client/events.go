package client

import (
	"encoding/json"

	"github.com/parley-rtc/parley/services/contract"
)

// Event is what happens in a room: one of the types of this file. What hangs
// on it (raw JSON, slices) must not be changed.
type Event interface{ event() }

// PeerJoined tells of a new member.
type PeerJoined struct {
	Peer     contract.Peer
	Revision uint64
}

// PeerLeft tells that a membership ended. Reason is empty if the client
// learned it from a whole roster, after it lost its session.
type PeerLeft struct {
	Peer     contract.Peer
	Revision uint64
	Reason   contract.LeaveReason
}

// PeerUpdated tells of a member's new presence or state.
type PeerUpdated struct{ Peer contract.Peer }

// Sender says who sent a signal, as the server knows it. A [Message] whose From
// is zero is of the app's backend: its Seq is the room revision that it took.
type Sender struct {
	From  contract.Token
	Epoch uint64
	Seq   uint64 // the sender's
	Trace string // a traceparent, or ""
}

// Offer is a session description that asks for an answer under the same
// negotiation.
type Offer struct {
	Sender
	Negotiation string
	Description contract.SessionDescription
}

// Answer answers the offer of that negotiation.
type Answer struct {
	Sender
	Negotiation string
	Description contract.SessionDescription
}

// Candidate carries ICE candidates of a negotiation; an empty one ends them.
type Candidate struct {
	Sender
	Negotiation string
	Candidates  []contract.ICECandidate
}

// Message is an application signal. If ID is set, the sender waits for a reply,
// see [Room.Reply].
type Message struct {
	Sender
	ID   string
	Re   string
	Data json.RawMessage
}

// Filtered tells what the edge's policy took out of a frame of this client; the
// rest of it went on. Kind is the type of that frame.
type Filtered struct {
	Kind  string
	Rule  contract.Rule
	Count int
}

// Gap tells that something from a peer could not be replayed, or from anyone
// if From is zero: what was agreed with it must be checked.
type Gap struct {
	From   contract.Token
	Reason string
}

// ICEServersChanged tells that [Room.ICEServers] has new ones: new credentials in
// time, or those of the edge that resumed the session.
type ICEServersChanged struct{}

// Left is the last event of a room.
type Left struct {
	Revision uint64
	Reason   contract.LeaveReason
}

// Resumed tells that the connection was lost and is back, and nothing else is.
type Resumed struct{}

// Rejoined tells that the session was lost and the room joined again: Self is
// a new peer, and the others saw the old one leave. [Room.ICEServers] may have new
// ones. What changed in the roster meanwhile follows as events.
type Rejoined struct{ Self contract.Self }

func (PeerJoined) event()        {}
func (PeerLeft) event()          {}
func (PeerUpdated) event()       {}
func (Offer) event()             {}
func (Answer) event()            {}
func (Candidate) event()         {}
func (Message) event()           {}
func (Filtered) event()          {}
func (Gap) event()               {}
func (ICEServersChanged) event() {}
func (Left) event()              {}
func (Resumed) event()           {}
func (Rejoined) event()          {}
