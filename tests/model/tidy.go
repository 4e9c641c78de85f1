package model

// canMove reports whether a client may still leave its edge, or its edge it.
func (t *turn) canMove(p peer) bool {
	if t.u.idle(p) {
		return false
	}
	c := &t.clients[p]
	return c.stage == closed || t.left.moves > 0 && t.u.movers.has(p) || t.left.crashes > 0 && t.u.crashing.has(c.at) ||
		t.left.giveUps > 0 && p != receiver
}

// settledIn reports whether the receiver's session will stay for good.
func (t *turn) settledIn() bool { return t.arrival.on && !t.canMove(receiver) }

// onlyReader yields what the receiver's side can do alone, if nothing else can
// make a difference to it, nor it to anything else. To look at the orders in
// which other things happen before it would be of no use.
func (t *turn) onlyReader(yield func(action)) bool {
	if !t.settledIn() {
		return false
	}
	a := &t.arrival
	own := t.clients[receiver].at
	l := &t.logs[own]
	switch {
	case a.out.n > 0:
		yield(action{kind: doReceive})
	case a.caughtUp && t.processes[own].runs() && a.pos < l.n && t.judged(l, a.pos):
		yield(action{kind: doReadLive})
	default:
		return false
	}
	return true
}

// onlyBystander yields the answer of an edge that has nothing to do with any
// sender, and never will: it makes a difference to nobody when that comes.
func (t *turn) onlyBystander(yield func(action)) bool {
	a := &t.arrival
	if !a.on || a.caughtUp || !t.processes[t.clients[receiver].at].runs() {
		return false
	}
	for e := range edge(edges) {
		p := &t.processes[e]
		if !a.asked.has(e) || a.settled.has(e) || !p.runs() || !p.quiet() || t.mayHaveSender(e) {
			continue
		}
		one := action{kind: doAnswer, x: uint8(e)}
		if t.asks[a.incarnation].has(e) {
			one = action{kind: doHear, x: uint8(e), y: a.incarnation}
		}
		yield(one)
		return true
	}
	return false
}

// quiet reports whether an edge has nothing on its way.
func (p *process) quiet() bool {
	for i := range p.links {
		if !p.links[i].quiet() {
			return false
		}
	}
	return p.newest == [edges]uint8{}
}

func (t *turn) mayHaveSender(e edge) bool {
	for s := range peer(senders) {
		if t.u.idle(s) {
			continue
		}
		if t.canMove(s) || t.processes[e].sessions[s].open {
			return true
		}
		for i := range t.hellos {
			if t.hellos[i].used && t.hellos[i].peer == s && t.hellos[i].to == e {
				return true
			}
		}
	}
	return false
}

// tidy forgets what makes no difference any more, so that fewer worlds differ.
func (t *turn) tidy() {
	for inc := range t.asks {
		for e := range edge(edges) {
			p := &t.processes[e]
			late := uint8(inc) < t.records[receiver].place.incarnation && p.found.incarnation >= uint8(inc) && t.u.keeps(higherPlaceWins)
			if p.down || late {
				t.asks[inc].drop(e)
			}
		}
		if t.asks[inc] == 0 {
			t.askers[inc] = 0
		}
	}
	for p := range peer(peers) {
		t.tidyClient(p)
	}
	if a := &t.arrival; a.caughtUp {
		*a = arrival{
			on: true, came: a.came, flowing: true, caughtUp: true, incarnation: a.incarnation, pos: a.pos, room: a.room, marks: a.marks, out: a.out,
		}
	}
	if t.settledIn() {
		t.tidyLogs()
	}
}

func (t *turn) tidyClient(p peer) {
	if t.canMove(p) {
		return
	}
	for i := range t.hellos {
		if t.hellos[i].used && t.hellos[i].peer == p {
			return
		}
	}
	c, r := &t.clients[p], &t.records[p]
	c.attempt, c.confirmed, c.proposed = 0, 0, 0
	r.attempt, r.secret = 0, 0
	if p == receiver {
		c.cursor = cursor{}
	}
}

// tidyLogs forgets what will not be read any more.
func (t *turn) tidyLogs() {
	a := &t.arrival
	own := t.clients[receiver].at
	for e := range edge(edges) {
		read := t.logs[e].n
		switch {
		case e == own && a.caughtUp:
			read = a.pos
			a.pos = 0
		case e == own:
			read = 0
		case !a.caughtUp && a.trail.set().has(e):
			read = 0
		}
		t.logs[e].forget(read)
		if e != own && (a.caughtUp || !a.trail.set().has(e)) {
			for i := range t.strays {
				if t.strays[i].to == e {
					t.strays[i] = stray{}
				}
			}
		}
	}
}

// forget drops the signals before a position, which becomes 0.
func (l *log) forget(pos uint8) {
	rest := l.at[pos:l.n]
	next := log{n: uint8(len(rest))}
	copy(next.at[:], rest)
	*l = next
}
