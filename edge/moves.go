package edge

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/edge/internal/roster"
	"github.com/parley-rtc/parley/services/contract"
)

// heardMoves takes what an edge says of members that it has taken over, and
// answers it when all that was sent to their earlier edges is settled.
func (e *Edge) heardMoves(msg *nats.Msg, from contract.Token, moves []contract.Move) {
	e.follow(from, moves, func(answer contract.Moved) {
		body, err := json.Marshal(answer)
		if err == nil {
			err = msg.Respond(body)
		}
		if err != nil {
			slog.Debug("moves weren't answered", "to", from.String(), "error", err) // it asks again
		}
	})
}

// follow notes that `to` holds members now and calls settled, once, when what
// this edge sent to their trails before is settled. settled must not block.
func (e *Edge) follow(to contract.Token, moves []contract.Move, settled func(contract.Moved)) {
	answer := contract.Moved{Ends: make([][]contract.LinkEnd, len(moves))}
	all := &countdown{done: func(error) {
		answer.Sessions = e.rewounds.of(moves)
		settled(answer)
	}}
	all.add()
	for i := range moves {
		move := &moves[i]
		e.mu.Lock()
		r := e.byRoom[contract.RoomKey(move.App, move.Room)]
		e.mu.Unlock()
		of := &ends{}
		if r != nil {
			of = r.follow(to, move)
		} else { // members who have left may have sent
			for _, edge := range move.Trail {
				of.note(e, edge, e.links.AfterSettled)
			}
		}
		all.add()
		of.whenKnown(func() {
			answer.Ends[i] = of.into(move.Trail)
			all.finish(nil)
		})
	}
	all.finish(nil)
}

// follow notes a move in the room, and returns where the links to the member's
// earlier places end.
func (r *room) follow(to contract.Token, move *contract.Move) *ends {
	r.mu.Lock()
	r.place(move.Peer, roster.Place{Edge: to, Incarnation: move.Incarnation, Began: move.Began, Acked: move.Acked})
	of := &ends{}
	if r.roster.Get(move.Peer) != nil {
		of = r.endsOf(move.Peer)
	} else { // only members who have left may have sent
		for _, edge := range move.Trail {
			of.note(r.e, edge, r.mark)
		}
	}
	m := r.locals[move.Peer.String()]
	r.mu.Unlock()
	if m != nil && to != r.e.id && m.recorder.incarnation.Load() < move.Incarnation {
		m.moved()
	}
	return of
}

// place notes where a member is; r.mu is held.
func (r *room) place(peer contract.Token, to roster.Place) {
	from, moved := r.roster.Move(peer, to)
	if moved {
		r.relocated(peer, from, to.Edge)
	}
}

// relocated follows a member that is on another edge now; r.mu is held.
func (r *room) relocated(peer, from, to contract.Token) {
	r.moved(from, to)
	r.endsOf(peer).note(r.e, from, r.mark)
	for _, l := range r.locals {
		if l.backlog != nil {
			l.s.pokeArrival() // it may be one whose signals wait
		}
	}
}

// moved ends a membership that another edge, or another session, has taken over.
// Its client is told on the socket that it left behind.
func (m *membership) moved() {
	if !m.giveUp() {
		return
	}
	s := m.s
	s.mu.Lock()
	s.drop(contract.CloseReplaced, "a newer connection of this session took over")
	m.noteEnded()
	s.forgetUnsettled()
	if s.taken == nil {
		s.taken = map[string]bool{}
	}
	s.taken[m.roomName] = true
	empty := len(s.rooms) == 0 && !s.over
	if empty {
		s.over = true
		s.stopAway()
	}
	s.mu.Unlock()
	if empty {
		s.e.removeSession(s)
	}
}

// giveUp forgets the membership here and nowhere else. It reports false if it was
// over.
func (m *membership) giveUp() bool {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	if m.r.locals[m.peerText] == m {
		delete(m.r.locals, m.peerText)
	}
	if m.over {
		return false
	}
	m.over, m.backlog = true, nil
	m.recorder.lose()
	if m.epoch == 0 {
		close(m.answered)
	}
	m.s.forget(m, nil, "")
	m.r.exit()
	return true
}

