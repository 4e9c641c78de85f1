package model

import "math"

// kind is what can happen.
type kind uint8

const (
	doSend kind = iota
	doCommit
	doCommitLess // and the filter leaves the doubtful signal out
	doCommitStray
	doSettle
	doHello
	doBegin
	doFinish
	doHear
	doAnswer
	doBury
	doLearn
	doReadLog
	doTell
	doReadLive
	doReceive
	doPing
	doCrash
	doPause
	doExpire
	doWake
	doRenew
	doReread
	doGiveUp
	doLoseAnswer
	doLoseAnswerLess
)

// action is one thing that happens, to one or two of peers, edges or slots.
type action struct {
	kind    kind
	x, y, z uint8
}

// possible calls yield for everything that can happen next, always in the same
// order.
func (u *setup) possible(w *world, yield func(action)) {
	t := turn{world: w, u: u}
	if !u.all && (t.onlyReader(yield) || t.onlyBystander(yield)) {
		return
	}
	t.clientActions(yield)
	for from := range edge(edges) {
		for to := range edge(edges) {
			for slot := range uint8(2) {
				t.entryActions(from, to, slot, yield)
			}
		}
	}
	for i := range w.strays {
		if w.strays[i].used {
			yield(action{kind: doCommitStray, x: uint8(i)})
		}
	}
	for i := range w.hellos {
		h := &w.hellos[i]
		switch {
		case !h.used || !w.processes[h.to].runs():
		case h.begun:
			yield(action{kind: doFinish, x: uint8(i)})
		default:
			yield(action{kind: doBegin, x: uint8(i)})
		}
	}
	for inc := range w.asks {
		for e := range edge(edges) {
			if w.asks[inc].has(e) && w.processes[e].runs() {
				yield(action{kind: doHear, x: uint8(e), y: uint8(inc)})
			}
		}
	}
	t.arrivalActions(yield)
	for e := range edge(edges) {
		t.faultActions(e, yield)
	}
	for s := range peer(senders) {
		p := &w.processes[w.records[s].place.edge]
		if w.left.burials > 0 && !u.idle(s) && !w.records[s].gone && (p.down || p.fenced) {
			yield(action{kind: doBury, x: uint8(s)})
		}
	}
}

// choices are all that can happen next.
func (u *setup) choices(w *world) (all []action) {
	u.possible(w, func(a action) { all = append(all, a) })
	return all
}

func (t *turn) clientActions(yield func(action)) {
	for p := range peer(peers) {
		if t.u.idle(p) {
			continue
		}
		c := &t.clients[p]
		if p < senders && c.stage == welcomed && c.sent < t.u.frames[p] && t.processes[c.at].runs() {
			yield(action{kind: doSend, x: uint8(p)})
		}
		if c.stage == ended || c.stage != closed && (!t.u.movers.has(p) || t.left.moves == 0) {
			continue
		}
		for e := range edge(edges) {
			if !t.processes[e].down && (c.at != e || c.stage == closed || t.u.cuts.has(p)) {
				yield(action{kind: doHello, x: uint8(p), y: uint8(e)})
			}
		}
	}
}

func (t *turn) entryActions(from, to edge, slot uint8, yield func(action)) {
	one := &t.processes[from].links[to].flight[slot]
	a := action{x: uint8(from), y: uint8(to), z: slot}
	add := func(k kind) { a.kind = k; yield(a) }
	doubtful := t.u.anyDoubtful(&one.signals)
	switch one.state {
	case inFlight:
		add(doCommit)
		if doubtful {
			add(doCommitLess)
		}
	case committed:
		if t.gate(from) {
			add(doSettle)
		}
		if doubtful && t.left.lostAnswers > 0 && t.processes[from].runs() {
			add(doLoseAnswer)
			add(doLoseAnswerLess)
		}
	}
	if one.state != idle && slot == 0 && t.left.giveUps > 0 && t.processes[from].runs() {
		add(doGiveUp)
	}
}

func (t *turn) arrivalActions(yield func(action)) {
	a := &t.arrival
	if !a.on {
		return
	}
	own := t.clients[receiver].at
	if a.out.n > 0 {
		yield(action{kind: doReceive})
	}
	if !t.processes[own].runs() {
		return
	}
	if (a.caughtUp || !t.u.keeps(cursorStays)) && a.out.n == 0 && t.canMove(receiver) && t.clients[receiver].cursor != t.position() {
		yield(action{kind: doPing})
	}
	if a.pos < t.logs[own].n && (!t.u.keeps(judgeAgain) || t.judged(&t.logs[own], a.pos)) {
		yield(action{kind: doReadLive})
	}
	for s := range peer(senders) {
		if t.isOld(s) && (!a.caughtUp || !t.judged(&t.logs[own], a.pos)) {
			yield(action{kind: doLearn, x: uint8(s)})
		}
	}
	switch {
	case a.caughtUp:
	case a.step > a.trail.n+1:
		yield(action{kind: doTell})
	case a.step > 0 || t.isNews() && !t.readerIsLate():
		yield(action{kind: doReadLog})
	}
	for e := range edge(edges) {
		if a.asked.has(e) && !a.settled.has(e) && (t.processes[e].runs() && t.answers(e) || t.isOut(e)) {
			yield(action{kind: doAnswer, x: uint8(e)})
		}
	}
}

