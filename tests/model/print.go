package model

import "strings"

func (e edge) String() string { return string(rune('A' + e)) }

func (p peer) String() string { return [...]string{"S1", "S2", "R"}[p] }

// label says what an action does in a world.
func (u *setup) label(w *world, a action) string {
	e, o := edge(a.x), edge(a.y)
	switch a.kind {
	case doSend:
		return text("%v sends %d", peer(a.x), w.clients[a.x].sent+1)
	case doCommit:
		return text("%v->%v commits", e, o)
	case doCommitLess:
		return text("%v->%v commits less", e, o)
	case doCommitStray:
		return text("%v->%v commits late", w.strays[a.x].from, w.strays[a.x].to)
	case doSettle:
		return text("%v hears of %v->%v", e, e, o)
	case doLoseAnswer:
		return text("%v asks again for %v->%v", e, e, o)
	case doLoseAnswerLess:
		return text("%v asks again for %v->%v, less", e, e, o)
	case doGiveUp:
		return text("%v gives up %v->%v", e, e, o)
	case doHello:
		return text("%v says hello to %v", peer(a.x), o)
	case doBegin:
		return text("%v takes %v, attempt %d", w.hellos[a.x].to, w.hellos[a.x].peer, w.hellos[a.x].attempt)
	case doFinish:
		return text("%v reads the room for %v, attempt %d", w.hellos[a.x].to, w.hellos[a.x].peer, w.hellos[a.x].attempt)
	case doHear:
		return text("%v hears that R is on %v, incarnation %d", e, w.askers[a.y], a.y)
	case doAnswer:
		return text("%v answers", e)
	case doBury:
		return text("%v is buried", peer(a.x))
	case doLearn:
		return text("R's edge learns that %v is on %v", peer(a.x), w.records[a.x].place.edge)
	default:
		return u.label2(w, a)
	}
}

func (u *setup) label2(w *world, a action) string {
	e := edge(a.x)
	switch a.kind {
	case doReadLog:
		return "R's edge reads a log"
	case doTell:
		return "R's edge tells what was missed"
	case doReadLive:
		return "R's edge reads on"
	case doReceive:
		one := w.arrival.out.at[0]
		return text("R gets %v:%d", one.from, one.seq)
	case doPing:
		return "R gets a ping"
	case doCrash:
		return text("%v crashes", e)
	case doPause:
		return text("%v is paused", e)
	case doExpire:
		return text("%v's lease is out", e)
	case doWake:
		return text("%v wakes", e)
	case doRenew:
		return text("%v renews its lease", e)
	default:
		return text("%v reads the places again", e)
	}
}

// story tells a path, line by line, and how things stand at its end.
func (u *setup) story(start *world, path []action) string {
	var b strings.Builder
	w := *start
	for i, a := range path {
		b.WriteString(text("%3d. %s\n", i+1, u.label(&w, a)))
		u.do(&w, a)
	}
	for s := range peer(senders) {
		if !u.idle(s) {
			b.WriteString(text("     %v has %d acknowledged, R got %d\n", s, w.clients[s].acked, w.heard[s]))
		}
	}
	return b.String()
}
