package ledger

import (
	"sync"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// Outcome is what the sender knows of a signal.
type Outcome uint8

// The outcomes.
const (
	Pending Outcome = iota // nothing yet
	Acked                  // the sending call returned nil
	Unknown                // it may have been delivered
	Refused                // the edge answered with an error
	Unsent                 // it never left the client
)

// Slot is a place in a room that one client fills, under one peer after the other.
type Slot int

// Number names a signal of a slot, from 1.
type Number uint32

// End says why a membership is over.
type End uint8

// The ends. What is still owed to a member after it is Lost counts as lost.
const (
	Here        End = iota
	Left            // it left, or vanished for good
	SessionLost     // it came back and was told that its session is no more
)

// Room is the ledger of one room.
type Room struct {
	name string

	mu         sync.Mutex
	signals    map[Slot][]signal
	members    map[contract.Token]*member
	counts     Counts
	violations []Violation
}

// signal is one that was offered.
type signal struct {
	to            *member // nil: all of roster
	roster        *Roster
	sent, settled time.Duration
	outcome       Outcome
}

// member is one membership.
type member struct {
	peer   contract.Token
	slot   Slot // unknownSlot until somebody says so
	end    End
	joined time.Duration
	heard  bool // its client takes its events
	from   map[Slot]*pair
}

const unknownSlot Slot = -1

// Roster is what a sender saw of the room.
type Roster struct{ members map[*member]struct{} }

// NewRoom is an empty ledger.
func NewRoom(name string) *Room {
	return &Room{name: name, signals: map[Slot][]signal{}, members: map[contract.Token]*member{}}
}

// Join notes that a slot's client is a member and takes its events from now on.
func (r *Room) Join(peer contract.Token, slot Slot, at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.member(peer)
	m.joined, m.heard = at, true
	if m.slot != unknownSlot && m.slot != slot {
		r.note(Misaddressed, Violation{Sender: m.slot, From: peer.String(), Delivered: at, Detail: "signals of another slot came from this peer"})
	}
	m.slot = slot
}

// End notes that a membership is over.
func (r *Room) End(peer contract.Token, why End) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.member(peer).end = why
}

// Roster makes what a sender sees now, for broadcasts.
func (r *Room) Roster(peers []contract.Token) *Roster {
	r.mu.Lock()
	defer r.mu.Unlock()
	roster := &Roster{members: make(map[*member]struct{}, len(peers))}
	for _, peer := range peers {
		roster.members[r.member(peer)] = struct{}{}
	}
	return roster
}

// OfferTo notes that a slot is about to send to one member.
func (r *Room) OfferTo(slot Slot, to contract.Token, at time.Duration) Number {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.member(to)
	return r.offer(slot, signal{to: m, sent: at}, m)
}

// OfferAll notes that a slot is about to send to all whom it sees.
func (r *Room) OfferAll(slot Slot, roster *Roster, at time.Duration) Number {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.offer(slot, signal{roster: roster, sent: at})
	for m := range roster.members {
		m.pair(slot).expect(n)
	}
	return n
}

func (r *Room) offer(slot Slot, s signal, to ...*member) Number {
	r.signals[slot] = append(r.signals[slot], s)
	n := Number(len(r.signals[slot]))
	for _, m := range to {
		m.pair(slot).expect(n)
	}
	return n
}

// Settle notes what became of a signal.
func (r *Room) Settle(slot Slot, n Number, o Outcome, at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.signals[slot][n-1]
	s.outcome, s.settled = o, at
}

func (r *Room) member(peer contract.Token) *member {
	m := r.members[peer]
	if m == nil {
		m = &member{peer: peer, slot: unknownSlot, from: map[Slot]*pair{}}
		r.members[peer] = m
	}
	return m
}

func (m *member) pair(from Slot) *pair {
	p := m.from[from]
	if p == nil {
		p = &pair{}
		m.from[from] = p
	}
	return p
}

func (s *signal) owedTo(m *member) bool {
	if s.to != nil {
		return s.to == m
	}
	_, in := s.roster.members[m]
	return in
}
