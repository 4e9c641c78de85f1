package model

// found is a signal that was read from a log and not yet given to the client: the
// log and the position behind it, the edge and the peer that it comes from.
type found struct {
	log  edge
	pos  uint8
	edge edge
	from peer
	seq  uint8
	life uint8 // the incarnation that its sender's session began with
}

type findings struct {
	n  uint8
	at [12]found
}

func (f *findings) push(one found) {
	room(f.n, len(f.at))
	f.at[f.n] = one
	f.n++
}

func (f *findings) all() []found { return f.at[:f.n] }

// sort puts each sender's signals in the order of their seqs.
func (f *findings) sort() {
	for i := 1; i < int(f.n); i++ {
		for j := i; j > 0 && f.at[j].before(f.at[j-1]); j-- {
			f.at[j], f.at[j-1] = f.at[j-1], f.at[j]
		}
	}
}

func (f found) before(o found) bool {
	return f.from < o.from || f.from == o.from && f.seq < o.seq
}

// told is a signal in the receiver's socket.
type told struct {
	from   peer
	seq    uint8
	cursor cursor
}

type socket struct {
	n  uint8
	at [12]told
}

func (s *socket) push(one told) {
	room(s.n, len(s.at))
	s.at[s.n] = one
	s.n++
}

func (s *socket) shift() told {
	first := s.at[0]
	copy(s.at[:], s.at[1:s.n])
	s.n--
	s.at[s.n] = told{}
	return first
}

// arrival is the receiver's session on the edge that its client is on: what it
// missed is brought to it while what is new already comes. One that is caughtUp
// only has the new.
type arrival struct {
	on          bool
	incarnation uint8
	came        bool   // from another edge
	base        cursor // of the hello
	trail       trail  // the other edges' logs that are read, from the oldest on
	after       [edges]uint8
	until       uint8 // the own log's position when the session began
	pos         uint8 // the own log's position now
	room        view
	asked       edgeSet
	settled     edgeSet // who has answered, with
	ends        [edges][edges]uint8
	oldest      edge // the log of the cursor, and how far it was known to be good
	good        uint8

	step     uint8 // 0, or what a reading does next
	basis    basis // what was known when it began
	last     basis // and when the last one began
	missed   findings
	flowing  bool // a reading has ended: only these wait
	fEdges   edgeSet
	fSenders peerSet
	kept     findings
	caughtUp bool

	marks [senders]uint8
	out   socket
}

// basis is what an edge knows when a reading begins, as far as that decides.
type basis struct {
	begun   bool
	waiting edgeSet // edges that haven't settled and have members
	settled edgeSet
	room    view
}

func (t *turn) newArrival(h *hello, ask edgeSet) arrival {
	a := arrival{
		on: true, incarnation: h.incarnation, base: h.cursor, until: t.logs[h.to].n, pos: t.logs[h.to].n, asked: ask, room: h.room,
		came: t.trail.n > 1, oldest: h.to,
	}
	if ask == 0 {
		a.after[h.to] = h.cursor.pos
		return a
	}
	a.after[h.to] = t.processes[h.to].took
	if !t.u.keeps(replayTrail) {
		return a
	}
	first := t.firstStay(&t.world.trail, h.cursor.edge)
	a.oldest, a.good = t.world.trail.at[first], t.world.trail.head[first]
	for i := first; i+1 < t.world.trail.n; i++ {
		a.addLog(t.world.trail.at[i], h)
	}
	return a
}

// firstStay is where in a trail the client's cursor may be from. Only its edge is
// known, so it is taken for the first time that the receiver was there.
func (t *turn) firstStay(r *trail, e edge) (stay uint8) {
	for i := range r.n {
		if r.at[i] == e {
			stay = i
			if t.u.keeps(firstStay) {
				break
			}
		}
	}
	return stay
}

// addLog adds the log of one stay of the trail, unless it is there: that of the
// cursor's edge from the cursor on, others from their beginnings.
func (a *arrival) addLog(e edge, h *hello) {
	after := uint8(0)
	if e == h.cursor.edge {
		after = h.cursor.pos
	}
	if e == h.to {
		a.after[e] = min(a.after[e], after)
		return
	}
	if a.trail.set().has(e) {
		return
	}
	a.after[e] = after
	a.trail.add(e)
}

// view is what the edge knows now.
func (t *turn) view() basis {
	a := &t.arrival
	b := basis{begun: true, settled: a.settled, room: a.room}
	for s := range peer(senders) {
		at := a.room.places[s].edge
		if !t.u.idle(s) && !a.room.gone.has(s) && a.asked.has(at) && !a.settled.has(at) && t.u.keeps(waitForEdges) {
			b.waiting.add(at)
		}
	}
	return b
}

// isNews reports whether there is reason for another reading.
func (t *turn) isNews() bool {
	a := &t.arrival
	now := t.view()
	if !a.last.begun {
		return true
	}
	return t.u.keeps(readAgain) && (now.waiting != a.last.waiting || now.senders() != a.last.senders())
}

// senders are those that are on an edge that waits.
func (b *basis) senders() (waiting peerSet) {
	for s := range peer(senders) {
		if !b.room.gone.has(s) && b.waiting.has(b.room.places[s].edge) {
			waiting.add(s)
		}
	}
	return waiting
}

