package edge

import (
	"context"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// source is an edge that may have sent to an earlier place of a member; guarded
// by arrival.mu.
type source struct {
	settled bool
	quiet   bool                                      // it hasn't answered
	ends    map[*membership]map[contract.Token]uint64 // by log
	ended   map[string][]contract.Session             // by room, see contract.Moved
}

// ask asks every edge of the members' rooms and trails, this one included.
func (a *arrival) ask() {
	e := a.s.e
	moves, members := map[contract.Token][]contract.Move{}, map[contract.Token][]*membership{}
	for _, ar := range a.members {
		if !ar.asks {
			continue
		}
		move, edges := ar.m.move()
		for _, edge := range edges {
			moves[edge], members[edge] = append(moves[edge], move), append(members[edge], ar.m)
		}
		a.beside(ar.m.askICE)
		a.beside(ar.m.settleMessages)
	}
	for edge := range moves {
		a.sources[edge] = &source{}
	}
	for edge, some := range moves {
		told := func(answer contract.Moved) {
			a.heard(edge, func(one *source) { one.settle(members[edge], answer) })
		}
		if edge == e.id {
			e.follow(e.id, some, told)
			continue
		}
		e.movers.ask(edge, &question{
			moves: some, told: told, over: a.over,
			quiet: func() { a.heard(edge, func(one *source) { one.quiet = true }) },
		})
	}
}

// settle takes over an edge's answer about some members.
func (one *source) settle(members []*membership, answer contract.Moved) {
	one.settled, one.ended, one.ends = true, answer.Sessions, map[*membership]map[contract.Token]uint64{}
	for i, m := range members {
		one.ends[m] = map[contract.Token]uint64{}
		for _, end := range answer.Ends[i] {
			one.ends[m][end.To] = end.Revision
		}
	}
}

// beside does what the first reading should come after.
func (a *arrival) beside(do func(ctx context.Context)) {
	a.mu.Lock()
	a.aside++
	a.mu.Unlock()
	a.s.e.goWork(func(ctx context.Context) {
		do(ctx)
		a.mu.Lock()
		a.aside--
		a.mu.Unlock()
		a.poke()
	})
}

func (a *arrival) heard(edge contract.Token, change func(*source)) {
	a.mu.Lock()
	change(a.sources[edge])
	a.mu.Unlock()
	a.poke()
}

// move is what other edges must know of the member, and the edges that must.
func (m *membership) move() (contract.Move, []contract.Token) {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	edges := append(append(m.r.places(m.peer), m.r.e.id), m.trail...)
	move := contract.Move{
		App: m.r.app, Room: m.r.id, Peer: m.peer, Incarnation: m.recorder.incarnation.Load(),
		Began: m.recorder.began.Load(), Acked: m.came.Acked, Trail: distinct(m.trail),
	}
	return move, distinct(edges)
}

func distinct(edges []contract.Token) (once []contract.Token) {
	seen := map[contract.Token]bool{}
	for _, edge := range edges {
		if !seen[edge] {
			seen[edge] = true
			once = append(once, edge)
		}
	}
	return once
}

// await waits for the edges that answer at once.
func (a *arrival) await(ctx context.Context) error {
	timeout := time.NewTimer(settleWait)
	defer timeout.Stop()
	for {
		a.mu.Lock()
		open := a.aside
		for _, one := range a.sources {
			if !one.settled && !one.quiet {
				open++
			}
		}
		a.mu.Unlock()
		if open == 0 {
			return nil
		}
		select {
		case <-a.poked:
		case <-timeout.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// ends are what the edges have told of a member that have answered. The room takes
// over what they have told of its sessions.
func (a *arrival) ends(m *membership) map[contract.Token]map[contract.Token]uint64 {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	told := map[contract.Token]map[contract.Token]uint64{}
	for edge, one := range a.sources {
		if !one.settled {
			continue
		}
		told[edge] = one.ends[m]
		for i := range one.ended[m.r.key] {
			m.r.roster.Hear(&one.ended[m.r.key][i])
		}
	}
	return told
}

// least is the revision that the log of an edge must have at least.
func (a *arrival) least(edge contract.Token) (least uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, one := range a.sources {
		for _, ends := range one.ends {
			least = max(least, ends[edge])
		}
	}
	return least
}
