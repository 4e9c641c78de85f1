package model

// full is what the model panics with where it has no more room.
type full struct{}

// room makes sure that a list can take one more.
func room(n uint8, most int) {
	if int(n) == most {
		panic(full{})
	}
}

// signal is one frame on its way to the receiver: who sent it, its seq, and the
// life of the session that it was accepted in. One without a seq is a mark: when
// all before it is settled, something is to be done.
type signal uint8

func newSignal(from peer, seq, life uint8) signal { return signal(uint8(from)<<7 | seq<<4 | life) }

func (s signal) from() peer   { return peer(s >> 7) }
func (s signal) seq() uint8   { return uint8(s>>4) & 7 }
func (s signal) life() uint8  { return uint8(s) & 15 }
func (s signal) isMark() bool { return s.seq() == 0 }

// signals is a short queue.
type signals struct {
	n  uint8
	at [8]signal
}

func (q *signals) push(s signal) {
	room(q.n, len(q.at))
	q.at[q.n] = s
	q.n++
}

func (q *signals) all() []signal { return q.at[:q.n] }

func (q *signals) addAll(o []signal) {
	for _, s := range o {
		q.push(s)
	}
}

// cut takes what goes into one entry: signals, and the marks after them. Without
// the rule cutAtMarks it takes all.
func (q *signals) cut(all bool) (head signals) {
	n := uint8(0)
	for n < q.n && (all || n == 0 || q.at[n].isMark() || !q.at[n-1].isMark()) {
		n++
	}
	head.addAll(q.at[:n])
	rest := signals{}
	rest.addAll(q.at[n:q.n])
	*q = rest
	return head
}

// hasSignal reports whether there is anything to commit.
func (q *signals) hasSignal() bool {
	for _, s := range q.all() {
		if !s.isMark() {
			return true
		}
	}
	return false
}

// Where an entry is.
const (
	idle      = iota
	inFlight  // published; the log doesn't have it yet
	committed // in the log; the sender's edge hasn't heard so
)

// entry is what a link commits at once. Refused: the first commit left its
// doubtful signal out; again: a second attempt did, whose answer came instead.
type entry struct {
	state   uint8
	refused bool
	retried bool
	again   bool
	end     uint8 // its position in the log
	signals signals
}

// link is the way from one edge to another. Only without the rule
// oneEntryInFlight is there ever a second entry.
type link struct {
	flight [2]entry
	queue  signals
	last   uint8 // the position of the last entry that it knows of
}

func (k *link) quiet() bool {
	return k.flight[0].state == idle && k.flight[1].state == idle && k.queue.n == 0
}

// lane holds what is for an edge to which the receiver has moved, until what went
// to its old one is settled.
type lane struct {
	used   bool
	failed bool // nobody knows what became of that
	to     edge
	waits  uint8
	held   signals
	behind uint8 // the mark of the lane that waits for this one
}
