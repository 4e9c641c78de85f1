package tail

import "github.com/parley-rtc/parley/services/contract"

// The kinds of lines beside those of signals and room events.
const (
	KindSnapshot  = "snapshot"  // the first line: the room as it is
	KindHeartbeat = "heartbeat" // nothing happened for a while
	KindDropped   = "dropped"   // the listener was too slow for Count lines
	KindRefused   = "refused"   // the filter refused a signal whole
	KindPresence  = "presence"
)

// Line is one JSON line about a room.
type Line struct {
	At   int64  `json:"at"` // Unix milliseconds, of the log
	Kind string `json:"kind"`

	From         string `json:"from,omitempty"` // peer; absent: the app's backend, or nobody
	To           string `json:"to,omitempty"`   // peer; absent: everyone
	FromIdentity string `json:"fromIdentity,omitempty"`
	ToIdentity   string `json:"toIdentity,omitempty"`

	Seq         uint64   `json:"seq,omitempty"`
	Bytes       int      `json:"bytes,omitempty"` // of the body
	Negotiation string   `json:"negotiation,omitempty"`
	Revision    uint64   `json:"revision,omitempty"` // of a room event
	Edges       []string `json:"edges,omitempty"`    // from, to: the processes of the link
	Trace       string   `json:"trace,omitempty"`    // traceparent

	Description *Counts     `json:"description,omitempty"` // of an offer or answer
	Candidates  []Candidate `json:"candidates,omitempty"`  // of a candidate
	State       string      `json:"state,omitempty"`       // of a presence

	Filtered []Taken              `json:"filtered,omitempty"`
	Refused  contract.Rule        `json:"refused,omitempty"`
	Reason   contract.LeaveReason `json:"reason,omitempty"` // of left
	Count    int                  `json:"count,omitempty"`  // of dropped
	Room     any                  `json:"room,omitempty"`   // of snapshot
}

// Counts are all that is told of a session description.
type Counts struct {
	Media      int `json:"media"`      // m= lines
	Candidates int `json:"candidates"` // a=candidate lines
}

// Candidate is all that is told of an ICE candidate.
type Candidate struct {
	Type     string `json:"type,omitempty"`
	Protocol string `json:"protocol,omitempty"`
	End      bool   `json:"end,omitempty"` // an empty candidate: there are no more
}

// Taken is what one rule of the filter took out of a signal.
type Taken struct {
	Rule  contract.Rule `json:"rule"`
	Count int           `json:"count"`
}
