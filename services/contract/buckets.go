package contract

import (
	"encoding/json"
	"strconv"
)

// Buckets. roomsvc alone creates and changes them; the others wait for them.
// None has a key TTL, delete markers or direct get: a delete is a value.
const (
	BucketRooms   = "rooms"   // <app>.<room>          RoomDocument
	BucketMembers = "members" // <app>.<room>.<peer>   MemberRecord
	BucketEdges   = "edges"   // <edge>                EdgeLease
	BucketKeys    = "keys"    // <kid>                 KeyRecord
	BucketApps    = "apps"    // <app>                 AppRecord

	signalsPrefix = "signals-"
)

// ShardsMetadata is the stream metadata key that holds the number of signal
// shards, written on every signals stream when it is made.
const ShardsMetadata = "parley-shards"

// MaxDocumentBytes bounds a RoomDocument as stored; a join that would exceed
// it is refused with CodeRoomFull.
const MaxDocumentBytes = 512 << 10

// MaxDepartures is how many departures a RoomDocument remembers.
const MaxDepartures = 64

// SignalsBucket is the bucket of one shard of the signal log.
func SignalsBucket(shard int) string { return signalsPrefix + strconv.Itoa(shard) }

// StreamOf is the JetStream stream behind a bucket.
func StreamOf(bucket string) string { return "KV_" + bucket }

// RoomKey is the key of a room document: the one literal key that a
// compare-and-set of the room uses.
func RoomKey(app, room Token) string { return app.text + "." + room.text }

// MemberKey is the key of a member's record.
func MemberKey(app, room, peer Token) string { return app.text + "." + room.text + "." + peer.text }

// RoomDocument is the truth about who is in a room and in which order. Only
// roomsvc writes it, by compare-and-set. Revision rises by one with every
// event, without holes, and an empty document stays as the tombstone of its
// room, so that a revision isn't used twice while anyone can remember it.
type RoomDocument struct {
	Format     int                 `json:"v"`
	App        Token               `json:"app"`
	Room       Token               `json:"room"`
	Revision   uint64              `json:"revision"`
	Locked     bool                `json:"locked,omitempty"`
	Members    []Member            `json:"members"`            // by rising epoch
	Departures []Departure         `json:"departed,omitempty"` // newest last, at most MaxDepartures
	Writers    map[string]WriterOp `json:"writers,omitempty"`  // by process id
}

// DocumentFormat is the RoomDocument.Format written today.
const DocumentFormat = 1

// Member is one membership. Epoch is the room revision that committed it.
type Member struct {
	Peer         Token        `json:"peer"`
	Identity     string       `json:"identity"`
	Epoch        uint64       `json:"epoch"`
	Edge         Token        `json:"edge"` // where it joined
	Capabilities Capabilities `json:"capabilities"`
}

// Departure tells an edge that was behind how a member left.
type Departure struct {
	Peer     Token       `json:"peer"`
	Revision uint64      `json:"revision"`
	Reason   LeaveReason `json:"reason"`
}

// WriterOp is the last operation of one asker: an operation with a number at
// or under N was applied before. Refused keeps its verdicts by peer, so that a
// repeated request gets the same answer.
type WriterOp struct {
	N        uint64          `json:"n"`
	Revision uint64          `json:"revision,omitempty"` // the room's after it; tells old operations from new ones
	Refused  map[string]Code `json:"refused,omitempty"`
	Server   bool            `json:"server,omitempty"` // a roomsvc, which has sent a backend's message
}

// LeaveReason says why a membership ended.
type LeaveReason string

// The reasons of `left` and `peer-left`.
const (
	ReasonLeft     LeaveReason = "left"     // by its own leave or bye
	ReasonReplaced LeaveReason = "replaced" // the identity joined again
	ReasonKicked   LeaveReason = "kicked"   // by a moderator
	ReasonClosed   LeaveReason = "closed"   // the room was closed
	ReasonExpired  LeaveReason = "expired"  // away for longer than the resume window, or maxStay is over
	ReasonRevoked  LeaveReason = "revoked"  // its token was revoked
)

