package client

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"slices"

	"github.com/parley-rtc/parley/services/contract"
)

type roomState int

const (
	roomJoining   roomState = iota // Join waits for it
	roomJoined                     //
	roomRejoining                  // the session was lost; Join had succeeded before
	roomOver                       //
)

// Room is one membership of one room. Who has a Room must keep taking its
// events, by [Room.Next] or [Room.Events].
type Room struct {
	// Static.
	c            *Client
	name         string
	capabilities contract.Capabilities

	// Guarded by the client's mutex.
	state      roomState
	err        error // of Next, once it is over and the queue is empty
	abandoned  bool  // Join was given up; leave when it succeeds
	leaving    bool
	refreshing bool
	presence   json.RawMessage
	self       contract.Self
	roster     roster
	servers    []contract.ICEServer
	policy     contract.Policy
	expires    int64
	cursor     string
	marks      marks
	said       uint64 // the revision of the last message of the app's backend
	requests   map[string]request
	queue      queue
	arrived    bell // an event, or the end
	changed    bell // the state
}

// Name is the room's name.
func (r *Room) Name() string { return r.name }

// Self is this client's own membership. It changes with [Rejoined].
func (r *Room) Self() contract.Self {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.self
}

// Revision is the room's, as far as this client knows it.
func (r *Room) Revision() uint64 {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.roster.revision
}

// Peers are the other members by rising epoch, as they stand now: at least as
// new as the last event that was taken.
func (r *Room) Peers() []contract.Peer {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.roster.snapshot()
}

// ICEServers are the servers for new peer connections.
func (r *Room) ICEServers() []contract.ICEServer {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return append([]contract.ICEServer(nil), r.servers...)
}

// ICEPolicy is what the edge lets pass between peers. Under
// [contract.PolicyRelay] a peer connection should use relays only.
func (r *Room) ICEPolicy() contract.Policy {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	return r.policy
}

// Next waits for the next event. After [Left] it returns [ErrLeft]; when the
// client is over it returns [Client.Err], after the events that came before;
// when joining again after a lost session was refused, it returns that error.
func (r *Room) Next(ctx context.Context) (Event, error) {
	for {
		r.c.mu.Lock()
		if e, ok := r.queue.pop(); ok {
			r.c.drained.ring()
			r.c.mu.Unlock()
			return e, nil
		}
		over, err, arrived := r.state == roomOver, r.err, r.arrived.wait()
		r.c.mu.Unlock()
		if over {
			return nil, err
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Events yields the events of Next. After [Left] it just ends; another end is
// yielded as an error, once.
func (r *Room) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			e, err := r.Next(ctx)
			if errors.Is(err, ErrLeft) {
				return
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// joined takes a joined frame and returns the events of it; the client's mutex
// is held.
func (r *Room) joined(f *contract.Joined) []Event {
	before := r.state
	switch {
	case before == roomOver:
		return nil
	case before == roomJoined && (f.Self.Peer != r.self.Peer || f.Revision < r.roster.revision):
		r.c.stats.Stale++
		return nil
	}
	r.self, r.policy, r.expires, r.cursor = f.Self, f.ICEPolicy, f.TokenExpires, f.Cursor
	var events []Event
	// An edge that couldn't ask for credentials tells only the other servers; what we have is better.
	if before == roomJoining || slices.ContainsFunc(f.ICEServers, hasCredential) {
		r.servers, events = f.ICEServers, []Event{ICEServersChanged{}}
	}
	changes := r.roster.reset(f.Revision, f.Peers)
	r.setState(roomJoined)
	switch before {
	case roomJoining:
		if r.abandoned {
			r.abandon()
		}
		return nil // the snapshot is what Join returns with
	case roomRejoining:
		r.said = 0 // a room that was forgotten meanwhile counts from 1 again
		return append([]Event{Rejoined{Self: f.Self}}, changes...)
	default:
		return append(events, changes...)
	}
}

func hasCredential(s contract.ICEServer) bool { return s.Credential != "" }

func (r *Room) setState(s roomState) {
	r.state = s
	r.changed.ring()
}

// abandon leaves a room whose Join was given up; the client's mutex is held.
func (r *Room) abandon() {
	r.leaving = true
	f, err := newOutFrame(contract.TypeLeave, contract.Leave{Type: contract.TypeLeave, Room: r.name})
	if err == nil {
		err = r.c.tryEnqueue(r, f)
	}
	if err != nil {
		r.c.log.Warn("a room whose join was given up can't be left now", "room", r.name, "error", err)
	}
}

// loseSession joins the room again, if it still matters; the client's mutex is
// held.
func (r *Room) loseSession() {
	r.failRequests(func(request) error { return ErrUnknownOutcome })
	switch {
	case r.leaving:
		r.finish(Left{Reason: contract.ReasonLeft})
	case r.abandoned:
		r.finish(Left{})
	case r.state == roomJoined:
		r.setState(roomRejoining)
		r.c.task(func() { r.c.rejoin(r) })
	}
}

// depart forgets a peer that left; the client's mutex is held.
func (r *Room) depart(peer contract.Token) {
	r.marks.depart(peer, r.roster.peers)
	r.failRequests(func(q request) error {
		if q.to != peer {
			return nil
		}
		return contract.Errorf(contract.CodePeerGone, "the peer left before it replied")
	})
}

// finish ends the membership with its last event, which fits even into a full
// buffer; the client's mutex is held.
func (r *Room) finish(last Left) {
	if r.state == roomOver {
		return
	}
	r.queue.push(last, 0)
	delete(r.c.rooms, r.name)
	r.end(ErrLeft)
}

// end makes the room unusable; the client's mutex is held.
func (r *Room) end(cause error) {
	if r.state == roomOver {
		return
	}
	r.err = cause
	r.failRequests(func(request) error { return cause })
	r.arrived.ring()
	r.setState(roomOver)
}
