package edge

import (
	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/edge/internal/session"
	"github.com/parley-rtc/parley/services/contract"
)

// backlog is what a member that came back has to hear before the rest. While it
// has one, its frames carry the cursor that it came with, so that a client that
// comes back once more gets all of it again. It is guarded by room.mu.
type backlog struct {
	cursor string
	client contract.Cursor
	until  uint64 // static like the others before: the reader's position when the backlog began

	// had is what the member was given before the backlog. All that came since its
	// cursor is judged anew: what was given of a sender's earlier session may be
	// dropped now, and must not hide what that sends again.
	had session.Watermarks

	// flowing: what the member missed was read, as far as it can be; only the
	// signals of waiting edges and senders are kept.
	flowing bool
	edges   map[contract.Token]bool
	senders map[string]bool
	kept    []hold
	bytes   int
	full    bool
	missed  bool // a change of the room wasn't told
}

// maxBacklog and maxBacklogBytes bound what is kept for one member. Over them
// its connection is closed, and all is read again when it comes back.
const (
	maxBacklog      = 5_000
	maxBacklogBytes = 4 << 20
)

// replace makes a frame carry the cursor of the backlog, if there is one.
func (b *backlog) replace(head *envelope.Head) {
	if b != nil {
		head.Cursor, head.App = []byte(b.cursor), contract.Token{}
	}
}

// beginBacklog has the member be told everything after the cursor before
// anything else, and returns who was the peer's membership here before. It reports
// false, and does nothing, if a later hello than the one with this attempt has come.
func (m *membership) beginBacklog(cursor contract.Cursor, attempt uint64) (before *membership, begun bool) {
	e := m.r.e
	e.reader.mu.Lock() // no entry is half handed on
	defer e.reader.mu.Unlock()
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	before = m.r.locals[m.peerText]
	m.s.mu.Lock()
	late := m.s.attempt != attempt
	m.s.mu.Unlock()
	// Of two takeovers on this edge the older one can be the slower.
	late = late || before != nil && before.recorder.incarnation.Load() > m.recorder.incarnation.Load()
	if m.over || late {
		return nil, false
	}
	m.r.locals[m.peerText] = m
	had := m.marks
	if m.backlog != nil {
		had = m.backlog.had
	}
	m.backlog = &backlog{cursor: cursor.String(), client: cursor, until: e.reader.position.Load(), had: had}
	m.marks = session.Watermarks{}
	return before, true
}

// keeps reports whether a signal must wait.
func (b *backlog) keeps(o origin, from []byte) bool {
	return !b.flowing || b.edges[o.from] || b.senders[string(from)]
}

// keep holds a signal back for the member, and with it what its sender sends
// later, from wherever; room.mu is held.
func (m *membership) keep(o origin, s *contract.Signal) {
	b := m.backlog
	if len(b.kept) >= maxBacklog || b.bytes > maxBacklogBytes {
		if !b.full {
			b.full = true
			m.s.mu.Lock()
			m.s.drop(contract.CloseTryLater, "too much came before you were up to date; come back")
			m.s.mu.Unlock()
		}
		return
	}
	if b.flowing {
		b.senders[string(s.From)] = true
	}
	b.kept = append(b.kept, hold{origin: origin{from: o.from, revision: o.revision}, signal: cloneSignal(s)})
	b.bytes += len(s.Body)
}

// take empties the backlog of what is kept.
func (b *backlog) take() []hold {
	kept := b.kept
	b.kept, b.bytes = nil, 0
	return kept
}

// put puts back what must still wait.
func (b *backlog) put(waiting []hold) {
	b.kept = waiting
	for i := range waiting {
		b.bytes += len(waiting[i].signal.Body)
	}
}

// hears reports whether the member is told of changes as they come; room.mu is
// held. If not, it gets the whole room when it is up to date.
func (m *membership) hears() bool {
	if m.backlog == nil || m.backlog.flowing {
		return true
	}
	m.backlog.missed = true
	return false
}
