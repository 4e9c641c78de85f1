package history

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// checkTimeout bounds the search for an order.
const checkTimeout = 30 * time.Second

// Departures are the peers whose leave somebody saw.
func (l *Log) Departures() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var peers []string
	for _, revision := range slices.Sorted(maps.Keys(l.changes)) {
		if c := l.changes[revision]; !c.joined {
			peers = append(peers, c.peer)
		}
	}
	return peers
}

// Stale is a read that didn't show a change which was answered before it began.
type Stale struct {
	Room       string
	Revision   uint64
	Begin, End time.Duration
	Late       time.Duration // since that change was answered
}

// String says it for people.
func (s Stale) String() string {
	return fmt.Sprintf("room %s: a read from %.3f s to %.3f s gave revision %d, and the next one had been answered %.3f s before",
		s.Room, s.Begin.Seconds(), s.End.Seconds(), s.Revision, s.Late.Seconds())
}

// Check returns all faults, and apart from them the stale reads. A room whose changes
// nobody saw all of is checked as far as its unbroken beginning goes; that is a fault,
// too, unless it was blind.
func (l *Log) Check() (faults []string, stale []Stale) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.changes {
		if left, ok := l.lefts[c.peer]; ok && !c.joined {
			c.call, c.answered, c.known = left.begin, left.end, true
		}
	}
	l.replay()
	stale = l.takeStale()
	operations := l.operations()
	if result := porcupine.CheckOperationsTimeout(model, operations, checkTimeout); result != porcupine.Ok {
		l.fault("its changes and reads are not linearizable (%s): %s", result, explain(operations))
	}
	return l.faults, stale
}

// takeStale takes the stale reads out of the log.
func (l *Log) takeStale() (stale []Stale) {
	l.rosters = slices.DeleteFunc(l.rosters, func(r roster) bool {
		next := l.changes[r.revision+1]
		if next == nil {
			return false
		}
		_, answered := next.span()
		if answered >= r.call {
			return false
		}
		stale = append(stale, Stale{Room: l.room, Revision: r.revision, Begin: r.call, End: r.answered, Late: r.call - answered})
		return true
	})
	return stale
}

// span is between which moments a change happened. What no call of ours is known to
// have made happened before somebody knew of it.
func (c *change) span() (call, answered time.Duration) {
	if !c.known {
		return 0, c.seen
	}
	return c.call, max(c.call, min(c.answered, c.seen))
}

// replay makes the members of each revision and compares the rosters with them.
func (l *Log) replay() {
	slices.SortStableFunc(l.rosters, func(a, b roster) int { return cmp.Compare(a.revision, b.revision) })
	members := map[string]bool{}
	next := uint64(1)
	for i := range l.rosters {
		r := &l.rosters[i]
		for ; next <= r.revision; next++ {
			c := l.changes[next]
			if c == nil {
				c = l.unseen(members, r)
			}
			if c == nil {
				if !l.blind {
					l.fault("nobody saw revision %d, and %d was read", next, r.revision)
				}
				return
			}
			l.changes[next] = c
			if members[c.peer] == c.joined {
				l.fault("revision %d is %s, which changes nothing", next, verb(c.joined, c.peer))
			}
			if c.joined {
				members[c.peer] = true
			} else {
				delete(members, c.peer)
			}
		}
		told := slices.Sorted(slices.Values(r.peers))
		if want := slices.Sorted(maps.Keys(members)); !slices.Equal(told, want) {
			l.fault("the members %v were read at revision %d, want %v", told, r.revision, want)
		}
	}
}

// unseen is the change of a revision that nobody saw, if it can be the leave of a
// member: one whose leave has no other revision, and whom a later roster hasn't. Who
// was away while a visitor came and left is told of neither.
func (l *Log) unseen(members map[string]bool, later *roster) *change {
	left := map[string]bool{}
	for _, c := range l.changes {
		left[c.peer] = left[c.peer] || !c.joined
	}
	var found *change
	for peer := range members {
		if left[peer] || slices.Contains(later.peers, peer) {
			continue
		}
		c := &change{peer: peer, seen: later.answered}
		if leave, ok := l.lefts[peer]; ok {
			c.call, c.answered, c.known = leave.begin, leave.end, true
		}
		if found == nil || cmp.Or(cmp.Compare(c.call, found.call), cmp.Compare(c.peer, found.peer)) < 0 {
			found = c
		}
	}
	return found
}

// step is an operation of the model: the change to a revision, or a read of it.
type step struct {
	revision uint64
	read     bool
}

// model is a register that counts up: what a revision means was checked by replay.
var model = porcupine.Model{
	Init: func() any { return uint64(0) },
	Step: func(state, input, _ any) (bool, any) {
		at, _ := state.(uint64)
		s, _ := input.(step)
		if s.read {
			return s.revision == at, at
		}
		return s.revision == at+1, s.revision
	},
}

// explain finds two operations in an order that their times contradict.
func explain(operations []porcupine.Operation) string {
	slices.SortStableFunc(operations, func(a, b porcupine.Operation) int {
		s, t := stepOf(a), stepOf(b)
		return cmp.Or(cmp.Compare(s.revision, t.revision), compareBool(s.read, t.read))
	})
	var latest porcupine.Operation
	for _, o := range operations {
		if latest.Input != nil && o.Return < latest.Call {
			return describe(latest) + " comes before " + describe(o)
		}
		if latest.Input == nil || o.Call > latest.Call {
			latest = o
		}
	}
	return "the search found no two of them"
}

func stepOf(o porcupine.Operation) step {
	s, _ := o.Input.(step)
	return s
}

func describe(o porcupine.Operation) string {
	what := "the change to revision"
	if stepOf(o).read {
		what = "a read of revision"
	}
	return fmt.Sprintf("%s %d (%.3f s to %.3f s)", what, stepOf(o).revision, time.Duration(o.Call).Seconds(), time.Duration(o.Return).Seconds())
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// operations are the changes and reads with the times between which each happened.
func (l *Log) operations() []porcupine.Operation {
	var all []porcupine.Operation
	last := uint64(0)
	for ; l.changes[last+1] != nil; last++ {
		call, answered := l.changes[last+1].span()
		all = append(all, porcupine.Operation{Input: step{revision: last + 1}, Call: int64(call), Return: int64(answered)})
	}
	for _, r := range l.rosters {
		if r.revision > last {
			continue
		}
		all = append(all, porcupine.Operation{Input: step{r.revision, true}, Call: int64(r.call), Return: int64(r.answered)})
	}
	for i := range all {
		all[i].ClientId = i % math.MaxInt32
	}
	return all
}
