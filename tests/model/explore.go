package model

import (
	"fmt"
	"hash/maphash"
)

func text(format string, args ...any) string { return fmt.Sprintf(format, args...) }

// result is what an exploration found.
type result struct {
	worlds int
	ends   int  // worlds in which nothing can happen any more
	whole  bool // it has seen every world
	fault  string
	path   []action // to the fault, as short as any
}

// node is how a world was reached: from which one, by which action.
type node struct {
	before int32
	action action
}

// search is an exploration that goes on. Worlds are told apart by a number of 64
// bits: among ten million, two have the same with a chance of one in 300,000.
type search struct {
	u     *setup
	seed  maphash.Seed
	seen  map[uint64]struct{}
	nodes []node
	next  shelf
	result
}

// explore visits every world that can come after a start, those that need the
// fewest steps first, and ends at the first broken promise or after most worlds.
func (u *setup) explore(start *world, most int) result {
	s := &search{u: u, seed: maphash.MakeSeed(), seen: map[uint64]struct{}{}}
	s.visit(start, node{before: -1})
	for done := 0; done < len(s.nodes); {
		front := s.next
		s.next = shelf{}
		for i := range front.n {
			s.expand(front.at(i), int32(done+i))
			if s.fault != "" || len(s.nodes) > most {
				s.worlds = len(s.nodes)
				return s.result
			}
		}
		done += front.n
	}
	s.worlds, s.whole = len(s.nodes), true
	return s.result
}

func (s *search) visit(w *world, n node) {
	id := maphash.Comparable(s.seed, *w)
	if _, ok := s.seen[id]; ok {
		return
	}
	s.seen[id] = struct{}{}
	s.nodes = append(s.nodes, n)
	s.next.push(w)
}

// expand visits all that can come right after a world.
func (s *search) expand(w *world, id int32) {
	moved := false
	after := new(world)
	s.u.possible(w, func(a action) {
		if s.fault != "" {
			return
		}
		*after = *w
		if s.fault = s.u.do(after, a); s.fault != "" {
			s.path = append(s.pathTo(id), a)
			return
		}
		moved = moved || *after != *w
		s.visit(after, node{id, a})
	})
	if moved || s.fault != "" {
		return
	}
	s.ends++
	if s.fault = s.u.unfinished(w); s.fault != "" {
		s.path = s.pathTo(id)
	}
}

// pathTo is how a world was reached.
func (s *search) pathTo(id int32) (path []action) {
	for at := id; s.nodes[at].before >= 0; at = s.nodes[at].before {
		path = append(path, s.nodes[at].action)
	}
	for i, j := 0, len(path)-1; i < j; i, j = i+1, j-1 {
		path[i], path[j] = path[j], path[i]
	}
	return path
}

// shelf is a list of worlds that grows without moving them.
type shelf struct {
	n      int
	boards [][]world
}

const board = 128

func (s *shelf) push(w *world) {
	if s.n%board == 0 {
		s.boards = append(s.boards, make([]world, board))
	}
	*s.at(s.n) = *w
	s.n++
}

func (s *shelf) at(i int) *world { return &s.boards[i/board][i%board] }
