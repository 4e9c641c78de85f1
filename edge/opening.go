package edge

import (
	"slices"

	"github.com/parley-rtc/parley/services/contract"
)

// The commit that brings an edge its first member in a room brings the members,
// too: they are what a reading of the document after the commit would find. What
// is left to read are the records of other edges' members.

// opening is the document that the events of a commit bring along, nil for none.
func opening(events *contract.RoomEvents) *contract.RoomDocument {
	if len(events.Members) == 0 {
		return nil
	}
	return &contract.RoomDocument{Revision: events.Revision, Members: events.Members}
}

// open begins the roster with what the events of a commit bring along, if nothing
// has to be read for it; r.mu is held.
func (r *room) open(o origin, events *contract.RoomEvents) bool {
	doc := opening(events)
	if doc == nil || r.roster.Loaded() || r.resyncing || len(r.strangers(doc)) > 0 {
		return false
	}
	records := make(map[contract.Token]contract.MemberRecord, len(doc.Members))
	r.addOwn(records, doc)
	r.apply(origin{}, r.roster.Load(doc, records))
	r.lateMessages(o, events)
	return true
}

// strangers are the members of a document that neither the roster knows nor this
// edge holds; r.mu is held.
func (r *room) strangers(doc *contract.RoomDocument) []contract.Member {
	return slices.DeleteFunc(r.roster.Unknown(doc), func(m contract.Member) bool { return r.locals[m.Peer.String()] != nil })
}

// addOwn adds the records with which this edge's members join. What one has
// written since it tells when the roster takes it in, see recorder.joined; r.mu
// is held.
func (r *room) addOwn(records map[contract.Token]contract.MemberRecord, doc *contract.RoomDocument) {
	for i := range doc.Members {
		if m := r.locals[doc.Members[i].Peer.String()]; m != nil {
			records[m.peer] = m.firstRecord()
		}
	}
}
