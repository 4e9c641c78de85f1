package session

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-rtc/parley/services/contract"
)

// world has clients that send over one edge, the log that it writes, and a client
// that is told of it by one edge after the other.
type world struct {
	senders []*sender
	log     []commit // revision 1 first
	reader  *reader
	given   [][]uint64 // what the receiver's application got from each sender
}

// sender is a client that sends, with its session and its link.
type sender struct {
	number int
	seq    Sequence
	last   uint64   // that the client has made
	acked  uint64   // that the client knows of
	flying []uint64 // the entry that is on its way
	queue  []uint64
	lost   [][]uint64 // entries given up whose attempts may still arrive
}

type commit struct {
	sender int
	seqs   []uint64
}

// reader is the receiver: its client, which stays, and the session of the edge
// it is at.
type reader struct {
	marks    Watermarks // the client's
	cursor   string     // the client's
	edge     int        // how many it has been at
	position int        // in the log
	given    Watermarks // the session's
	socket   []frame    // on the way to the client
}

// frame is a signal, or with sender -1 a ping.
type frame struct {
	sender int
	seq    uint64
	cursor string
}

func newWorld(senders int) *world {
	w := &world{reader: &reader{}, given: make([][]uint64, senders)}
	for i := range senders {
		w.senders = append(w.senders, &sender{number: i})
	}
	w.reader.cursor = w.cursorAt(0)
	return w
}

func (w *world) cursorAt(revision int) string {
	edge, err := contract.ParseToken(fmt.Sprint("edge-", w.reader.edge))
	if err != nil {
		panic(err)
	}
	return contract.Cursor{Edge: edge, Epoch: 7, Revision: uint64(revision)}.String()
}

func (w *world) sender(t *rapid.T) *sender {
	return w.senders[rapid.IntRange(0, len(w.senders)-1).Draw(t, "sender")]
}

// send has a client make frames. The edge must take them.
func (w *world) send(t *rapid.T) {
	s := w.sender(t)
	for range rapid.IntRange(1, 4).Draw(t, "frames") {
		s.last++
		s.offer(t, s.last)
	}
}

func (s *sender) offer(t *rapid.T, seq uint64) {
	if got := s.seq.Accept(seq, 1); got != Fresh {
		t.Fatalf("sender %d: frame %d is %v", s.number, seq, got)
	}
	s.queue = append(s.queue, seq)
}

// cut sends what is queued as one entry, or commits the one that flies.
func (w *world) cut(t *rapid.T) {
	s := w.sender(t)
	if len(s.flying) == 0 {
		s.flying, s.queue = s.queue, nil
		return
	}
	w.log = append(w.log, commit{s.number, s.flying})
	for _, seq := range s.flying {
		s.seq.Release(seq)
	}
	s.flying = nil
}

// ack tells the client.
func (w *world) ack(t *rapid.T) { s := w.sender(t); s.acked = s.seq.Acked() }

// giveUp ends an entry that nobody knows the outcome of: the socket is closed,
// and the client sends again what it has no acked for.
func (w *world) giveUp(t *rapid.T) {
	s := w.sender(t)
	if len(s.flying) > 0 {
		s.lost = append(s.lost, s.flying)
	}
	s.flying, s.queue = nil, nil
	s.seq.Rewind()
	s.acked = s.seq.Acked() // the next welcome has it
	for seq := s.acked + 1; seq <= s.last; seq++ {
		s.offer(t, seq)
	}
}

// moveSender is giveUp at an edge that has only the client's word.
func (w *world) moveSender(t *rapid.T) {
	s := w.sender(t)
	if len(s.flying) > 0 {
		s.lost = append(s.lost, s.flying)
	}
	s.flying, s.queue, s.seq = nil, nil, Sequence{}
	s.seq.Resume(s.acked)
	for seq := s.acked + 1; seq <= s.last; seq++ {
		s.offer(t, seq)
	}
}

// arriveLate commits an entry that was given up before the frames behind it were.
func (w *world) arriveLate(t *rapid.T) {
	s := w.sender(t)
	if len(s.lost) == 0 {
		return
	}
	w.log = append(w.log, commit{s.number, s.lost[0]})
	s.lost = s.lost[1:]
}

// read has the edge put the next entry on the socket. A frame's cursor stands
// before its entry: the socket may die within it.
func (w *world) read(*rapid.T) {
	r := w.reader
	if r.position == len(w.log) {
		return
	}
	e := w.log[r.position]
	for _, seq := range e.seqs {
		if r.given.Pass(fmt.Append(nil, e.sender), seq) {
			r.socket = append(r.socket, frame{e.sender, seq, w.cursorAt(r.position)})
		}
	}
	r.position++
}

// ping tells the position itself.
func (w *world) ping(*rapid.T) {
	r := w.reader
	r.socket = append(r.socket, frame{sender: -1, cursor: w.cursorAt(r.position)})
}

// receive has the client take one frame.
func (w *world) receive(*rapid.T) {
	r := w.reader
	if len(r.socket) == 0 {
		return
	}
	f := r.socket[0]
	r.socket = r.socket[1:]
	r.cursor = f.cursor
	if f.sender >= 0 && r.marks.Pass(fmt.Append(nil, f.sender), f.seq) {
		w.given[f.sender] = append(w.given[f.sender], f.seq)
	}
}

// moveReceiver cuts the socket. Another edge knows nothing but the cursor.
func (w *world) moveReceiver(t *rapid.T) {
	r := w.reader
	cursor, err := contract.ParseCursor(r.cursor)
	if err != nil {
		t.Fatal(err)
	}
	r.socket, r.given, r.position = nil, Watermarks{}, int(cursor.Revision)
	r.edge++
}

func (w *world) check(t *rapid.T) {
	for _, s := range w.senders {
		for i, seq := range w.given[s.number] {
			if seq != uint64(i+1) {
				t.Fatalf("the receiver got %v from sender %d", w.given[s.number], s.number)
			}
		}
		if s.acked > w.logged(s.number) {
			t.Fatalf("sender %d heard that %d is settled, the log ends at %d", s.number, s.acked, w.logged(s.number))
		}
	}
}

// logged is how far the log has all that a sender sent.
func (w *world) logged(sender int) uint64 {
	var mark uint64
	for _, e := range w.log {
		if e.sender == sender && slices.Contains(e.seqs, mark+1) {
			mark = max(mark, e.seqs[len(e.seqs)-1])
		}
	}
	return mark
}

// finish lets everything happen that is still to come.
func (w *world) finish(t *rapid.T) {
	for w.reader.position < len(w.log) {
		w.read(t)
	}
	for len(w.reader.socket) > 0 {
		w.receive(t)
	}
	w.check(t)
	for _, s := range w.senders {
		if got, want := uint64(len(w.given[s.number])), w.logged(s.number); got != want {
			t.Fatalf("the receiver got %d frames of sender %d, the log has %d", got, s.number, want)
		}
	}
}

// TestSession_everythingOnce: whoever moves and whatever is sent again, the
// receiver's application gets what is in the log once, and in order.
func TestSession_everythingOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(rapid.IntRange(1, 2).Draw(t, "senders"))
		t.Repeat(map[string]func(*rapid.T){
			"":     w.check,
			"send": w.send, "cut": w.cut, "cut 2": w.cut, "ack": w.ack,
			"give up": w.giveUp, "move a sender": w.moveSender, "arrive late": w.arriveLate,
			"read": w.read, "read 2": w.read, "ping": w.ping, "receive": w.receive, "receive 2": w.receive,
			"move the receiver": w.moveReceiver,
		})
		w.finish(t)
	})
}
