package model

// verdict is what to do with a signal that the receiver missed.
type verdict int

const (
	give verdict = iota // all that its sender sent before is known
	wait                // something before it may still come
	drop                // it comes again on another way
)

// judge decides about a signal.
//
// Of a sender that has moved on, what its earlier edges sent counts up to what its
// client had seen acknowledged: it sends all the rest again. What an edge sent to
// an earlier place of the receiver counts up to where the edge switched to the new
// one: one that has settled has told where that is. Of one that hasn't, what stood
// in the log of the cursor before anybody could know of a move counts. Without
// such bounds a broadcast, which goes to several logs, could come ahead of what
// its sender sent before it.
func (t *turn) judge(one found) verdict {
	if !t.arrival.came {
		return give // all that there is stands in one log
	}
	if one.log == t.clients[receiver].at {
		return t.judgeOwn(one)
	}
	a := &t.arrival
	b := &a.basis
	in := !b.room.gone.has(one.from)
	moved := t.isEarlier(&b.room, one)
	settled := b.settled.has(one.edge)
	switch {
	case moved && one.seq > b.room.acked[one.from] && t.u.keeps(ackedBound):
		return drop
	case settled && one.pos > a.ends[one.edge][one.log] && t.u.keeps(endBound):
		return drop
	case settled, moved, !in && a.room.gone.has(one.from):
		return give
	case one.log == a.oldest && one.pos <= a.good:
		return give
	case b.waiting.has(one.edge):
		return wait
	case !t.u.keeps(dropRest):
		return give
	default:
		return drop // of an edge that knew the place from the beginning
	}
}

func (t *turn) judgeOwn(one found) verdict {
	a := &t.arrival
	b := &a.basis
	then := !b.room.gone.has(one.from)
	now := !a.room.gone.has(one.from)
	switch {
	case t.isEarlier(&a.room, one) && one.seq > a.room.acked[one.from] && t.u.keeps(ackedBoundOwn):
		return drop
	case then && b.waiting.has(b.room.places[one.from].edge):
		return wait
	case !then && now && b.waiting.has(one.edge):
		return wait
	default:
		return give
	}
}

// isEarlier reports whether a signal is of a session that its sender has left.
func (t *turn) isEarlier(v *view, one found) bool {
	if !t.u.keeps(bySession) {
		return v.places[one.from].edge != one.edge
	}
	return one.life < v.began[one.from]
}

// comesAgain reports whether a sender has moved on and sends a signal again from
// where it is. To a receiver that has moved, too, it could come ahead of one that
// went to its old place and was dropped there for the same reason.
func (t *turn) comesAgain(one found) bool {
	a := &t.arrival
	return t.u.keeps(againOnce) && a.came && t.isEarlier(&a.room, one) && one.seq > a.room.acked[one.from]
}