// readerIsLate reports whether a reading must wait for the own log's reader.
func (t *turn) readerIsLate() bool {
	a := &t.arrival
	return t.u.keeps(readerFirst) && a.asked != 0 && a.pos < t.logs[t.clients[receiver].at].n
}

// beginReading notes what is known, if a reading begins.
func (t *turn) beginReading() {
	if a := &t.arrival; a.step == 0 {
		a.basis, a.step = t.view(), 1
	}
}

// readLog reads one log: the own one as it was when the session began, the others
// to their heads, from the newest to the oldest.
func (t *turn) readLog() {
	a := &t.arrival
	own := t.clients[receiver].at
	e, until := own, a.until
	if a.step > 1 {
		i := a.trail.n - (a.step - 1)
		if !t.u.keeps(newestFirst) {
			i = a.step - 2
		}
		e = a.trail.at[i]
		until = t.logs[e].n
	}
	for ; a.after[e] < until; a.after[e]++ {
		a.missed.push(t.logs[e].found(e, a.after[e]))
	}
	a.step++
}

func (l *log) found(e edge, pos uint8) found {
	one := l.at[pos]
	return found{log: e, pos: pos + 1, edge: one.edge(), from: one.from(), seq: one.seq(), life: one.incarnation()}
}

// tell gives the client what was missed and what was kept for it, but for what
// must wait.
func (t *turn) tell() {
	a := &t.arrival
	all := a.missed
	for _, one := range a.kept.all() {
		all.push(one)
	}
	if t.u.keeps(bySeq) {
		all.sort()
	}
	var rest findings
	var behind peerSet
	for _, one := range all.all() {
		switch t.judge(one) {
		case drop:
		case wait:
			behind.add(one.from)
			rest.push(one)
		default:
			if behind.has(one.from) && t.u.keeps(waitBehind) {
				rest.push(one)
				continue
			}
			t.pass(one, a.base)
		}
	}
	a.kept, a.missed = rest, findings{}
	a.step, a.flowing, a.last, a.basis = 0, true, a.basis, basis{}
	a.fEdges, a.fSenders = a.last.waiting, a.last.senders()|behind
	a.caughtUp = a.last.waiting == 0
}

// readLive has the receiver's edge read the next entry of its own log.
func (t *turn) readLive() {
	a := &t.arrival
	own := t.clients[receiver].at
	l := &t.logs[own]
	c := cursor{own, a.pos}
	end := l.end(a.pos)
	if !t.u.keeps(cursorBefore) {
		c.pos = end
	}
	if !a.caughtUp && t.u.keeps(cursorStays) {
		c = a.base
	}
	for ; a.pos < end; a.pos++ {
		one := l.found(own, a.pos)
		t.present(l.at[a.pos])
		switch {
		case !a.room.held[one.from].has(one.edge):
		case t.comesAgain(one):
		case !a.caughtUp && t.keepsBack(one):
			a.kept.push(one)
			if t.u.keeps(notPastKept) {
				a.fSenders.add(one.from)
			}
		default:
			t.pass(one, c)
		}
	}
}

// present notes where a sender is whose signal comes: its edge tells so on the same
// link, before anything that the client sends.
func (t *turn) present(one logged) {
	v := &t.arrival.room
	s := one.from()
	if one.incarnation() <= v.places[s].incarnation || !t.u.keeps(presence) {
		return
	}
	v.places[s], v.began[s] = place{one.edge(), one.incarnation()}, one.incarnation()
	v.held[s].add(one.edge())
	v.acked[s] = max(v.acked[s], t.records[s].ackedAt[one.incarnation()])
}

// keepsBack reports whether a new signal must wait.
func (t *turn) keepsBack(one found) bool {
	a := &t.arrival
	return !a.flowing || t.u.keeps(holdEdges) && a.fEdges.has(one.edge) || t.u.keeps(holdSenders) && a.fSenders.has(one.from)
}

// pass puts a signal into the client's socket, unless the edge has done so before.
func (t *turn) pass(one found, c cursor) {
	a := &t.arrival
	if t.u.keeps(edgeDrops) && one.seq <= a.marks[one.from] {
		return
	}
	a.marks[one.from] = max(a.marks[one.from], one.seq)
	a.out.push(told{one.from, one.seq, c})
}

// receive has the client take the next signal from its socket and give it to the
// application, which must be the next one of its sender.
func (t *turn) receive() {
	one := t.arrival.out.shift()
	t.clients[receiver].cursor = one.cursor
	had := t.heard[one.from]
	if one.seq <= had {
		if !t.u.keeps(clientDrops) {
			t.broke(text("%v's %d is delivered twice", one.from, one.seq))
		}
		return
	}
	for seq := had + 1; seq < one.seq; seq++ {
		if t.mayCome(one.from, seq) {
			t.broke(text("%v's %d is delivered before %d, which will be dropped when it comes", one.from, one.seq, seq))
		}
	}
	t.heard[one.from] = one.seq
}

// mayCome reports whether a signal was, or may still be, acknowledged: not if it
// was refused, nor if its sender has left and won't send it again.
func (t *turn) mayCome(s peer, seq uint8) bool {
	return t.refused[s]&(1<<seq) == 0 && (!t.records[s].gone || seq <= t.clients[s].acked)
}

// ping gives the client the position itself.
func (t *turn) ping() { t.clients[receiver].cursor = t.position() }

func (t *turn) position() cursor { return cursor{t.clients[receiver].at, t.arrival.pos} }
