package history

import (
	"fmt"
	"sync"
	"time"
)

// maxFaults bounds the faults that a log keeps.
const maxFaults = 100

// change is what a revision did.
type change struct {
	joined bool // or left
	peer   string

	call, answered time.Duration // of the call that made it, if known
	known          bool
	seen           time.Duration // when somebody first knew of it
}

// roster is the members at a revision, as somebody read them.
type roster struct {
	revision       uint64
	peers          []string
	call, answered time.Duration
}

// Log is what was seen of one room.
type Log struct {
	room string

	mu      sync.Mutex
	changes map[uint64]*change
	lefts   map[string]call // leaves that were answered, by peer
	rosters []roster
	blind   bool
	faults  []string
}

type call struct{ begin, end time.Duration }

// New is an empty log.
func New(room string) *Log {
	return &Log{room: room, changes: map[uint64]*change{}, lefts: map[string]call{}}
}

// Joined notes an answered join. One that nobody called for, after a lost session,
// begins at 0.
func (l *Log) Joined(peer string, epoch uint64, begin, end time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.change(epoch, true, peer, end, peer)
	c.call, c.answered, c.known = begin, end, true
}

// Left notes a leave that was answered.
func (l *Log) Left(peer string, begin, end time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lefts[peer] = call{begin, end}
}

// Read notes a read of the document.
func (l *Log) Read(revision uint64, peers []string, begin, end time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rosters = append(l.rosters, roster{revision, peers, begin, end})
}

// change notes that somebody knows of a change; l.mu is held.
func (l *Log) change(revision uint64, joined bool, peer string, at time.Duration, who string) *change {
	c := l.changes[revision]
	if c == nil {
		c = &change{joined: joined, peer: peer, seen: at}
		l.changes[revision] = c
	}
	if c.joined != joined || c.peer != peer {
		l.fault("revision %d is %s for %s, and %s for somebody else", revision, verb(joined, peer), who, verb(c.joined, c.peer))
	}
	c.seen = min(c.seen, at)
	return c
}

// fault notes a fault; l.mu is held.
func (l *Log) fault(format string, args ...any) {
	if len(l.faults) < maxFaults {
		l.faults = append(l.faults, "room "+l.room+": "+fmt.Sprintf(format, args...))
	}
}

func verb(joined bool, peer string) string {
	if joined {
		return "the join of " + peer
	}
	return "the leave of " + peer
}

// Blind says that those who watch the room were away, so that there may be changes
// which nobody saw.
func (l *Log) Blind() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blind = true
}

// Observer follows a room's changes as one member is told of them. It must be used
// by one goroutine.
type Observer struct {
	log  *Log
	who  string
	last uint64
	told uint64 // of a whole roster, whose changes all have this revision
}

// Observe begins to follow after a join.
func (l *Log) Observe(who string, revision uint64) *Observer {
	return &Observer{log: l, who: who, last: revision}
}

// Snapshot notes a change that was found in a whole roster at a revision.
func (o *Observer) Snapshot(revision uint64) { o.last, o.told = max(o.last, revision), revision }

// Saw notes a change that came by itself. Some may be left out, those that cancel
// each other out; none may come twice or too late.
func (o *Observer) Saw(revision uint64, joined bool, peer string, at time.Duration) {
	o.log.mu.Lock()
	defer o.log.mu.Unlock()
	o.log.change(revision, joined, peer, at, o.who)
	if revision <= o.last && revision != o.told {
		o.log.fault("%s saw %s at revision %d after %d", o.who, verb(joined, peer), revision, o.last)
	}
	o.last = max(o.last, revision)
}
