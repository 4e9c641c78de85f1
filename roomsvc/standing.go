package roomsvc

import "github.com/parley-rtc/parley/roomsvc/internal/room"

const (
	// keptRooms and keptMembers bound what is remembered of rooms in which
	// nothing happens: about 25 MB.
	keptRooms   = 20_000
	keptMembers = 50_000
)

// standing is where a room stands as the last to change it knows; the zero
// standing knows nothing. One that isn't fresh may be old: a write over it is
// refused then, and the document is read.
type standing struct {
	known  bool
	fresh  bool // read from the leader just now
	state  room.State
	stored uint64
}

// nobody is where a room stands that nobody is known to have been in. If that is
// wrong its write is refused, as any over an old standing.
func nobody(ref room.Ref) standing {
	return standing{known: true, state: room.New(ref.App, ref.Room)}
}

// standings remembers rooms between their commits, by the last commit or by what
// the watch of the rooms bucket brought since. Reading and decoding the document
// of 1,000 members costs more than all the rest of a commit.
type standings struct {
	rooms   map[room.Ref]standing
	members int
}

// take returns what is remembered of a room, and forgets it.
func (s *standings) take(ref room.Ref) standing {
	at := s.rooms[ref]
	delete(s.rooms, ref)
	s.members -= len(at.state.Members())
	return at
}

// keep remembers a room, unless something newer is remembered of it; others,
// whichever, make room for it.
func (s *standings) keep(ref room.Ref, at standing) {
	if !at.known || at.stored <= s.rooms[ref].stored {
		return
	}
	s.take(ref)
	if s.rooms == nil {
		s.rooms = map[room.Ref]standing{}
	}
	at.fresh = false
	s.rooms[ref] = at
	s.members += len(at.state.Members())
	for other := range s.rooms {
		if len(s.rooms) <= keptRooms && s.members <= keptMembers {
			return
		}
		s.take(other)
	}
}
