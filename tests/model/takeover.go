package model

// hello has a client say hello to an edge, on a new socket.
func (t *turn) hello(p peer, to edge) {
	c := &t.clients[p]
	if c.stage != closed {
		t.left.moves--
	}
	if c.proposed == c.confirmed {
		c.proposed++
	}
	c.at, c.stage = to, greeting
	c.attempt++
	if p == receiver {
		t.arrival = arrival{} // what is in the old socket is lost
	}
	t.put(hello{
		used: true, peer: p, to: to, attempt: c.attempt, acked: c.acked, cursor: c.cursor,
		confirmed: c.confirmed, proposed: c.proposed,
	})
}

func (t *turn) put(h hello) {
	for i := range t.hellos {
		if !t.hellos[i].used {
			t.hellos[i] = h
			return
		}
	}
	panic(full{})
}

// begin is the first step of an edge that answers a hello, finish the second:
// to take the record, and to read those of the others.
func (t *turn) begin(h *hello) {
	h.begun = true
	if t.u.keeps(casBeforeRead) {
		t.claim(h)
	} else {
		t.look(h)
	}
}

func (t *turn) finish(h *hello) {
	if t.u.keeps(casBeforeRead) {
		t.look(h)
	} else if t.claim(h); !h.used {
		return
	}
	one := *h
	*h = hello{}
	if one.peer == receiver {
		t.arrive(&one)
	} else {
		t.open(&one)
	}
}

// claim takes the record over, unless the hello is late.
func (t *turn) claim(h *hello) {
	r := &t.records[h.peer]
	opens := r.secret == h.confirmed || t.u.keeps(bothSecrets) && r.secret == h.proposed
	late := h.attempt <= r.attempt
	if r.gone {
		if c := &t.clients[h.peer]; c.attempt == h.attempt {
			c.stage = ended
		}
		*h = hello{}
		return
	}
	if !opens && !late {
		t.broke(text("%v's session is lost: no secret of its hello opens it", h.peer))
	}
	if !opens || late && t.u.keeps(higherAttempt) {
		*h = hello{}
		return
	}
	h.fresh = r.place.edge == h.to
	r.place = place{h.to, r.place.incarnation + 1}
	r.attempt, r.secret = h.attempt, h.proposed
	r.acked = max(r.acked, h.acked)
	r.ackedAt[r.place.incarnation] = r.acked
	if !h.fresh {
		r.began = r.place.incarnation
		r.held.add(h.to)
		if h.peer == receiver {
			t.trail.head[t.trail.n-1] = t.logs[t.trail.at[t.trail.n-1]].n
			t.trail.add(h.to)
			t.processes[h.to].took = t.logs[h.to].n
		}
	}
	h.incarnation, h.began = r.place.incarnation, r.began
}

// look reads where everybody is.
func (t *turn) look(h *hello) {
	h.room.places[receiver] = t.records[receiver].place
	for s := range peer(senders) {
		t.records[s].show(&h.room, s)
	}
}

// open begins or goes on with a sender's session.
func (t *turn) open(h *hello) {
	p := &t.processes[h.to]
	t.follow(h.to, h.room.places[receiver])
	if c := &t.clients[h.peer]; h.room.gone.has(h.peer) {
		if c.attempt == h.attempt {
			c.stage = ended
		}
		return
	}
	mine := &p.sessions[h.peer]
	switch {
	case t.u.keeps(newestStays) && mine.incarnation > h.incarnation:
		return
	case !mine.open || mine.incarnation < h.began:
		t.newLife(h, mine)
	}
	mine.incarnation = h.incarnation
	c := &t.clients[h.peer]
	if c.attempt != h.attempt || c.stage != greeting {
		return
	}
	c.stage, c.confirmed, c.sent = welcomed, h.proposed, mine.accepted
	t.tellSettled(h.to, h.peer)
}

// newLife begins a session. On the same edge that is after a rewind, and the record
// must tell of it.
func (t *turn) newLife(h *hello, mine *sending) {
	next := sending{open: true, life: h.incarnation, accepted: h.acked}
	if h.fresh && !t.u.keeps(rewindsEnd) {
		next.life = mine.life
	}
	*mine = next
	if r := &t.records[h.peer]; r.place.incarnation == h.incarnation && t.u.keeps(rewindsEnd) {
		r.began = h.incarnation
	}
}

// arrive begins a receiver's session: all that may have sent to an earlier place
// of it are asked to follow. For a hello whose client has gone on, that is all.
func (t *turn) arrive(h *hello) {
	p := &t.processes[h.to]
	if !h.fresh && !t.u.keeps(positionFirst) {
		p.took = t.logs[h.to].n
	}
	ask := t.asked(h)
	t.asks[h.incarnation], t.askers[h.incarnation] = ask, h.to
	c := &t.clients[receiver]
	if c.attempt != h.attempt || c.stage != greeting {
		return
	}
	c.stage, c.confirmed = welcomed, h.proposed
	t.arrival = t.newArrival(h, ask)
}

// asked are the edges that a receiver's new edge asks: all that hold a sender,
// those of the trail, and itself; none if the client comes back to where it was
// up to date.
func (t *turn) asked(h *hello) (ask edgeSet) {
	if t.upToDate(h) {
		return 0
	}
	ask = t.trail.set()
	ask.add(h.to)
	for s := range peer(senders) {
		if t.u.idle(s) {
			continue
		}
		if !h.room.gone.has(s) {
			ask.add(h.room.places[s].edge)
		}
	}
	return ask
}

func (t *turn) upToDate(h *hello) bool {
	took := t.processes[h.to].took
	if t.trail.n == 1 {
		return true
	}
	return h.fresh && h.cursor.edge == h.to && h.cursor.pos > took
}
