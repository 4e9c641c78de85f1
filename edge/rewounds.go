package edge

import (
	"sync"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// rewounds remember, by room, which sessions of this edge have ended without
// their records telling of it yet: those that were rewound, and those that
// another edge took over. An edge that asks whether all is settled must hear of
// them, since what they sent behind what was settled doesn't count any more. They
// outlive their rooms here.
type rewounds struct {
	mu     sync.Mutex
	byRoom map[string][]rewound
}

type rewound struct {
	contract.Session
	at time.Time
}

// note notes that a member's session has ended, behind what was settled of it.
func (rs *rewounds) note(room string, peer contract.Token, began, settled uint64) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if rs.byRoom == nil {
		rs.byRoom = map[string][]rewound{}
	}
	next := rewound{contract.Session{Peer: peer, Began: began + 1, Acked: settled}, time.Now()}
	for i, one := range rs.byRoom[room] {
		if one.Peer == peer {
			rs.byRoom[room][i] = next
			return
		}
	}
	rs.byRoom[room] = append(rs.byRoom[room], next)
}

// of are those of the rooms of moves.
func (rs *rewounds) of(moves []contract.Move) map[string][]contract.Session {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	var all map[string][]contract.Session
	for i := range moves {
		room := contract.RoomKey(moves[i].App, moves[i].Room)
		if len(rs.byRoom[room]) == 0 || all[room] != nil {
			continue
		}
		if all == nil {
			all = map[string][]contract.Session{}
		}
		for _, one := range rs.byRoom[room] {
			all[room] = append(all[room], one.Session)
		}
	}
	return all
}

// sweep forgets those that nobody can come upon any more.
func (rs *rewounds) sweep() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for room, all := range rs.byRoom {
		n := 0
		for _, one := range all {
			if time.Since(one.at) < trailKept {
				all[n] = one
				n++
			}
		}
		if rs.byRoom[room] = all[:n]; n == 0 {
			delete(rs.byRoom, room)
		}
	}
}
