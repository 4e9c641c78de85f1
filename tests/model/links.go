package model

// turn is a world while something happens in it. fault is the promise that was
// broken by it, empty if none was.
type turn struct {
	*world
	u     *setup
	fault string
}

func (t *turn) broke(fault string) {
	if t.fault == "" {
		t.fault = fault
	}
}

// gate reports whether an edge may cut and acknowledge.
func (t *turn) gate(e edge) bool {
	p := &t.processes[e]
	return p.runs() && (!t.u.keeps(fence) || !p.fenced && !p.stale)
}

// send has a sender's edge accept the next signal of its client. A broadcast goes
// to the edges of other members as well.
func (t *turn) send(s peer) {
	c := &t.clients[s]
	p := &t.processes[c.at]
	mine := &p.sessions[s]
	mine.accepted++
	c.sent = mine.accepted
	one := newSignal(s, mine.accepted, mine.life)
	to := edgeSet(1 << p.found.edge)
	if t.u.isBroadcast(one) {
		to |= t.u.others
	}
	for e := range edge(edges) {
		if to.has(e) {
			t.route(c.at, e, one)
		}
	}
	t.advance(c.at)
	if !t.u.keeps(ackAfterSettle) {
		t.acknowledge(s, mine.accepted)
	}
}

// route puts a signal on a link, or into the lane to its edge if there is one.
func (t *turn) route(e, to edge, s signal) {
	p := &t.processes[e]
	if lane := p.newest[to]; lane != 0 && (t.u.keeps(lanesForAll) || !t.u.isBroadcast(s)) {
		p.lanes[lane-1].held.push(s)
		return
	}
	p.links[to].queue.push(s)
}

// advance cuts entries, and does what marks are for that nothing is before.
func (t *turn) advance(e edge) {
	for again := t.gate(e); again; {
		again = false
		for to := range edge(edges) {
			again = t.cut(e, to) || again
		}
	}
}

// cut reports whether anything but an entry came of it.
func (t *turn) cut(e, to edge) bool {
	k := &t.processes[e].links[to]
	slots := k.flight[:1]
	if !t.u.keeps(oneEntryInFlight) {
		slots = k.flight[:]
	}
	for i := range slots {
		if slots[i].state != idle || k.queue.n == 0 {
			continue
		}
		head := k.queue.cut(!t.u.keeps(cutAtMarks))
		if !head.hasSignal() {
			t.doMarks(e, to, &head, false)
			return true
		}
		slots[i] = entry{state: inFlight, signals: head}
	}
	return false
}

// commit has an entry reach the log. refuse: the filter leaves its doubtful
// signal out.
func (t *turn) commit(from, to edge, slot uint8, refuse bool) {
	one := &t.processes[from].links[to].flight[slot]
	one.state, one.refused = committed, refuse
	t.append(from, to, &one.signals, refuse)
	one.end = t.logs[to].n
}

func (t *turn) append(from, to edge, all *signals, refuse bool) {
	first := true
	for _, s := range all.all() {
		switch {
		case s.isMark():
		case refuse && t.u.isDoubtful(s):
			t.refused[s.from()] |= 1 << s.seq()
		default:
			t.logs[to].push(newLogged(from, s, first))
			first = false
			t.logged[s.from()] |= 1 << s.seq()
		}
	}
}

// settle has an edge hear that an entry is in the log.
func (t *turn) settle(from, to edge, slot uint8) {
	k := &t.processes[from].links[to]
	one := k.flight[slot]
	k.flight[slot] = entry{}
	k.last = max(k.last, one.end)
	refused := one.refused
	if one.retried && !t.u.keeps(firstCommitDecides) {
		refused = one.again
	}
	for _, s := range one.signals.all() {
		if !s.isMark() && refused && t.u.isDoubtful(s) {
			t.told[s.from()] |= 1 << s.seq()
		}
	}
	t.doMarks(from, to, &one.signals, false)
	t.advance(from)
	for s := range peer(senders) {
		t.tellSettled(from, s)
	}
}

// tellSettled acknowledges what is settled of a session to its client, if that
// is there.
func (t *turn) tellSettled(e edge, s peer) {
	c := &t.clients[s]
	mine := &t.processes[e].sessions[s]
	if !mine.open || c.stage != welcomed || c.at != e || !t.u.keeps(ackAfterSettle) {
		return
	}
	if settled := t.processes[e].settled(s, mine); settled > c.acked {
		t.acknowledge(s, settled)
	}
}

// settled is the seq up to which nothing of a session is on its way.
func (p *process) settled(s peer, mine *sending) uint8 {
	settled := mine.accepted
	see := func(all *signals) {
		for _, one := range all.all() {
			if !one.isMark() && one.from() == s && one.life() == mine.life && one.seq() <= settled {
				settled = one.seq() - 1
			}
		}
	}
	for e := range p.links {
		for i := range p.links[e].flight {
			see(&p.links[e].flight[i].signals)
		}
		see(&p.links[e].queue)
	}
	for i := range p.lanes {
		see(&p.lanes[i].held)
	}
	return settled
}

// acknowledge has a client hear that everything up to a seq is settled, which
// must be true.
func (t *turn) acknowledge(s peer, upTo uint8) {
	c := &t.clients[s]
	for seq := c.acked + 1; seq <= upTo; seq++ {
		if (t.told[s]|t.logged[s])&(1<<seq) == 0 {
			t.broke(text("%v's %d is acknowledged and in no log", s, seq))
		}
	}
	c.acked = max(c.acked, upTo)
}

// giveUp has a link's entry stay unknown for too long: it and all behind it is
// forgotten, and the clients whose it was come back.
func (t *turn) giveUp(from, to edge) {
	t.left.giveUps--
	k := &t.processes[from].links[to]
	lost := k.flight[0].signals
	t.abandon(from, to, 0)
	if t.u.keeps(giveUpAll) {
		lost.addAll(k.queue.all())
		k.queue = signals{}
	}
	t.lose(from, to, &lost)
	t.advance(from)
}

// lose gives up signals, and does what their marks are for.
func (t *turn) lose(e, to edge, all *signals) {
	for _, s := range all.all() {
		if !s.isMark() {
			t.rewind(e, s)
		}
	}
	t.doMarks(e, to, all, true)
}

// abandon leaves an entry in flight to itself: nobody hears of it any more.
func (t *turn) abandon(from, to edge, slot uint8) {
	one := &t.processes[from].links[to].flight[slot]
	if one.state == inFlight {
		t.stray(stray{used: true, from: from, to: to, signals: one.signals})
	}
	*one = entry{}
}

func (t *turn) stray(s stray) {
	for i := range t.strays {
		if !t.strays[i].used {
			t.strays[i] = s
			return
		}
	}
	panic(full{})
}

// rewind ends a session of which nobody knows what became of a signal, and closes
// its client's socket: the client begins another one, behind what was acknowledged.
func (t *turn) rewind(e edge, s signal) {
	mine := &t.processes[e].sessions[s.from()]
	if !mine.open || mine.life != s.life() {
		return
	}
	t.end(e, s.from(), s.seq()-1)
	if c := &t.clients[s.from()]; c.at == e && c.stage == welcomed {
		c.stage = closed
	}
}

// end closes a session of which at most so much is settled.
func (t *turn) end(e edge, s peer, most uint8) {
	mine := &t.processes[e].sessions[s]
	if mine.open {
		mine.open = false
		t.processes[e].ended[s] = ending{mine.life, min(t.processes[e].settled(s, mine), most)}
	}
}
