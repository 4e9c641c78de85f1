package edge

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/parley-rtc/parley/edge/internal/roster"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// room is what the edge knows of a room in which it has, or wants, members.
type room struct {
	// Static after construction.
	e    *Edge
	app  contract.Token
	id   contract.Token
	key  string // contract.RoomKey
	name string // as people named it

	appText, idText []byte // app and id, for signals

	users int // memberships and changes, guarded by Edge.mu; at 0 the room is forgotten

	mu         sync.Mutex
	roster     roster.Roster
	locals     map[string]*membership // by peer; an epoch of 0 means that the join isn't applied yet
	held       []hold                 // signals ahead of the roster
	caughtUp   *sync.Cond             // of mu: held got shorter
	resyncing  bool
	wanted     uint64                   // the highest revision that is known to exist
	lanes      map[contract.Token]*lane // while somebody moves
	ends       map[contract.Token]*ends // by peer, of those that have moved
	changes    []*change                // operations that wait for roomsvc
	changing   bool
	departures []contract.Departure
	judging    bool             // a refresh decides about the first of held
	speakers   []contract.Token // roomsvcs that have sent messages of backends

	refreshes rounds
}

// enter finds or makes a room, for a membership or a change; it must be followed
// by exit.
func (e *Edge) enter(app, id contract.Token) *room {
	key := contract.RoomKey(app, id)
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.byRoom[key]
	if r == nil {
		r = &room{e: e, app: app, id: id, key: key, name: string(id.ID()), locals: map[string]*membership{}}
		r.appText, r.idText = []byte(app.String()), []byte(id.String())
		r.caughtUp = sync.NewCond(&r.mu)
		e.byRoom[key] = r
		roomsTracked.Inc()
	}
	r.users++
	return r
}

// exit ends what enter began.
func (r *room) exit() {
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	if r.users--; r.users == 0 { // and nobody finds it any more
		delete(r.e.byRoom, r.key)
		roomsTracked.Dec()
	}
}

// inUse reports whether anyone still needs the room.
func (r *room) inUse() bool {
	r.e.mu.Lock()
	defer r.e.mu.Unlock()
	return r.users > 0
}

// event applies the events of one commit; r.mu is held.
func (r *room) event(o origin, s *contract.Signal, out *delivery) {
	var events contract.RoomEvents
	if err := json.Unmarshal(s.Body, &events); err != nil {
		entriesBad.Inc()
		slog.Error("room events can't be read", "error", err)
		return
	}
	if opening(&events) != nil && !r.hasMember() { // nobody has told of moves since this edge had a member
		r.roster.Forget()
	}
	r.lateMessages(o, &events)
	changes, behind := r.roster.Apply(&events)
	r.apply(o, changes)
	if behind && !r.open(o, &events) {
		r.resync(events.Revision, opening(&events))
		r.holdMessages(o, s, &events, out)
	}
	r.drainHeld()
}

// apply tells the local members of changes that the roster took over, from the
// entry at o if they come from one; r.mu is held.
func (r *room) apply(o origin, changes []roster.Change) {
	// Who leaves by the same commit needn't hear who else does: a room of 1,000
	// that is closed would send half a million frames.
	leaving := make(map[contract.Token]bool)
	for i := range changes {
		if changes[i].Kind == contract.EventLeft {
			leaving[changes[i].Member.Peer] = true
		}
	}
	for i := range changes {
		c := &changes[i]
		switch c.Kind {
		case contract.EventJoined:
			r.joined(c)
		case contract.EventLeft:
			r.left(c, leaving)
		case contract.EventMessage:
			r.message(o, c.Message)
		case contract.EventLocked, contract.EventUnlocked:
		}
	}
}

func (r *room) joined(c *roster.Change) {
	m := r.locals[c.Member.Peer.String()]
	r.noteEnds(c.Member.Peer, c.Member.Place, c.Member.Trail)
	if m == nil {
		r.tellNewEdge(c.Member)
	}
	var frames [2][]byte // for impolite and polite receivers
	for _, l := range r.locals {
		if l.known == 0 || c.Revision <= l.known || l == m {
			continue
		}
		self := r.roster.Get(l.peer)
		if self == nil {
			continue
		}
		view := c.Member.View(&self.Member)
		at := 0
		if view.Polite {
			at = 1
		}
		if frames[at] == nil {
			frames[at] = marshal(contract.PeerJoined{Type: contract.TypePeerJoined, Room: r.name, Revision: c.Revision, Peer: view})
		}
		if l.hears() {
			l.s.sendNow(frames[at])
		}
	}
	if m != nil && m.epoch == 0 {
		m.begin(c.Member)
	}
}

