package model

// crash ends an edge. What it has published may still be committed.
func (t *turn) crash(e edge) {
	t.left.crashes--
	for to := range edge(edges) {
		for slot := range uint8(2) {
			t.abandon(e, to, slot)
		}
	}
	t.processes[e] = process{down: true}
	for i := range t.hellos {
		if t.hellos[i].used && t.hellos[i].to == e {
			t.hellos[i] = hello{}
		}
	}
	for p := range t.clients {
		if t.clients[p].at == e && t.clients[p].stage != ended {
			t.clients[p].stage = closed
		}
	}
	if t.clients[receiver].at == e {
		t.arrival = arrival{}
	}
}

func (t *turn) pause(e edge) {
	t.left.pauses--
	t.processes[e].paused = true
}

// expire is the moment in which a paused edge's lease is out.
func (t *turn) expire(e edge) {
	p := &t.processes[e]
	p.fenced, p.stale = true, true
}

// bury ends the membership of a sender whose edge's lease is out.
func (t *turn) bury(s peer) {
	t.left.burials--
	t.records[s].gone = true
}

func (t *turn) wake(e edge) {
	t.processes[e].paused = false
	t.advance(e)
}

func (t *turn) renew(e edge) {
	p := &t.processes[e]
	p.fenced = false
	if !t.u.keeps(rereadOwn) {
		p.stale = false
	}
	t.advance(e)
}

// reread has an edge that was fenced read the records of its members: whoever is
// gone or elsewhere has no session here any more.
func (t *turn) reread(e edge) {
	p := &t.processes[e]
	p.stale = false
	for s := range peer(senders) {
		if r := &t.records[s]; r.gone || r.place.edge != e {
			t.end(e, s, 7)
			if c := &t.clients[s]; c.at == e && c.stage == welcomed {
				c.stage = ended
			}
		}
	}
	t.advance(e)
}

// learn has the receiver's edge read where a sender is.
func (t *turn) learn(s peer) { t.records[s].show(&t.arrival.room, s) }

func (r *record) show(v *view, s peer) {
	v.places[s], v.held[s] = r.place, r.held
	v.acked[s], v.began[s] = max(v.acked[s], r.acked), max(v.began[s], r.began) // who has answered may have told more
	if r.gone {
		v.gone.add(s)
	}
}
