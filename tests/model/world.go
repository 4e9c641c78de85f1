package model

// edge names one of the three edges.
type edge uint8

const (
	edgeA edge = iota
	edgeB
	edgeC
	edges = 3
)

// edgeSet is a set of edges, a bit each.
type edgeSet uint8

func (s edgeSet) has(e edge) bool { return s&(1<<e) != 0 }
func (s *edgeSet) add(e edge)     { *s |= 1 << e }
func (s *edgeSet) drop(e edge)    { *s &^= 1 << e }

// peer names one of the three clients: two that send and one that receives.
type peer uint8

const (
	sender1 peer = iota
	sender2
	receiver
	senders = 2
	peers   = 3
)

// peerSet is a set of peers, a bit each.
type peerSet uint8

func (s peerSet) has(p peer) bool { return s&(1<<p) != 0 }
func (s *peerSet) add(p peer)     { *s |= 1 << p }

// place is where a peer is and the incarnation that brought it there.
type place struct {
	edge        edge
	incarnation uint8
}

// sending is a sender's session on an edge.
type sending struct {
	open        bool
	incarnation uint8 // of the takeover that opened it, or went on with it
	life        uint8
	accepted    uint8
}

// ending is the newest session of a sender that has ended on an edge: later ones begin
// with a higher number than life, and of it so much was settled.
type ending struct{ life, settled uint8 }

// process is one edge.
type process struct {
	down   bool
	paused bool
	fenced bool // its lease is out, and it hasn't renewed it
	stale  bool // it was fenced and hasn't read its members' records again
	found  place
	took   uint8 // its own log's position when the receiver came last
	// sessions by sender; links by the receiving edge.
	sessions [senders]sending
	ended    [senders]ending
	links    [edges]link
	lanes    [4]lane
	newest   [edges]uint8 // the last lane to each edge, by its mark; 0: none
	// How far the link to each earlier place of the receiver got before the edge
	// switched to another, how many of its marks are open, and the highest
	// incarnation that the edge was asked about.
	ends  [edges]uint8
	open  [edges]uint8
	asked uint8
}

func (p *process) runs() bool { return !p.down && !p.paused }

// stray is an entry in flight from which nobody waits for an answer.
type stray struct {
	used     bool
	from, to edge
	signals  signals
}

// logged is a signal in a log: the edge that it came from, its peer and seq, the
// incarnation of its session, and whether an entry begins with it.
type logged uint16

func newLogged(from edge, s signal, first bool) logged {
	l := logged(s.life())<<8 | logged(from)<<4 | logged(s.from())<<3 | logged(s.seq())
	if first {
		l |= 1 << 7
	}
	return l
}

func (l logged) edge() edge         { return edge(l >> 4 & 3) }
func (l logged) from() peer         { return peer(l >> 3 & 1) }
func (l logged) seq() uint8         { return uint8(l) & 7 }
func (l logged) first() bool        { return l&(1<<7) != 0 }
func (l logged) incarnation() uint8 { return uint8(l >> 8) }

// log is the part of the signal log that is addressed to one edge. A position in
// it is a number of signals; entries are what is between two firsts.
type log struct {
	n  uint8
	at [20]logged
}

func (l *log) push(one logged) {
	room(l.n, len(l.at))
	l.at[l.n] = one
	l.n++
}

// end is the position after the entry that begins at pos.
func (l *log) end(pos uint8) uint8 {
	pos++
	for pos < l.n && !l.at[pos].first() {
		pos++
	}
	return pos
}

// record is a peer's key in the bucket of members.
type record struct {
	place   place
	attempt uint8
	secret  uint8
	began   uint8    // the incarnation that brought it to its edge
	held    edgeSet  // the edges that have held it
	acked   uint8    // of a sender: what its client had seen acknowledged at the last takeover,
	ackedAt [8]uint8 // and at each of them
	gone    bool
}

// trail is the edges that have held the receiver, in order, with the head that
// the log of each had when the next one took over.
type trail struct {
	n    uint8
	at   [6]edge
	head [6]uint8
}

func (t *trail) add(e edge) {
	room(t.n, len(t.at))
	t.at[t.n] = e
	t.n++
}

func (t *trail) set() (s edgeSet) {
	for _, e := range t.at[:t.n] {
		s.add(e)
	}
	return s
}

// cursor is a position in the log of an edge.
type cursor struct {
	edge edge
	pos  uint8
}

// Where a client stands.
const (
	closed   = iota // its socket is gone: it says hello somewhere
	greeting        // it has said hello
	welcomed
	ended // its membership is over
)

// client is a client with its socket.
type client struct {
	at      edge
	stage   uint8
	attempt uint8
	// The secret that a welcome confirmed, and the one that was proposed since.
	confirmed, proposed uint8
	acked, sent         uint8 // of a sender
	cursor              cursor
}

// hello is one on its way, or being answered by an edge.
type hello struct {
	used                bool
	begun               bool // the first of the edge's two steps is done
	peer                peer
	to                  edge
	attempt             uint8
	acked               uint8
	cursor              cursor
	confirmed, proposed uint8
	incarnation         uint8
	began               uint8 // the incarnation that brought the peer to the edge
	fresh               bool  // the record was this edge's before
	room                view
}

// view is what an edge knows of the others: the room as it was read at one time.
type view struct {
	places [peers]place
	held   [senders]edgeSet
	began  [senders]uint8
	acked  [senders]uint8
	gone   peerSet
}

// faults is what may still go wrong.
type faults struct{ moves, crashes, pauses, giveUps, lostAnswers, burials uint8 }

// world is everything at one moment. It has no pointers: a copy is a world of
// its own.
type world struct {
	left      faults
	records   [peers]record
	trail     trail
	clients   [peers]client
	processes [edges]process
	logs      [edges]log
	strays    [4]stray
	hellos    [5]hello
	arrival   arrival
	asks      [8]edgeSet // by the receiver's incarnation: who hasn't heard of it
	askers    [8]edge    // by the receiver's incarnation

	heard   [senders]uint8 // the highest seq that the receiver's application got
	logged  [senders]uint8 // bits by seq: some log has it, or had it
	refused [senders]uint8 // bits by seq: the filter left it out
	told    [senders]uint8 // bits by seq: the sender heard that it was refused
}