func (r *room) left(c *roster.Change, leaving map[contract.Token]bool) {
	peer := c.Member.Peer.String()
	frame := marshal(contract.PeerLeft{
		Type: contract.TypePeerLeft, Room: r.name, Revision: c.Revision, Peer: c.Member.Peer, Reason: c.Reason,
	})
	for _, l := range r.locals {
		if l.known != 0 && c.Revision > l.known && !leaving[l.peer] && l.hears() {
			l.s.sendNow(frame)
		}
		l.marks.Forget(peer)
		l.pairs.Delete(peer)
	}
	delete(r.ends, c.Member.Peer)
	if m := r.locals[peer]; m != nil {
		delete(r.locals, peer)
		m.finish(c.Revision, c.Reason)
	}
}

// The pauses between two readings of a document that isn't new enough.
const (
	resyncShortest = 2 * time.Millisecond
	resyncLongest  = time.Second
)

// resync reads the document in the background and applies it, again and again
// until it is at a revision that exists and no signal is ahead of it. What comes
// while it is read counts, too: its event was dropped. The first time doc is the
// document, if it isn't nil. r.mu is held.
func (r *room) resync(revision uint64, doc *contract.RoomDocument) {
	r.wanted = max(r.wanted, revision)
	if r.resyncing {
		return
	}
	r.resyncing = true
	r.e.goWork(func(ctx context.Context) {
		resyncs.Inc()
		for wait := resyncShortest; r.load(ctx, doc); wait = min(2*wait, resyncLongest) {
			doc = nil
			pause(ctx, wait)
		}
	})
}

// load applies the document, which it reads if it is nil, and reports whether
// there must be another one.
func (r *room) load(ctx context.Context, doc *contract.RoomDocument) (again bool) {
	doc, records, err := r.read(ctx, doc)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.addOwn(records, doc)
		r.takeDocument(doc, records)
		r.followRecords(records)
	} else if ctx.Err() == nil {
		slog.WarnContext(ctx, "a room's document can't be read; trying again", "error", err)
	}
	behind := err != nil || len(r.held) > 0 || r.roster.Revision() < r.wanted
	if behind && ctx.Err() == nil && r.inUse() {
		return true
	}
	r.resyncing = false
	r.caughtUp.Broadcast()
	return false
}

// hasMember reports whether a member is in. Nobody else's moves are told to an
// edge without one, so it must read all records again; r.mu is held.
func (r *room) hasMember() bool {
	for _, m := range r.locals {
		if m.epoch != 0 {
			return true
		}
	}
	return false
}

// readTimeout bounds one reading of a document and its members' records.
const readTimeout = 5 * time.Second

// read fetches, from the leader, the document unless it is given, and the records
// of the members that the roster doesn't know and that aren't this edge's own.
func (r *room) read(ctx context.Context, doc *contract.RoomDocument) (*contract.RoomDocument, map[contract.Token]contract.MemberRecord, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	if doc == nil {
		var err error
		if doc, err = r.document(ctx); err != nil {
			return nil, nil, err
		}
	}
	r.mu.Lock()
	strangers := r.strangers(doc)
	r.mu.Unlock()
	records, err := r.e.readRecords(ctx, r.app, r.id, strangers)
	return doc, records, err
}

// readers is how many records are read at once.
const readers = 16

// readRecords reads members' records; one that doesn't exist is left out.
func (e *Edge) readRecords(ctx context.Context, app, room contract.Token, members []contract.Member) (map[contract.Token]contract.MemberRecord, error) {
	records := make(map[contract.Token]contract.MemberRecord, len(members))
	var (
		mu     sync.Mutex
		failed error
		wg     sync.WaitGroup
		turn   = make(chan struct{}, readers)
	)
	for _, m := range members {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			value, _, err := bus.Get(ctx, e.members, contract.MemberKey(app, room, m.Peer))
			var record contract.MemberRecord
			if err == nil {
				err = json.Unmarshal(value, &record)
			}
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				records[m.Peer] = record
			case !isNotFound(err):
				failed = err
			}
		})
	}
	wg.Wait()
	return records, failed
}
