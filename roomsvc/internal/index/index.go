package index

import (
	"sync"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

// Index is rooms by edge and back. Rooms without members aren't in it.
type Index struct {
	mu      sync.Mutex
	rooms   map[room.Ref]*entry
	edges   map[contract.Token]map[room.Ref]struct{}
	marks   map[room.Ref]map[contract.Token]mark
	members int
}

// entry is a room with members.
type entry struct {
	stored   uint64 // revision of the bucket that the document was seen at
	seen     time.Time
	revision uint64
	locked   bool
	members  []contract.Member
	edges    map[contract.Token]struct{} // where they are
}

// mark is what a member's record adds to the document: that the member moved,
// or that it is gone.
type mark struct {
	edge  contract.Token
	epoch uint64
	gone  bool
	since time.Time
}

// New returns an empty index.
func New() *Index {
	return &Index{
		rooms: map[room.Ref]*entry{},
		edges: map[contract.Token]map[room.Ref]struct{}{},
		marks: map[room.Ref]map[contract.Token]mark{},
	}
}

// Knows reports whether a room's document was seen at this revision of the
// bucket or a later one, so that it needn't be decoded.
func (x *Index) Knows(ref room.Ref, stored uint64) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.rooms[ref]
	return e != nil && stored <= e.stored
}

// Document takes over a room's document as stored. seen is when it was written,
// as far as the caller knows. It returns the edges that had members in the room
// and have none now.
func (x *Index) Document(ref room.Ref, stored uint64, doc *contract.RoomDocument, seen time.Time) (dropped []contract.Token) {
	x.mu.Lock()
	defer x.mu.Unlock()
	old := x.rooms[ref]
	if old != nil && stored <= old.stored {
		return nil
	}
	e := &entry{stored: stored, seen: seen, revision: doc.Revision, locked: doc.Locked, members: doc.Members}
	return x.place(ref, old, e)
}

// Remove forgets a room whose document is no more.
func (x *Index) Remove(ref room.Ref) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if old := x.rooms[ref]; old != nil {
		x.place(ref, old, &entry{})
	}
}

// Record takes over what a member's record says of its place. It returns true
// if the member is somewhere else than the index knew.
func (x *Index) Record(ref room.Ref, r *contract.MemberRecord, now time.Time) (moved bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	gone := r.State == contract.StateGone
	known, marked := x.marks[ref][r.Peer]
	if marked && known.edge == r.Edge && known.epoch == r.Epoch && known.gone == gone {
		return false
	}
	e := x.rooms[ref]
	member := e.find(r.Peer)
	var was contract.Token
	if member != nil {
		was = x.at(ref, member)
	}
	// A member of its first incarnation is where the document says (a trail tells
	// less: it forgets), and that somebody who isn't in is gone is no news.
	if r.Incarnation > 1 || gone && member != nil {
		if x.marks[ref] == nil {
			x.marks[ref] = map[contract.Token]mark{}
		}
		x.marks[ref][r.Peer] = mark{r.Edge, r.Epoch, gone, now}
	} else {
		x.unmark(ref, r.Peer)
	}
	if member == nil || x.at(ref, member) == was {
		return false
	}
	x.place(ref, e, &entry{stored: e.stored, seen: e.seen, revision: e.revision, locked: e.locked, members: e.members})
	return true
}

// Prune forgets what was noted before `before` of members that aren't in.
func (x *Index) Prune(before time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for ref, marks := range x.marks {
		for peer, m := range marks {
			if m.since.Before(before) && x.rooms[ref].find(peer) == nil {
				x.unmark(ref, peer)
			}
		}
	}
}

// place puts e in the place of old (which may be nil) and returns the edges
// that the room has left.
func (x *Index) place(ref room.Ref, old, e *entry) (dropped []contract.Token) {
	e.edges = map[contract.Token]struct{}{}
	for i := range e.members {
		e.edges[x.at(ref, &e.members[i])] = struct{}{}
	}
	x.members += len(e.members)
	if old != nil {
		x.members -= len(old.members)
		for edge := range old.edges {
			if _, stays := e.edges[edge]; !stays {
				dropped = append(dropped, edge)
				x.unlink(edge, ref)
			}
		}
	}
	for edge := range e.edges {
		if x.edges[edge] == nil {
			x.edges[edge] = map[room.Ref]struct{}{}
		}
		x.edges[edge][ref] = struct{}{}
	}
	if len(e.members) == 0 {
		delete(x.rooms, ref)
	} else {
		x.rooms[ref] = e
	}
	return dropped
}

func (x *Index) unlink(edge contract.Token, ref room.Ref) {
	delete(x.edges[edge], ref)
	if len(x.edges[edge]) == 0 {
		delete(x.edges, edge)
	}
}

func (x *Index) unmark(ref room.Ref, peer contract.Token) {
	delete(x.marks[ref], peer)
	if len(x.marks[ref]) == 0 {
		delete(x.marks, ref)
	}
}

// at is where a member is: where its record says, believed under the epoch that
// the document gives it; without one, where it joined.
func (x *Index) at(ref room.Ref, m *contract.Member) contract.Token {
	marked, ok := x.marks[ref][m.Peer]
	if ok && (marked.epoch == 0 || marked.epoch == m.Epoch) {
		return marked.edge
	}
	return m.Edge
}

// find returns a member of the room, nil if it isn't in; e may be nil.
func (e *entry) find(peer contract.Token) *contract.Member {
	if e == nil {
		return nil
	}
	for i := range e.members {
		if e.members[i].Peer == peer {
			return &e.members[i]
		}
	}
	return nil
}
