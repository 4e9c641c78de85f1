package edge

import (
	"log/slog"
	"slices"

	"github.com/parley-rtc/parley/edge/internal/roster"
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
// edge holds. To an edge without a member nobody tells of moves, so it knows none;
// r.mu is held.
func (r *room) strangers(doc *contract.RoomDocument) []contract.Member {
	unknown := slices.Clone(doc.Members)
	if r.hasMember() {
		unknown = r.roster.Unknown(doc)
	}
	return slices.DeleteFunc(unknown, func(m contract.Member) bool { return r.locals[m.Peer.String()] != nil })
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

// tellNewEdge tells the edge of a member that joined, if it had none in the room
// before, what this edge's members have shown since they joined; r.mu is held. It
// reads their records after the commit; but what was written after that and told
// before this edge knew of the join reached only the other edges. What it has read
// already is no news there.
func (r *room) tellNewEdge(joined *roster.Member) {
	if joined.Place == r.e.id || r.hadMembers(joined) {
		return
	}
	for _, m := range r.locals {
		if m.told == nil || m.epoch == 0 {
			continue
		}
		signal := m.update(nil)
		sent := &countdown{n: 1, done: func(error) {}} // it is told until the link gives up, as at first
		if !r.send(joined.Place, &signal, sent) {
			slog.Warn("a new edge wasn't told what a member shows: the link's queue is full", "to", joined.Place.String())
		}
	}
}

// hadMembers reports whether a member's edge held others when it joined.
func (r *room) hadMembers(joined *roster.Member) bool {
	for _, m := range r.roster.Members() {
		if m.Place == joined.Place && m.Epoch < joined.Epoch {
			return true
		}
	}
	return false
}

// update is the signal of what the room was told last of the member; room.mu is
// held.
func (m *membership) update(trace []byte) contract.Signal {
	return contract.Signal{
		Kind: contract.KindPresence, App: m.r.appText, Room: m.r.idText, Revision: m.r.roster.Revision(),
		From: m.from, Epoch: m.epoch, Trace: trace, Body: m.told,
	}
}
