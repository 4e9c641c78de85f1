package room

import (
	"fmt"
	"strings"

	"github.com/parley-rtc/parley/services/contract"
)

// Ref names a room.
type Ref struct {
	App, Room contract.Token
}

// Key is the key of the room's document.
func (r Ref) Key() string { return contract.RoomKey(r.App, r.Room) }

// String is the key, for logs.
func (r Ref) String() string { return r.Key() }

// ParseKey reads a room back from the key of its document.
func ParseKey(key string) (Ref, error) {
	parts := strings.Split(key, ".")
	if len(parts) != 2 {
		return Ref{}, fmt.Errorf("key of a room document has %d parts, want 2", len(parts))
	}
	return parseRef(parts)
}

// ParseMemberKey reads a room and a peer back from the key of a member's record.
func ParseMemberKey(key string) (Ref, contract.Token, error) {
	parts := strings.Split(key, ".")
	if len(parts) != 3 {
		return Ref{}, contract.Token{}, fmt.Errorf("key of a member's record has %d parts, want 3", len(parts))
	}
	ref, err := parseRef(parts)
	if err != nil {
		return Ref{}, contract.Token{}, err
	}
	peer, err := contract.ParseToken(parts[2])
	return ref, peer, err
}

func parseRef(parts []string) (Ref, error) {
	app, err := contract.ParseToken(parts[0])
	if err != nil {
		return Ref{}, err
	}
	name, err := contract.ParseToken(parts[1])
	return Ref{app, name}, err
}
