package index

import (
	"cmp"
	"slices"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

// Ghost is a member of a document whose record says that it is gone.
type Ghost struct {
	Room room.Ref
	Peer contract.Token
}

// Places returns the edges that hold the given members of a room, each once.
func (x *Index) Places(ref room.Ref, members ...[]contract.Member) []contract.Token {
	x.mu.Lock()
	defer x.mu.Unlock()
	var edges []contract.Token
	seen := map[contract.Token]bool{}
	for _, some := range members {
		for i := range some {
			if edge := x.at(ref, &some[i]); !seen[edge] {
				seen[edge] = true
				edges = append(edges, edge)
			}
		}
	}
	return edges
}

// Place is where a member is.
func (x *Index) Place(ref room.Ref, m *contract.Member) contract.Token {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.at(ref, m)
}

// Edges returns every edge that holds a member.
func (x *Index) Edges() []contract.Token {
	x.mu.Lock()
	defer x.mu.Unlock()
	edges := make([]contract.Token, 0, len(x.edges))
	for edge := range x.edges {
		edges = append(edges, edge)
	}
	return edges
}

// RoomsOf returns the rooms that have members on an edge.
func (x *Index) RoomsOf(edge contract.Token) []room.Ref {
	x.mu.Lock()
	defer x.mu.Unlock()
	refs := make([]room.Ref, 0, len(x.edges[edge]))
	for ref := range x.edges[edge] {
		refs = append(refs, ref)
	}
	return refs
}

// Revision is the revision of a room, 0 if nobody is in it.
func (x *Index) Revision(ref room.Ref) uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	if e := x.rooms[ref]; e != nil {
		return e.revision
	}
	return 0
}

// Ghosts returns the members whose records have said since before `before` that
// they are gone.
func (x *Index) Ghosts(before time.Time) []Ghost {
	x.mu.Lock()
	defer x.mu.Unlock()
	var ghosts []Ghost
	for ref, marks := range x.marks {
		for peer, m := range marks {
			if m.gone && m.since.Before(before) && x.rooms[ref].find(peer) != nil {
				ghosts = append(ghosts, Ghost{ref, peer})
			}
		}
	}
	return ghosts
}

// Old returns the rooms whose documents were last written before `before`.
func (x *Index) Old(before time.Time) []room.Ref {
	x.mu.Lock()
	defer x.mu.Unlock()
	var refs []room.Ref
	for ref, e := range x.rooms {
		if e.seen.Before(before) {
			refs = append(refs, ref)
		}
	}
	return refs
}

// Summary is a room with members as a list shows it.
type Summary struct {
	Name     contract.ID
	Members  int
	Revision uint64
	Locked   bool
}

// List returns the rooms of an app that have members and whose names come after
// `after`, by name (byte by byte), at most so many. more means that there are
// others.
func (x *Index) List(app contract.Token, after contract.ID, most int) (rooms []Summary, more bool) {
	x.mu.Lock()
	for ref, e := range x.rooms {
		if ref.App == app {
			if name := ref.Room.ID(); name > after {
				rooms = append(rooms, Summary{name, len(e.members), e.revision, e.locked})
			}
		}
	}
	x.mu.Unlock()
	slices.SortFunc(rooms, func(a, b Summary) int { return cmp.Compare(a.Name, b.Name) })
	if len(rooms) > most {
		return rooms[:most], true
	}
	return rooms, false
}

// Identity is the identity of a member, "" if it isn't in.
func (x *Index) Identity(ref room.Ref, peer contract.Token) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if m := x.rooms[ref].find(peer); m != nil {
		return m.Identity
	}
	return ""
}

// Count returns the number of rooms with members, and of their members.
func (x *Index) Count() (rooms, members int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.rooms), x.members
}

// Has reports whether anybody is in a room.
func (x *Index) Has(ref room.Ref) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.rooms[ref] != nil
}
