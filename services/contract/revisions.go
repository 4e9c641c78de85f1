package contract

// Revisions is what roomsvc tells an edge on EventSubject every half minute:
// the revision of each room that the edge has members in, and once more that
// of a room where it had its last one. An edge whose roster is behind has lost
// an event and reads the document.
type Revisions struct {
	Rooms []RoomRevision `json:"rooms"`
}

// RoomRevision is the revision that a room stands at.
type RoomRevision struct {
	App      Token  `json:"app"`
	Room     Token  `json:"room"`
	Revision uint64 `json:"revision"`
}