// depart ends the membership for good, unless another edge holds the member: it
// sets the record to gone first, which a takeover and it can't both do.
func (m *membership) depart(reason contract.LeaveReason) {
	m.recorder.gone(reason, func(err error) {
		switch {
		case err == nil:
			m.r.e.goWork(func(ctx context.Context) { m.leave(ctx, reason) })
		case errors.Is(err, errMemberMoved):
			m.moved()
		default:
			m.r.e.goWork(func(ctx context.Context) {
				pause(ctx, time.Second)
				if ctx.Err() == nil {
					m.depart(reason)
				}
			})
		}
	})
}

// movers ask other edges to follow moves: one request at a time to each, which
// takes all that waits.
type movers struct {
	e *Edge

	mu     sync.Mutex
	byEdge map[contract.Token]*mover
}

type mover struct {
	set *movers
	to  contract.Token

	// Guarded by movers.mu.
	waiting []*question
	running bool
	silent  bool // the last request wasn't answered
}

// question is one session's to one edge.
type question struct {
	moves []contract.Move
	// told is called once with the answer; unless the edge stays silent, which
	// quiet is called for, once or more. over: nobody waits any more. None of
	// them may block.
	told  func(contract.Moved)
	quiet func()
	over  func() bool
}

const (
	// movesAttempt bounds one request, movesPause is the time until it is
	// repeated.
	movesAttempt = 2 * time.Second
	movesPause   = 300 * time.Millisecond
	// maxMoves is how many moves one request carries.
	maxMoves = 500
)

// ask puts a question to an edge until it answers.
func (ms *movers) ask(to contract.Token, q *question) {
	ms.mu.Lock()
	k := ms.byEdge[to]
	if k == nil {
		k = &mover{set: ms, to: to}
		if ms.byEdge == nil {
			ms.byEdge = map[contract.Token]*mover{}
		}
		ms.byEdge[to] = k
	}
	k.waiting = append(k.waiting, q)
	silent := k.silent
	if !k.running {
		k.running = true
		ms.e.goWork(k.run)
	}
	ms.mu.Unlock()
	if silent {
		q.quiet()
	}
}

func (k *mover) run(ctx context.Context) {
	for {
		batch := k.next(ctx)
		if len(batch) == 0 {
			return
		}
		answer, err := k.request(ctx, batch)
		if err == nil {
			k.set.mu.Lock()
			k.silent = false
			k.set.mu.Unlock()
			for _, q := range batch {
				own := answer
				own.Ends, answer.Ends = answer.Ends[:len(q.moves)], answer.Ends[len(q.moves):]
				q.told(own)
			}
			continue
		}
		k.set.mu.Lock()
		k.silent = true
		k.waiting = append(batch, k.waiting...)
		all := append([]*question(nil), k.waiting...)
		k.set.mu.Unlock()
		for _, q := range all {
			q.quiet()
		}
		pause(ctx, movesPause)
	}
}

// next takes what waits, and forgets the mover if that is nothing.
func (k *mover) next(ctx context.Context) (batch []*question) {
	k.set.mu.Lock()
	defer k.set.mu.Unlock()
	moves, n := 0, 0
	for ; n < len(k.waiting) && ctx.Err() == nil; n++ {
		q := k.waiting[n]
		if q.over() {
			continue
		}
		if moves > 0 && moves+len(q.moves) > maxMoves {
			break
		}
		moves += len(q.moves)
		batch = append(batch, q)
	}
	k.waiting = k.waiting[n:]
	if len(batch) == 0 {
		delete(k.set.byEdge, k.to)
	}
	return batch
}

func (k *mover) request(ctx context.Context, batch []*question) (answer contract.Moved, err error) {
	var ask contract.Moves
	for _, q := range batch {
		ask.Moves = append(ask.Moves, q.moves...)
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return answer, err
	}
	ctx, cancel := context.WithTimeout(ctx, movesAttempt)
	defer cancel()
	msg, err := k.set.e.nc.RequestWithContext(ctx, contract.EventSubject(k.to, k.set.e.id), body)
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return answer, err
	}
	if len(answer.Ends) != len(ask.Moves) {
		return answer, errors.New("moves: the answer is of another question")
	}
	return answer, nil
}
