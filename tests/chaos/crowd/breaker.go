//go:build linux

package crowd

import (
	"sync"

	"github.com/parley-rtc/parley/tests/chaos/ledger"
)

// Broken counts what a breaker did.
type Broken struct{ Dropped, Duplicated, Swapped, Misdirected int }

// breaker stands between the clients and the ledgers and breaks each n-th delivery
// on purpose, in four ways that take turns: it drops it, repeats it, lets the
// sender's next one pass first, or gives a copy to a member whom only a stale
// roster could take for the receiver.
type breaker struct {
	every int // 0: it breaks nothing

	mu     sync.Mutex
	passed int
	debt   int // breaks that are due
	turn   int
	held   map[string]*held // one a receiver's peer
	broken Broken
}

type held struct {
	room *Room
	d    ledger.Delivery
}

func newBreaker(every int) *breaker { return &breaker{every: every, held: map[string]*held{}} }

// pass tells the room's ledger of a delivery, or of what it makes of it. Only what
// is for a member that stays is broken: others aren't owed anything in the end.
func (b *breaker) pass(room *Room, d ledger.Delivery, directed bool) {
	if b.every == 0 || !room.stays(d.To) {
		room.Ledger.Deliver(d)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if h := b.held[d.To.String()]; h != nil {
		if h.d.From != d.From { // not yet: the ones of others may pass
			room.Ledger.Deliver(d)
			return
		}
		delete(b.held, d.To.String())
		room.Ledger.Deliver(d)
		room.Ledger.Deliver(h.d)
		b.broken.Swapped++
		return
	}
	if b.passed++; b.passed%b.every == 0 {
		b.debt++
	}
	if b.debt == 0 {
		room.Ledger.Deliver(d)
		return
	}
	if b.spoil(room, d, directed) {
		b.debt--
		b.turn++
	}
}

// spoil breaks a delivery, or passes it on if it can't be broken in the way whose
// turn it is.
func (b *breaker) spoil(room *Room, d ledger.Delivery, directed bool) bool {
	switch b.turn % 4 {
	case 0:
		b.broken.Dropped++
	case 1:
		room.Ledger.Deliver(d)
		room.Ledger.Deliver(d)
		b.broken.Duplicated++
	case 2:
		b.held[d.To.String()] = &held{room, d}
	default:
		room.Ledger.Deliver(d)
		other, ok := room.stranger(d)
		if !ok || !directed {
			return false
		}
		d.To = other
		room.Ledger.Deliver(d)
		b.broken.Misdirected++
	}
	return true
}

// release passes on what is still held, which broke nothing.
func (b *breaker) release() Broken {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, h := range b.held {
		h.room.Ledger.Deliver(h.d)
	}
	clear(b.held)
	return b.broken
}
