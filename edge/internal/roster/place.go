package roster

import (
	"slices"

	"github.com/parley-rtc/parley/services/contract"
)

// Place is where a takeover brought a member, and in which session: that which
// began with the incarnation Began, when the member's client had seen Acked
// acknowledged.
type Place struct {
	Edge                      contract.Token
	Incarnation, Began, Acked uint64
}

const (
	// maxHeard bounds the places that are kept of members that the roster doesn't
	// have yet.
	maxHeard = 1024
	// maxLeft bounds those of members that have left.
	maxLeft = 256
	// maxTrail is how many earlier edges of a member are remembered.
	maxTrail = 16
)

// Move notes that a takeover brought a member to a place, and reports where it was
// before if that is news and another edge. The place of a member that isn't known
// yet is kept until it is.
func (r *Roster) Move(peer contract.Token, to Place) (from contract.Token, moved bool) {
	if m := r.members[peer]; m != nil {
		from = m.Place
		return from, m.move(to)
	}
	if old, ok := r.heard[peer]; ok && old.Incarnation >= to.Incarnation {
		return from, false
	}
	if r.heard == nil || len(r.heard) >= maxHeard {
		r.heard = map[contract.Token]Place{}
	}
	r.heard[peer] = to
	return from, false
}

// Hear takes over what an edge says of a session that it had. Of one that was
// rewound no record tells before the member is back.
func (r *Roster) Hear(s *contract.Session) {
	if m := r.members[s.Peer]; m != nil {
		m.hear(s.Began, s.Acked)
	}
	if p, ok := r.left[s.Peer]; ok && s.Began > p.Began {
		p.Began, p.Acked = s.Began, max(p.Acked, s.Acked)
		r.left[s.Peer] = p
	}
}

// Forget makes the roster know nobody, but where takeovers brought them.
func (r *Roster) Forget() {
	members := r.order
	*r = Roster{heard: r.heard, left: r.left, leaving: r.leaving}
	for _, m := range members {
		if m.Taken > 0 {
			r.Move(m.Peer, m.at())
		}
	}
}

// Left returns where a member was that has left, if that isn't too long ago: what
// it sent may still come. It allocates nothing.
func (r *Roster) Left(peer []byte) (Place, bool) {
	p := contract.ByToken(r.left, peer)
	return p, !p.Edge.IsZero()
}

// EachLeft calls yield with every member of which Left knows.
func (r *Roster) EachLeft(yield func(peer contract.Token, p Place)) {
	for peer, p := range r.left {
		yield(peer, p)
	}
}

// leave keeps where a member was.
func (r *Roster) leave(m *Member) {
	if r.left == nil {
		r.left = map[contract.Token]Place{}
	}
	if len(r.leaving) == maxLeft {
		delete(r.left, r.leaving[0])
		r.leaving = r.leaving[1:]
	}
	r.left[m.Peer] = m.at()
	r.leaving = append(r.leaving, m.Peer)
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
	f.Moved = m.follow(record)
	f.Updated = r.Update(contract.PeerUpdate{
		Peer: record.Peer, Version: record.Version, Presence: record.Presence, State: record.State,
	}) != nil
	return f
}

// believed reports whether a record is of this membership.
func believed(record *contract.MemberRecord, m *contract.Member) bool {
	return record.Epoch == 0 || record.Epoch == m.Epoch
}

// at is where the member is.
func (m *Member) at() Place { return Place{m.Place, m.Taken, m.Began, m.Acked} }

// follow takes over the place and the trail of a record.
func (m *Member) follow(record *contract.MemberRecord) (moved bool) {
	moved = m.move(Place{record.Edge, record.Incarnation, record.Began, record.Acked})
	for _, edge := range record.Trail {
		m.visited(edge)
	}
	return moved
}

// move reports whether the member is on another edge now.
func (m *Member) move(to Place) bool {
	if to.Incarnation <= m.Taken {
		return false
	}
	moved := to.Edge != m.Place
	if to.Began == 0 && moved { // an edge that doesn't count sessions has begun one
		to.Began = to.Incarnation
	}
	m.Taken = to.Incarnation
	m.hear(to.Began, to.Acked)
	if !moved {
		return false
	}
	m.visited(m.Place)
	m.Place = to.Edge
	return true
}

// hear notes a session; the newest one of which anybody tells counts.
func (m *Member) hear(began, acked uint64) {
	if began > m.Began {
		m.Began, m.Acked = began, max(m.Acked, acked)
	}
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
