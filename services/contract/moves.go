package contract

// Moves is what an edge that has taken members over asks the edges that may have
// sent to their earlier places, on EventSubject: send their signals to me, and
// tell where in the logs of those places the last ones stand. It is answered by
// Moved when these are settled.
type Moves struct {
	Moves []Move `json:"moves"`
}

// Move is one member's. One of a lower incarnation than was heard of before
// changes nothing. An edge that held the member gives it up.
type Move struct {
	App         Token   `json:"app"`
	Room        Token   `json:"room"`
	Peer        Token   `json:"peer"`
	Incarnation uint64  `json:"incarnation"`
	Began       uint64  `json:"began,omitempty"` // as in MemberRecord
	Acked       uint64  `json:"acked,omitempty"` // as in MemberRecord
	Trail       []Token `json:"trail"`           // the edges that held it before the asker
}

// Moved answers Moves: for each move, in order, where the answerer's links into
// its trail end for the member, and by room (RoomKey) which sessions the answerer
// has. A link without an end carried nothing.
type Moved struct {
	Ends     [][]LinkEnd          `json:"ends"`
	Sessions map[string][]Session `json:"sessions,omitempty"`
}

// Session is that of a member, as in MemberRecord. Of one that was rewound Began
// is a number that only later sessions have, and Acked what was settled.
type Session struct {
	Peer  Token  `json:"peer"`
	Began uint64 `json:"began"`
	Acked uint64 `json:"acked,omitempty"`
}

// LinkEnd is the revision in the log of the edge To at and under which stands all
// that the answerer sent there before it switched to the member's next place.
type LinkEnd struct {
	To       Token  `json:"to"`
	Revision uint64 `json:"revision"`
}
