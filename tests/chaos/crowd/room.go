//go:build linux

package crowd

import (
	"sync"
	"time"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/chaos/history"
	"github.com/parley-rtc/parley/tests/chaos/ledger"
)

// Room is one room of the run.
type Room struct {
	Name    string
	Size    int // members that stay
	Ledger  *ledger.Room
	History *history.Log

	mu      sync.Mutex
	here    map[contract.Token]ledger.Slot // the peers of members and visitors that are in
	ended   map[contract.Token]ended
	ghosts  map[contract.Token]time.Duration // how late they were still there
	nextAny ledger.Slot                      // of a visitor
}

// ended is a membership that is over.
type ended struct {
	at  time.Duration
	why string
}

func newRoom(name string, size int) *Room {
	return &Room{
		Name: name, Size: size, Ledger: ledger.NewRoom(name), History: history.New(name),
		here: map[contract.Token]ledger.Slot{}, ended: map[contract.Token]ended{},
		ghosts: map[contract.Token]time.Duration{}, nextAny: ledger.Slot(size),
	}
}

// endLeft is the end of who left and was told so.
const endLeft = "left"

// enter notes a membership that begins.
func (r *Room) enter(peer contract.Token, slot ledger.Slot, since time.Duration) {
	r.Ledger.Join(peer, slot, since)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.here[peer] = slot
}

// exit notes one that is over.
func (r *Room) exit(peer contract.Token, end ledger.End, why string, at time.Duration) {
	r.Ledger.End(peer, end)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.here, peer)
	r.ended[peer] = ended{at, why}
}

// forget notes that the client of a peer is no more, whatever it knew.
func (r *Room) forget(peer contract.Token, at time.Duration) {
	r.mu.Lock()
	_, in := r.here[peer]
	r.mu.Unlock()
	if in {
		r.exit(peer, ledger.Left, "its client closed", at)
	}
}

// visitor is a slot for a visitor.
func (r *Room) visitor() ledger.Slot {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nextAny++
	return r.nextAny - 1
}

// stays reports whether a peer is of a member that stays.
func (r *Room) stays(peer contract.Token) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	slot, in := r.here[peer]
	return in && int(slot) < r.Size
}

// stranger is a member that stays and is neither sender nor receiver; false: there
// is none.
func (r *Room) stranger(d ledger.Delivery) (contract.Token, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for peer, slot := range r.here {
		if int(slot) < r.Size && peer != d.To && slot != d.Slot {
			return peer, true
		}
	}
	return contract.Token{}, false
}

// Read notes a read of the room's document. A peer that ended longer than allowed
// before the read began is a ghost.
func (r *Room) Read(revision uint64, peers []contract.Token, begin, end, allowed time.Duration) {
	names := make([]string, len(peers))
	for i, peer := range peers {
		names[i] = peer.String()
	}
	r.History.Read(revision, names, begin, end)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, peer := range peers {
		if e, over := r.ended[peer]; over && begin-e.at > allowed {
			r.ghosts[peer] = begin - e.at
		}
	}
}

// lastEnd is when the last membership ended that its member didn't end by a leave.
func (r *Room) lastEnd() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var last time.Duration
	for _, e := range r.ended {
		if e.why != endLeft {
			last = max(last, e.at)
		}
	}
	return last
}

// Ghost is a peer that stayed in the document after its end.
type Ghost struct {
	Room, Peer, End string
	Ended, Stayed   time.Duration
}

// Ghosts are those that were found.
func (r *Room) Ghosts() []Ghost {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []Ghost
	for peer, stayed := range r.ghosts {
		all = append(all, Ghost{Room: r.Name, Peer: peer.String(), End: r.ended[peer].why, Ended: r.ended[peer].at, Stayed: stayed})
	}
	return all
}

// Flaps are the peers that somebody saw leave although they never ended.
func (r *Room) Flaps() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	here := map[string]bool{}
	for peer := range r.here {
		here[peer.String()] = true
	}
	var flaps []string
	for _, peer := range r.History.Departures() {
		if here[peer] {
			flaps = append(flaps, peer)
		}
	}
	return flaps
}
