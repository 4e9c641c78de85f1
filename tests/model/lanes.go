package model

// A mark up to laneMarks is for the lane with that number, from 1 on. Those above
// are for who wants to know how far the link to an edge got.
const laneMarks = 4

func laneMark(lane uint8) signal { return signal(lane) }
func endMark(to edge) signal     { return signal(laneMarks + 1 + uint8(to)) }

// follow notes where the receiver is. What is sent to its new edge from now on
// waits until what was sent to the old one is settled.
func (t *turn) follow(e edge, at place) {
	p := &t.processes[e]
	if at.incarnation <= p.found.incarnation && t.u.keeps(higherPlaceWins) {
		return
	}
	old := p.found.edge
	p.found = at
	if old == at.edge {
		return
	}
	t.noteEnd(e, old)
	if !t.u.keeps(lanes) {
		return
	}
	next := t.openLane(e, at.edge)
	t.afterSent(e, old, laneMark(next))
}

// noteEnd notes how far a link got with what was sent so far.
func (t *turn) noteEnd(e, to edge) {
	t.processes[e].open[to]++
	t.afterSent(e, to, endMark(to))
}

// openLane makes a lane, behind the one that there is to the same edge.
func (t *turn) openLane(e, to edge) uint8 {
	p := &t.processes[e]
	for i := range p.lanes {
		if p.lanes[i].used {
			continue
		}
		lane, mark := &p.lanes[i], uint8(i+1)
		lane.used, lane.to, lane.waits = true, to, 1
		if before := p.newest[to]; before != 0 {
			lane.waits++
			p.lanes[before-1].behind = mark
		}
		p.newest[to] = mark
		return mark
	}
	panic(full{})
}

// afterSent has a mark done when all that was sent to an edge so far is settled.
func (t *turn) afterSent(e, to edge, mark signal) {
	p := &t.processes[e]
	if lane := p.newest[to]; lane != 0 {
		p.lanes[lane-1].held.push(mark)
		return
	}
	t.afterSettled(e, to, mark)
}

func (t *turn) afterSettled(e, to edge, mark signal) {
	k := &t.processes[e].links[to]
	if k.quiet() {
		t.doMark(e, to, mark, false)
		return
	}
	k.queue.push(mark)
}

func (t *turn) doMarks(e, to edge, all *signals, failed bool) {
	for _, s := range all.all() {
		if s.isMark() {
			t.doMark(e, to, s, failed)
		}
	}
}

func (t *turn) doMark(e, to edge, mark signal, failed bool) {
	p := &t.processes[e]
	if mark <= laneMark(laneMarks) {
		t.waited(e, uint8(mark), failed)
		return
	}
	p.open[to]--
	p.ends[to] = p.links[to].last
}

// waited notes that one thing is over that a lane waits for, and releases it with
// the last. If nobody knows the outcome of something, what the lane holds is
// given up like it: it would overtake what is sent again.
func (t *turn) waited(e edge, mark uint8, failed bool) {
	p := &t.processes[e]
	lane := &p.lanes[mark-1]
	lane.failed = lane.failed || failed && t.u.keeps(lanesFail)
	if lane.waits--; lane.waits > 0 {
		return
	}
	done := *lane
	*lane = p.noLane()
	if p.newest[done.to] == mark {
		p.newest[done.to] = 0
	}
	for _, s := range done.held.all() {
		switch {
		case s.isMark():
			t.laneEnds(e, done.to, s, done.failed)
		case done.failed:
			t.rewind(e, s)
		default:
			p.links[done.to].queue.push(s)
		}
	}
	if done.behind != 0 {
		t.waited(e, done.behind, done.failed)
	}
}

func (p *process) noLane() lane { return lane{} }

// laneEnds does a mark that stood in a lane.
func (t *turn) laneEnds(e, to edge, mark signal, failed bool) {
	if failed {
		t.doMark(e, to, mark, true)
		return
	}
	t.afterSettled(e, to, mark)
}

// hear has an edge take in that the receiver has a new place. Without the rule
// endsAtSwitch it finds out only now how far its links to the earlier ones got.
func (t *turn) hear(e edge, incarnation uint8) {
	t.asks[incarnation].drop(e)
	p := &t.processes[e]
	p.asked = max(p.asked, incarnation)
	if !t.u.keeps(endsAtSwitch) {
		before := t.trail
		before.n--
		for to := range edge(edges) {
			if before.set().has(to) {
				t.noteEnd(e, to)
			}
		}
	}
	t.follow(e, place{t.askers[incarnation], incarnation})
}
