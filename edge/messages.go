package edge

import (
	"encoding/json"

	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/services/contract"
)

// A message of an app's backend is an event of its room: it takes a revision,
// and stands between the joins and leaves. Unlike those no document tells of it,
// so it is delivered also when the roster is ahead of it.

// message gives a backend's message to the members that it is for; r.mu is held.
func (r *room) message(o origin, e *contract.RoomEvent) {
	for _, m := range r.locals {
		if m.isFor(e) {
			m.deliverMessage(o, e)
		}
	}
}

// lateMessages delivers those that the roster has passed already; r.mu is held.
func (r *room) lateMessages(o origin, events *contract.RoomEvents) {
	for i := range events.Events {
		if e := &events.Events[i]; e.Kind == contract.EventMessage && r.roster.Loaded() && e.Revision <= r.roster.Revision() {
			r.message(o, e)
		}
	}
}

// holdMessages keeps the events of a commit that the roster isn't ready for, if
// there are messages among them; r.mu is held.
func (r *room) holdMessages(o origin, s *contract.Signal, events *contract.RoomEvents, out *delivery) {
	for i := range events.Events {
		if events.Events[i].Kind == contract.EventMessage {
			r.awaitHeld(out)
			r.held = append(r.held, hold{origin: o.clone(), signal: cloneSignal(s)})
			return
		}
	}
}

// heldMessages delivers the messages of a commit that was held; r.mu is held.
func (r *room) heldMessages(o origin, s *contract.Signal) {
	var events contract.RoomEvents
	if err := json.Unmarshal(s.Body, &events); err != nil {
		entriesBad.Inc() // it could be read when it came
		return
	}
	r.lateMessages(o, &events)
}

// isFor reports whether a backend's message is for the member; room.mu is held.
func (m *membership) isFor(e *contract.RoomEvent) bool {
	return (m.epoch != 0 || m.backlog != nil) && m.epoch < e.Revision && (e.To.IsZero() || e.To == m.peer)
}

// deliverMessage gives a backend's message to one member, unless it had it
// already; room.mu is held.
func (m *membership) deliverMessage(o origin, e *contract.RoomEvent) {
	if m.backlog != nil && !m.backlog.flowing {
		m.keepMessage(o, e)
		return
	}
	if !m.marks.Pass(nil, e.Revision) {
		undelivered.WithLabelValues(undeliveredRepeated).Inc()
		return
	}
	span := startDeliver(&contract.Signal{Kind: contract.KindMessage, Trace: []byte(e.Trace)})
	m.s.mu.Lock()
	if m.s.live() {
		m.s.send(m.messageFrame(nil, o, e))
		deliveredBy[contract.TypeMessage].Inc()
	}
	m.s.mu.Unlock()
	endSpan(span)
}

// keepMessage holds a backend's message back for the member, in the form of a
// signal whose seq is its revision; room.mu is held.
func (m *membership) keepMessage(o origin, e *contract.RoomEvent) {
	m.keep(o, &contract.Signal{Kind: contract.KindEvent, Seq: e.Revision, Body: marshal(e)})
}

// messageFrame appends the frame of a backend's message.
func (m *membership) messageFrame(dst []byte, o origin, e *contract.RoomEvent) []byte {
	said := envelope.Signal{Kind: contract.KindMessage, ID: []byte(e.ID), Data: e.Data}
	if len(said.Data) == 0 {
		said.Data = []byte("null") // of a roomsvc that says nothing
	}
	head := envelope.Head{
		Type: contract.TypeMessage, Room: m.roomName, Cursor: o.cursor, App: m.r.app, Trace: []byte(e.Trace), Seq: e.Revision,
	}
	m.backlog.replace(&head)
	return envelope.AppendRelayed(dst, head, envelope.AppendBody(nil, &said))
}
