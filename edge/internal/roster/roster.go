package roster

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/parley-rtc/parley/services/contract"
)

// Member is one membership as this edge knows it.
type Member struct {
	contract.Member
	Place    contract.Token   // the edge that holds it now
	Taken    uint64           // the incarnation that brought it there, 0: unknown
	Began    uint64           // the incarnation that its session began with
	Acked    uint64           // what its client had seen acknowledged by then
	Trail    []contract.Token // the edges that held it before, as far as this one knows
	Presence json.RawMessage
	Version  uint64
	State    contract.MemberState
}

// Roster is one room. The zero Roster knows nothing: Load it.
type Roster struct {
	revision uint64
	loaded   bool
	members  map[contract.Token]*Member
	order    []*Member // by rising epoch
	heard    map[contract.Token]Place
	left     map[contract.Token]Place
	leaving  []contract.Token // of left, who left first
}

// Change is one thing that clients hear of. Of a message all is in Message.
type Change struct {
	Kind     contract.EventKind
	Revision uint64
	Member   *Member // who joined or left
	Reason   contract.LeaveReason
	Trace    string
	Message  *contract.RoomEvent
}

// Revision is the room's revision that the roster stands at.
func (r *Roster) Revision() uint64 { return r.revision }

// Loaded reports whether a document was ever loaded.
func (r *Roster) Loaded() bool { return r.loaded }

// Len is the number of members.
func (r *Roster) Len() int { return len(r.order) }

// Members are all members by rising epoch. The slice must not be changed or
// kept over the next change.
func (r *Roster) Members() []*Member { return r.order }

// Get returns a member, or nil.
func (r *Roster) Get(peer contract.Token) *Member { return r.members[peer] }

// Find is Get by the text of a token. It allocates nothing.
func (r *Roster) Find(peer []byte) *Member { return contract.ByToken(r.members, peer) }

// Unknown returns the members of a document that the roster doesn't have: whose
// records must be read before Load.
func (r *Roster) Unknown(doc *contract.RoomDocument) []contract.Member {
	var unknown []contract.Member
	for _, m := range doc.Members {
		if r.members[m.Peer] == nil {
			unknown = append(unknown, m)
		}
	}
	return unknown
}

// Load takes over a document, with the records of the members that were
// unknown (others are ignored). A document that isn't newer changes nothing.
// The changes come by rising revision: whom it misses left, who is new joined.
func (r *Roster) Load(doc *contract.RoomDocument, records map[contract.Token]contract.MemberRecord) []Change {
	if r.loaded && doc.Revision <= r.revision {
		return nil
	}
	var changes []Change
	in := make(map[contract.Token]bool, len(doc.Members))
	for _, m := range doc.Members {
		in[m.Peer] = true
	}
	for _, old := range slices.Clone(r.order) {
		if in[old.Peer] {
			continue
		}
		revision, reason := departure(doc, old.Peer)
		r.remove(old.Peer)
		changes = append(changes, Change{Kind: contract.EventLeft, Revision: revision, Member: old, Reason: reason})
	}
	for _, m := range doc.Members {
		if r.members[m.Peer] != nil {
			continue
		}
		added := r.add(m, nil)
		if record, ok := records[m.Peer]; ok && believed(&record, &added.Member) {
			added.Presence, added.Version = record.Presence, record.Version
			if record.State == contract.StateAway {
				added.State = contract.StateAway
			}
			added.follow(&record)
		}
		changes = append(changes, Change{Kind: contract.EventJoined, Revision: m.Epoch, Member: added})
	}
	slices.SortStableFunc(changes, func(a, b Change) int { return cmp.Compare(a.Revision, b.Revision) })
	r.revision, r.loaded = doc.Revision, true
	return changes
}

// Apply takes over the events of one commit. behind means that something
// between the roster and the events is missing: read the document, Load it.
func (r *Roster) Apply(events *contract.RoomEvents) (changes []Change, behind bool) {
	if events.Revision <= r.revision && r.loaded {
		return nil, false
	}
	if !r.loaded || len(events.Events) == 0 || r.revision < events.Base {
		return nil, true
	}
	for i := range events.Events {
		e := &events.Events[i]
		if e.Revision <= r.revision {
			continue
		}
		r.revision = e.Revision
		change := Change{Kind: e.Kind, Revision: e.Revision, Reason: e.Reason, Trace: e.Trace}
		switch e.Kind {
		case contract.EventJoined:
			if e.Member == nil {
				continue
			}
			change.Member = r.add(*e.Member, e.Presence)
		case contract.EventLeft:
			if change.Member = r.remove(e.Peer); change.Member == nil {
				continue
			}
		case contract.EventMessage:
			change.Message = e
		case contract.EventLocked, contract.EventUnlocked:
		}
		changes = append(changes, change)
	}
	return changes, false
}

// Update takes over a member's presence and state, and returns the member if it
// is news: an unknown member or a version that isn't newer is none.
func (r *Roster) Update(u contract.PeerUpdate) *Member {
	m := r.members[u.Peer]
	if m == nil || u.Version <= m.Version {
		return nil
	}
	m.Version = u.Version
	if u.Presence != nil {
		m.Presence = u.Presence
	}
	if u.State != "" {
		m.State = u.State
	}
	return m
}

func (r *Roster) add(m contract.Member, presence json.RawMessage) *Member {
	if r.members == nil {
		r.members = map[contract.Token]*Member{}
	}
	added := &Member{Member: m, Place: m.Edge, Began: 1, Presence: presence, Version: 1, State: contract.StateHere}
	r.members[m.Peer] = added
	r.order = append(r.order, added)
	if p, ok := r.heard[m.Peer]; ok {
		added.move(p)
	}
	return added
}

func (r *Roster) remove(peer contract.Token) *Member {
	delete(r.heard, peer)
	m := r.members[peer]
	if m == nil {
		return nil
	}
	delete(r.members, peer)
	r.leave(m)
	at := slices.Index(r.order, m)
	r.order = slices.Delete(r.order, at, at+1)
	return m
}

// departure says how a member left that a document no longer has; one that the
// document forgot left at its revision at the latest.
func departure(doc *contract.RoomDocument, peer contract.Token) (uint64, contract.LeaveReason) {
	for _, d := range doc.Departures {
		if d.Peer == peer {
			return d.Revision, d.Reason
		}
	}
	return doc.Revision, contract.ReasonLeft
}
