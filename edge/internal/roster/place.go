package roster

import (
	"slices"

	"github.com/parley-rtc/parley/services/contract"
)

// place is where a takeover brought a member.
type place struct {
	edge               contract.Token
	incarnation, acked uint64
}

const (
	// maxHeard bounds the places that are kept of members that the roster doesn't
	// have yet.
	maxHeard = 1024
	// maxTrail is how many earlier edges of a member are remembered.
	maxTrail = 16
)

// Move notes that a takeover brought a member to an edge, with what its client had
// seen acknowledged by then, and reports where it was before if that is news and
// another edge. The place of a member that isn't known yet is kept until it is.
func (r *Roster) Move(peer, to contract.Token, incarnation, acked uint64) (from contract.Token, moved bool) {
	p := place{to, incarnation, acked}
	if m := r.members[peer]; m != nil {
		from = m.Place
		return from, m.move(p)
	}
	if old, ok := r.heard[peer]; ok && old.incarnation >= incarnation {
		return from, false
	}
	if r.heard == nil || len(r.heard) >= maxHeard {
		r.heard = map[contract.Token]place{}
	}
	r.heard[peer] = p
	return from, false
}

// Forget makes the roster know nobody, but where takeovers brought them.
func (r *Roster) Forget() {
	members := r.order
	*r = Roster{heard: r.heard}
	for _, m := range members {
		if m.Taken > 0 {
			r.Move(m.Peer, m.Place, m.Taken, m.Acked)
		}
	}
}

// Followed is what a record brought.
type Followed struct {
	From    contract.Token // where the member was, if Moved
	Moved   bool
	Updated bool // presence or state are newer
}

// Follow takes over the record of a member that the roster has.
func (r *Roster) Follow(record *contract.MemberRecord) (f Followed) {
	m := r.members[record.Peer]
	if m == nil || !believed(record, &m.Member) || record.State == contract.StateGone {
		return f
	}
	f.From = m.Place
	f.Moved = m.at(record)
	f.Updated = r.Update(contract.PeerUpdate{
		Peer: record.Peer, Version: record.Version, Presence: record.Presence, State: record.State,
	}) != nil
	return f
}

// believed reports whether a record is of this membership.
func believed(record *contract.MemberRecord, m *contract.Member) bool {
	return record.Epoch == 0 || record.Epoch == m.Epoch
}

// at takes over the place and the trail of a record.
func (m *Member) at(record *contract.MemberRecord) (moved bool) {
	moved = m.move(place{record.Edge, record.Incarnation, record.Acked})
	for _, edge := range record.Trail {
		m.visited(edge)
	}
	return moved
}

// move reports whether the member is on another edge now.
func (m *Member) move(to place) bool {
	if to.incarnation <= m.Taken {
		return false
	}
	m.Taken, m.Acked = to.incarnation, max(m.Acked, to.acked)
	if to.edge == m.Place {
		return false
	}
	m.visited(m.Place)
	m.Place = to.edge
	return true
}

// visited adds an edge to the trail.
func (m *Member) visited(edge contract.Token) {
	if slices.Contains(m.Trail, edge) {
		return
	}
	if len(m.Trail) == maxTrail {
		m.Trail = m.Trail[1:]
	}
	m.Trail = append(m.Trail, edge)
}

// Held reports whether the edge holds the member or held it before.
func (m *Member) Held(edge contract.Token) bool {
	return m.Place == edge || m.Edge == edge || slices.Contains(m.Trail, edge)
}
