package client

import "github.com/parley-rtc/parley/services/contract"

// maxDepartedMarks is how many senders that aren't in the roster a room
// remembers. A signal can come, or come again, after its sender has left; over
// this bound the oldest of them is forgotten.
const maxDepartedMarks = 1024

// marks are the watermarks of a room: the highest seq that came from each
// sender. A signal at or under it is a repeat. It is a value without a lock.
type marks struct {
	seqs   map[contract.Token]uint64
	absent []contract.Token // senders that weren't in the roster, oldest first
}

// fresh reports whether the signal wasn't seen yet, and remembers it.
func (m *marks) fresh(from contract.Token, seq uint64, present map[contract.Token]contract.Peer) bool {
	seen, known := m.seqs[from]
	if known && seq <= seen {
		return false
	}
	if m.seqs == nil {
		m.seqs = make(map[contract.Token]uint64)
	}
	m.seqs[from] = seq
	if _, here := present[from]; !known && !here {
		m.depart(from, present)
	}
	return true
}

// depart is called when a sender leaves the roster.
func (m *marks) depart(peer contract.Token, present map[contract.Token]contract.Peer) {
	if _, known := m.seqs[peer]; !known {
		return
	}
	m.absent = append(m.absent, peer)
	for len(m.absent) > maxDepartedMarks {
		oldest := m.absent[0]
		m.absent = m.absent[1:]
		if _, here := present[oldest]; !here {
			delete(m.seqs, oldest)
		}
	}
}
