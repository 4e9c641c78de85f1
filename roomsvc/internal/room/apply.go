package room

import (
	"slices"

	"github.com/parley-rtc/parley/services/contract"
)

// MaxOps is the most operations of one request.
const MaxOps = 1000

// Rules are what the room's app allows.
type Rules struct {
	// Capacity is the most members.
	Capacity int
	// Duplicates says what happens when an identity joins that is in.
	Duplicates contract.DuplicatePolicy
	// MaxBytes bounds the encoded document; it must be over Reserve.
	MaxBytes int
}

// Outcome is what a batch did.
type Outcome struct {
	// Changed: the next state must be stored.
	Changed bool
	// Base is the revision before the events, which count up from it.
	Base   uint64
	Events []contract.RoomEvent
	// Answers has one for each request, in order.
	Answers []Answer
}

// Answer is the outcome of one request.
type Answer struct {
	Standing Standing
	// Results has one for each operation; a stale request has none.
	Results []contract.OpResult
	// Revision is the room's after the request; of a stale one 0.
	Revision uint64
	// Left is how many members left by it.
	Left int
}

// Standing says whether a request is new.
type Standing int

// The standings of a request.
const (
	// Applied: by this batch.
	Applied Standing = iota
	// Repeated: it was the asker's last request and is answered as it was then.
	Repeated
	// Stale: the asker has sent a later one since, so nobody waits for it.
	Stale
)

// Apply gives the state after a batch of requests for this room, one after the
// other. A request with the zero Edge is roomsvc's own: it is never recognised
// as a repeat, so its operations must be such that a second time does nothing.
// A request with a message must have no other operation.
func (s State) Apply(batch []contract.RoomChange, rules Rules) (State, Outcome) {
	d := newDraft(s, rules)
	out := Outcome{Base: s.doc.Revision, Answers: make([]Answer, len(batch))}
	for i := range batch {
		out.Answers[i] = d.request(&batch[i])
	}
	out.Events = d.events
	out.Changed = d.changed || len(d.events) > 0
	if !out.Changed {
		return s, out
	}
	return d.finish(), out
}

func (d *draft) request(r *contract.RoomChange) Answer {
	events := len(d.events)
	if r.Edge.IsZero() {
		return d.answer(d.ops(r, nil), events)
	}
	last := d.doc.Writers[r.Edge.String()]
	switch {
	case r.N < last.N:
		return Answer{Standing: Stale}
	case r.N == last.N:
		return Answer{Standing: Repeated, Results: d.replay(r, last), Revision: last.Revision}
	}
	if len(r.Ops) > 0 && r.Ops[0].Kind == contract.OpMessage {
		results := d.ops(r, nil)
		if len(d.events) > events { // what was refused may be judged again
			d.record(r.Edge, contract.WriterOp{N: r.N, Revision: d.doc.Revision, Server: true})
		}
		return d.answer(results, events)
	}
	refused := map[string]contract.Code{}
	results := d.ops(r, refused)
	d.record(r.Edge, contract.WriterOp{N: r.N, Revision: d.doc.Revision, Refused: refused})
	return d.answer(results, events)
}

// answer is that of a request which was applied now, after so many events.
func (d *draft) answer(results []contract.OpResult, events int) Answer {
	a := Answer{Results: results, Revision: d.doc.Revision}
	for _, e := range d.events[events:] {
		if e.Kind == contract.EventLeft {
			a.Left++
		}
	}
	return a
}

func (d *draft) ops(r *contract.RoomChange, refused map[string]contract.Code) []contract.OpResult {
	results := make([]contract.OpResult, len(r.Ops))
	for i := range r.Ops {
		code := d.op(r.Edge, &r.Ops[i])
		if code != "" && refused != nil {
			refused[r.Ops[i].Peer.String()] = code
		}
		results[i] = result(code)
	}
	return results
}

// replay answers a request that was applied before. Only a join can have been
// refused.
func (d *draft) replay(r *contract.RoomChange, last contract.WriterOp) []contract.OpResult {
	results := make([]contract.OpResult, len(r.Ops))
	for i := range r.Ops {
		op := &r.Ops[i]
		if op.Kind != contract.OpJoin {
			continue
		}
		code := last.Refused[op.Peer.String()]
		if code == "" && !d.wasIn(op.Peer) {
			code = last.Refused[forgotten]
		}
		results[i] = result(code)
	}
	return results
}

// draft is a state while a batch changes it.
type draft struct {
	rules   Rules
	doc     contract.RoomDocument
	events  []contract.RoomEvent
	changed bool // beyond the events
	owned   bool // doc.Writers is a copy of our own

	at     map[contract.Token]int      // place in doc.Members; who left leaves a hole there
	twins  map[string][]contract.Token // members by identity
	joined map[contract.Token]int      // members by edge at join
	weight int                         // of the members, see fits
}

func newDraft(s State, rules Rules) *draft {
	d := &draft{
		rules:  rules,
		doc:    s.doc,
		at:     make(map[contract.Token]int, len(s.doc.Members)),
		twins:  make(map[string][]contract.Token, len(s.doc.Members)),
		joined: map[contract.Token]int{},
	}
	d.doc.Members = slices.Clone(s.doc.Members)
	d.doc.Departures = slices.Clone(s.doc.Departures)
	for i := range d.doc.Members {
		d.count(&d.doc.Members[i], i)
	}
	return d
}

// count takes the member at place i into the books.
func (d *draft) count(m *contract.Member, i int) {
	d.at[m.Peer] = i
	d.twins[m.Identity] = append(d.twins[m.Identity], m.Peer)
	d.weight += memberWeight(m)
	if d.joined[m.Edge]++; d.joined[m.Edge] == 1 {
		d.weight += writerWeight(m.Edge)
	}
}

// uncount takes the member at place i out of them and leaves a hole.
func (d *draft) uncount(i int) {
	m := &d.doc.Members[i]
	delete(d.at, m.Peer)
	twins := d.twins[m.Identity]
	if at := slices.Index(twins, m.Peer); len(twins) > 1 {
		d.twins[m.Identity] = slices.Delete(twins, at, at+1)
	} else {
		delete(d.twins, m.Identity)
	}
	d.weight -= memberWeight(m)
	if d.joined[m.Edge]--; d.joined[m.Edge] == 0 {
		d.weight -= writerWeight(m.Edge)
		delete(d.joined, m.Edge)
	}
	*m = contract.Member{}
}

// finish closes the holes and forgets what no longer matters.
func (d *draft) finish() State {
	d.doc.Members = slices.DeleteFunc(d.doc.Members, func(m contract.Member) bool { return m.Peer.IsZero() })
	if over := len(d.doc.Departures) - contract.MaxDepartures; over > 0 {
		d.doc.Departures = slices.Clone(d.doc.Departures[over:])
	}
	d.prune()
	return State{d.doc}
}

// wasIn reports whether a peer is in, or is known to have been.
func (d *draft) wasIn(peer contract.Token) bool {
	if _, in := d.at[peer]; in {
		return true
	}
	return slices.ContainsFunc(d.doc.Departures, func(gone contract.Departure) bool { return gone.Peer == peer })
}
