package contract

import (
	"errors"
	"hash/fnv"
	"strconv"
	"strings"
)

// Queue groups: each request goes to one member of the group.
const (
	QueueFilter = "candidatefilter"
	QueueRooms  = "roomsvc"
	QueueAuth   = "authsvc"
)

// Request subjects. The bodies are in messages.go.
const (
	SubjectRoomChange = "room.change"  // RoomChange -> RoomChanged
	SubjectAuthToken  = "auth.token"   // TokenRequest -> TokenReply
	SubjectAuthICE    = "auth.ice"     // ICERequest -> ICEReply
	SubjectFilterAll  = "filter.*.*.*" // what candidatefilter subscribes to
)

// SubjectStandstill is where every roomsvc hears a Standstill of the others.
const SubjectStandstill = "room.standstill"

// ErrBadSubject is returned for a subject that isn't of the expected form.
var ErrBadSubject = errors.New("bad subject")

// FilterSubject is where the edge `from` publishes entries for the edge `to`. The
// name of `from` stands before it: an id is new with every start, so that only by
// the name can NATS permit one edge's subjects and refuse another's.
func FilterSubject(from, to Token) string {
	return "filter." + from.processName() + "." + from.text + "." + to.text
}

// SettledSubject is where a roomsvc asks another one whether all messages of
// backends that it has committed for a room are in the logs. The body is a
// RoomKey; the answer, empty, comes when they are.
func SettledSubject(roomsvc Token) string { return "room.settled." + roomsvc.text }

// ParseFilterSubject reads the link back from a subject of FilterSubject. A name
// that isn't the one of `from` is refused.
func ParseFilterSubject(subject string) (from, to Token, err error) {
	parts := strings.Split(subject, ".")
	if len(parts) != 4 || parts[0] != "filter" {
		return Token{}, Token{}, ErrBadSubject
	}
	if from, to, err = parseLink(parts[2], parts[3]); err != nil {
		return Token{}, Token{}, err
	}
	if parts[1] != from.processName() {
		return Token{}, Token{}, ErrBadSubject
	}
	return from, to, nil
}

// SignalSubject is the log subject of the link from -> to in the given shard.
func SignalSubject(shard int, from, to Token) string {
	return "$KV." + SignalsBucket(shard) + "." + from.text + "." + to.text
}

// SignalsFor is the filter of the one consumer that the edge `to` runs.
func SignalsFor(shard int, to Token) string {
	return "$KV." + SignalsBucket(shard) + ".*." + to.text
}

// ParseSignalSubject reads the link back from a subject of SignalSubject.
func ParseSignalSubject(subject string) (from, to Token, err error) {
	parts := strings.Split(subject, ".")
	if len(parts) != 4 || parts[0] != "$KV" || !strings.HasPrefix(parts[1], signalsPrefix) {
		return Token{}, Token{}, ErrBadSubject
	}
	return parseLink(parts[2], parts[3])
}

// EventSubject is where `from` tells the process `to` something that needs no
// log: settle requests, the revisions of its rooms.
func EventSubject(to, from Token) string { return "evt." + to.text + "." + from.text }

// EventsFor is what the process `to` subscribes to.
func EventsFor(to Token) string { return "evt." + to.text + ".*" }

// ParseEventSubject reads from a subject of EventSubject who tells.
func ParseEventSubject(subject string) (from Token, err error) {
	parts := strings.Split(subject, ".")
	if len(parts) != 3 || parts[0] != "evt" {
		return Token{}, ErrBadSubject
	}
	_, from, err = parseLink(parts[1], parts[2])
	return from, err
}

// MessageID names entry n of a link for the log's duplicate window: it
// recognises a retry of that entry and nothing else.
func MessageID(from, to Token, n uint64) string {
	return from.text + "." + to.text + "." + strconv.FormatUint(n, 10)
}

// Shard returns which of n signal logs holds the links into `to`: FNV-1a of
// its text, modulo n. n must be the ShardsMetadata of the log, not a setting.
func Shard(to Token, n int) int {
	h := fnv.New32a()
	h.Write([]byte(to.text))
	return int(h.Sum32() % uint32(n))
}

func parseLink(a, b string) (from, to Token, err error) {
	if from, err = ParseToken(a); err != nil {
		return Token{}, Token{}, err
	}
	if to, err = ParseToken(b); err != nil {
		return Token{}, Token{}, err
	}
	return from, to, nil
}
