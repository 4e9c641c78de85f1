package edge

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

// heardMoves takes what an edge says of members that it has taken over, and
// answers it when all that was sent to their earlier edges is settled.
func (e *Edge) heardMoves(msg *nats.Msg, from contract.Token, moves []contract.Move) {
	e.follow(from, moves, func(ends [][]contract.LinkEnd) {
		body, err := json.Marshal(contract.Moved{Ends: ends})
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
func (e *Edge) follow(to contract.Token, moves []contract.Move, settled func([][]contract.LinkEnd)) {
	all := &ends{of: make([][]contract.LinkEnd, len(moves))}
	all.done = func(error) { settled(all.of) }
	all.add()
	for i := range moves {
		move := &moves[i]
		e.mu.Lock()
		r := e.byRoom[contract.RoomKey(move.App, move.Room)]
		e.mu.Unlock()
		if r != nil {
			r.follow(to, move, func(edge contract.Token) func(error) { return all.await(e, i, edge) })
			continue
		}
		for _, edge := range move.Trail { // members who have left may have sent
			e.links.AfterSettled(edge, all.await(e, i, edge))
		}
	}
	all.finish(nil)
}

// ends collects where links end.
type ends struct {
	countdown
	of [][]contract.LinkEnd // guarded by countdown.mu
}

// await is what is to be called when what move i waits for on a link is settled.
func (all *ends) await(e *Edge, i int, edge contract.Token) func(error) {
	all.add()
	return func(error) { // what is unknown will be sent again, elsewhere
		if last := e.links.Last(edge); last > 0 {
			all.mu.Lock()
			all.of[i] = append(all.of[i], contract.LinkEnd{To: edge, Revision: last})
			all.mu.Unlock()
		}
		all.finish(nil)
	}
}

// follow notes a move in the room.
func (r *room) follow(to contract.Token, move *contract.Move, await func(edge contract.Token) func(error)) {
	r.mu.Lock()
	for _, edge := range move.Trail {
		r.mark(edge, await(edge))
	}
	r.place(move.Peer, to, move.Incarnation, move.Acked)
	m := r.locals[move.Peer.String()]
	r.mu.Unlock()
	if m != nil && to != r.e.id && m.recorder.incarnation.Load() < move.Incarnation {
		m.moved()
	}
}

// place notes where a member is; r.mu is held.
func (r *room) place(peer, to contract.Token, incarnation, acked uint64) {
	from, moved := r.roster.Move(peer, to, incarnation, acked)
	if moved {
		r.relocated(from, to)
	}
}

// relocated follows a member that is on another edge now; r.mu is held.
func (r *room) relocated(from, to contract.Token) {
	r.moved(from, to)
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
	told  func([][]contract.LinkEnd)
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
		ends, err := k.request(ctx, batch)
		if err == nil {
			k.set.mu.Lock()
			k.silent = false
			k.set.mu.Unlock()
			for _, q := range batch {
				q.told(ends[:len(q.moves)])
				ends = ends[len(q.moves):]
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

func (k *mover) request(ctx context.Context, batch []*question) ([][]contract.LinkEnd, error) {
	var ask contract.Moves
	for _, q := range batch {
		ask.Moves = append(ask.Moves, q.moves...)
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, movesAttempt)
	defer cancel()
	msg, err := k.set.e.nc.RequestWithContext(ctx, contract.EventSubject(k.to, k.set.e.id), body)
	if err != nil {
		return nil, err
	}
	var answer contract.Moved
	if err := json.Unmarshal(msg.Data, &answer); err != nil {
		return nil, err
	}
	if len(answer.Ends) != len(ask.Moves) {
		return nil, errors.New("moves: the answer is of another question")
	}
	return answer.Ends, nil
}
