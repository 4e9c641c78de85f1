package edge

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// refresh reads the room, from the leader, after this call: where everybody is
// now.
func (r *room) refresh(ctx context.Context) error {
	if err := r.refreshes.join(ctx, r.e, r.readAll); err != nil {
		return fmt.Errorf("read the room: %w", err)
	}
	return nil
}

// readAll reads the document and all records and applies them.
func (r *room) readAll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	doc, err := r.document(ctx)
	if err != nil {
		return err
	}
	records, err := r.e.readRecords(ctx, r.app, r.id, doc.Members)
	if err != nil {
		return fmt.Errorf("its members: %w", err)
	}
	r.mu.Lock()
	r.takeDocument(doc, records)
	lost := r.followRecords(records)
	r.mu.Unlock()
	for _, m := range lost {
		m.moved()
	}
	return nil
}

// document reads the room's document. One that nobody ever wrote is empty.
func (r *room) document(ctx context.Context) (*contract.RoomDocument, error) {
	doc := &contract.RoomDocument{}
	value, _, err := bus.Get(ctx, r.e.rooms, r.key)
	if isNotFound(err) {
		return doc, nil
	}
	if err == nil {
		err = json.Unmarshal(value, doc)
	}
	return doc, err
}

// takeDocument takes a document over; r.mu is held.
func (r *room) takeDocument(doc *contract.RoomDocument, records map[contract.Token]contract.MemberRecord) {
	r.speakers, r.departures = speakersOf(doc), doc.Departures
	r.apply(origin{}, r.roster.Load(doc, records))
	r.drainHeld()
}

// followRecords takes over where known members are and what they show, and
// returns the memberships that another edge has taken from this one; r.mu is held.
func (r *room) followRecords(records map[contract.Token]contract.MemberRecord) (lost []*membership) {
	for _, record := range records {
		f := r.roster.Follow(&record)
		if f.Moved {
			r.relocated(record.Peer, f.From, record.Edge)
		}
		if f.Updated {
			r.tellUpdate(contract.PeerUpdate{
				Peer: record.Peer, Version: record.Version, Presence: record.Presence, State: record.State,
			})
		}
		m := r.locals[record.Peer.String()]
		if m != nil && record.Edge != r.e.id && record.Incarnation > m.recorder.incarnation.Load() {
			lost = append(lost, m)
		}
	}
	return lost
}

// departure is why a member isn't in the document any more; r.mu is held.
func (r *room) departure(peer contract.Token) contract.LeaveReason {
	for _, one := range r.departures {
		if one.Peer == peer {
			return one.Reason
		}
	}
	return contract.ReasonExpired
}

// speakersOf are the roomsvcs that have sent messages of backends.
func speakersOf(doc *contract.RoomDocument) (speakers []contract.Token) {
	for id, writer := range doc.Writers {
		if token, err := contract.ParseToken(id); err == nil && writer.Server {
			speakers = append(speakers, token)
		}
	}
	return speakers
}