// MemberState is where a member stands.
type MemberState string

// The states of a MemberRecord. Only here and away reach clients.
const (
	StateHere MemberState = "here"
	StateAway MemberState = "away"
	StateGone MemberState = "gone"
)

// MemberRecord says where a member is and what it shows. The edge that holds
// the peer writes it by compare-and-set; roomsvc only turns it to gone. It is
// created before the join commits, so whoever sees the member in the document
// finds it. A record is believed if Epoch is 0 (not yet known to its writer)
// or the document's epoch for that peer.
type MemberRecord struct {
	Peer        Token           `json:"peer"`
	Epoch       uint64          `json:"epoch,omitempty"`
	Incarnation uint64          `json:"incarnation"`     // rises with every takeover
	Began       uint64          `json:"began,omitempty"` // the incarnation that its session began with: another edge's, or one after a rewind
	Attempt     uint64          `json:"attempt"`         // of the hello that took over
	Edge        Token           `json:"edge"`
	Trail       []Token         `json:"trail"`           // edges that held it, oldest first, Edge last
	Past        []Stay          `json:"past,omitempty"`  // of each edge of the trail but the last
	Acked       uint64          `json:"acked,omitempty"` // what its client had seen acknowledged when the session began: it sends again what is later
	State       MemberState     `json:"state"`
	Reason      LeaveReason     `json:"reason,omitempty"` // with gone
	Secret      []byte          `json:"secret,omitempty"` // SHA-256 of the resume secret
	Presence    json.RawMessage `json:"presence,omitempty"`
	Version     uint64          `json:"version"` // of presence and state: newest wins

	// What its token allowed, for the edge that takes it over.
	Grants  []string `json:"grants,omitempty"`
	ICE     Policy   `json:"ice,omitempty"`
	Expires int64    `json:"expires,omitempty"` // of the token, Unix seconds
	Until   int64    `json:"until,omitempty"`   // when maxStay ends the membership, Unix seconds; 0: never
}

// Stay is a member's time on an edge that it has left.
type Stay struct {
	Until int64  `json:"until"` // Unix seconds
	Head  uint64 `json:"head"`  // of that edge's log, at a moment before it lost the member
}

// EdgeLease is renewed each second by the edge whose key it is. A lease is out
// for an observer that saw its revision unchanged for LeaseTimeout on its own
// monotonic clock while NATS answered.
type EdgeLease struct {
	Edge    Token  `json:"edge"`
	Address string `json:"address"`
	Drain   bool   `json:"drain,omitempty"`
	Renewal uint64 `json:"renewal"` // counts up
}

// KeyRecord is a public key that room tokens may be signed with. Algorithm is
// always "EdDSA" (RFC 8037); Public is the 32-byte Ed25519 key.
type KeyRecord struct {
	KeyID     string `json:"kid"`
	Algorithm string `json:"alg"`
	Public    []byte `json:"public"`
	Retired   bool   `json:"retired,omitempty"` // a tombstone: nothing it signed is valid
}

// AppRecord is a tenant: what its rooms allow and the SHA-256 of its API keys.
type AppRecord struct {
	App        Token           `json:"app"`
	APIKeys    [][]byte        `json:"apiKeys"`
	Capacity   int             `json:"capacity,omitempty"`   // members a room; 0: roomsvc's default
	Duplicates DuplicatePolicy `json:"duplicates,omitempty"` // "": roomsvc's default
	ICE        Policy          `json:"ice,omitempty"`        // "": the filter's default; it can only tighten
}

// DuplicatePolicy says what happens when an identity joins a room that it is in.
type DuplicatePolicy string

// The duplicate policies.
const (
	DuplicateReplace DuplicatePolicy = "replace" // the old membership ends (the default)
	DuplicateReject  DuplicatePolicy = "reject"  // the new one is refused with CodeIdentityTaken
	DuplicateAllow   DuplicatePolicy = "allow"   // both stay
)