// isOld reports whether the receiver's edge doesn't know where a sender is, or was.
func (t *turn) isOld(s peer) bool {
	v, r := &t.arrival.room, &t.records[s]
	return v.places[s] != r.place || v.held[s] != r.held || v.gone.has(s) != r.gone
}

// answers reports whether an edge can answer the receiver's edge.
func (t *turn) answers(e edge) bool {
	p := &t.processes[e]
	return p.asked >= t.arrival.incarnation && (p.open == [edges]uint8{} || !t.u.keeps(answerAfterDrain))
}

// isOut reports whether an edge's lease is out, and that is taken for its answer.
func (t *turn) isOut(e edge) bool {
	p := &t.processes[e]
	return (p.down || p.fenced) && !t.u.keeps(leaseNoAnswer)
}

// answer tells the receiver's edge how far the links to its earlier places got,
// and which sessions have ended there. An edge that only has lost its lease tells
// neither: all that it has sent counts.
func (t *turn) answer(e edge) {
	a := &t.arrival
	p := &t.processes[e]
	a.settled.add(e)
	if t.isOut(e) {
		for to := range a.ends[e] {
			a.ends[e][to] = math.MaxUint8
		}
		return
	}
	a.ends[e] = p.ends
	for s := range peer(senders) {
		one := p.ended[s]
		if one.life == 0 || !t.u.keeps(answerTells) {
			continue
		}
		if began := one.life + 1; began > a.room.began[s] {
			a.room.began[s], a.room.acked[s] = began, max(a.room.acked[s], one.settled)
		}
	}
}

// judged reports whether the receiver's edge believes the origin of all signals
// of the entry at a position of its log.
func (t *turn) judged(l *log, pos uint8) bool {
	if pos >= l.n {
		return true
	}
	for end := l.end(pos); pos < end; pos++ {
		one, v := l.at[pos], &t.arrival.room
		told := t.u.keeps(presence) && one.incarnation() > v.places[one.from()].incarnation
		if !told && !v.held[one.from()].has(one.edge()) {
			return false
		}
	}
	return true
}

func (t *turn) faultActions(e edge, yield func(action)) {
	p := &t.processes[e]
	add := func(k kind) { yield(action{kind: k, x: uint8(e)}) }
	switch {
	case p.down:
		return
	case p.paused:
		if !p.fenced {
			add(doExpire)
		}
		add(doWake)
	case p.fenced:
		add(doRenew)
	case p.stale:
		add(doReread)
	case t.left.pauses > 0 && t.u.pausing.has(e):
		add(doPause)
	}
	if t.left.crashes > 0 && t.u.crashing.has(e) {
		add(doCrash)
	}
}

// do has one thing happen, and returns the promise that it broke, if it did.
func (u *setup) do(w *world, a action) (fault string) {
	t := turn{world: w, u: u}
	t.one(a)
	t.tidy()
	return t.fault
}

func (t *turn) one(a action) {
	switch e := edge(a.x); a.kind {
	case doSend:
		t.send(peer(a.x))
	case doCommit:
		t.commit(e, edge(a.y), a.z, false)
	case doCommitLess:
		t.commit(e, edge(a.y), a.z, true)
	case doCommitStray:
		s := t.strays[a.x]
		t.strays[a.x] = stray{}
		t.append(s.from, s.to, &s.signals, false)
	case doSettle:
		t.settle(e, edge(a.y), a.z)
	case doLoseAnswer, doLoseAnswerLess:
		t.left.lostAnswers--
		one := &t.processes[e].links[a.y].flight[a.z]
		one.retried, one.again = true, a.kind == doLoseAnswerLess
	case doGiveUp:
		t.giveUp(e, edge(a.y))
	case doHello:
		t.hello(peer(a.x), edge(a.y))
	case doBegin:
		t.begin(&t.hellos[a.x])
	case doFinish:
		t.finish(&t.hellos[a.x])
	case doHear:
		t.hear(e, a.y)
		t.advance(e)
	case doLearn:
		t.learn(peer(a.x))
	case doBury:
		t.bury(peer(a.x))
	case doAnswer:
		t.answer(e)
	default:
		t.oneMore(a)
	}
}

func (t *turn) oneMore(a action) {
	switch e := edge(a.x); a.kind {
	case doReadLog:
		t.beginReading()
		t.readLog()
	case doTell:
		t.tell()
	case doReadLive:
		t.readLive()
	case doReceive:
		t.receive()
	case doPing:
		t.ping()
	case doCrash:
		t.crash(e)
	case doPause:
		t.pause(e)
	case doExpire:
		t.expire(e)
	case doWake:
		t.wake(e)
	case doRenew:
		t.renew(e)
	default:
		t.reread(e)
	}
}

// unfinished is what is wrong with a world in which nothing can happen any more.
func (u *setup) unfinished(w *world) string {
	for s := range peer(senders) {
		want := u.frames[s]
		for want > 0 && w.told[s]&(1<<want) != 0 {
			want--
		}
		switch c := &w.clients[s]; {
		case c.acked > w.heard[s] && w.heard[s] < want:
			return text("%v's %d is acknowledged and never delivered", s, w.heard[s]+1)
		case c.acked < u.frames[s] && !w.records[s].gone:
			return text("%v's %d is never acknowledged", s, c.acked+1)
		}
	}
	return ""
}
