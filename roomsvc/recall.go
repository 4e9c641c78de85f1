package roomsvc

import (
	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

// recall finds the messages of the group that an earlier write has stored,
// though its outcome was unknown and somebody wrote over it since. No document
// tells of a message, so their events must still be sent, and their askers get
// the answers of that write. Two tries over different documents can't both have
// been stored, and over the same document they are the same: last is the one.
func recall(last *try, out *room.Outcome, group []*ask) []contract.RoomEvent {
	var events []contract.RoomEvent
	for i, a := range group {
		if !a.says || out.Answers[i].Standing == room.Applied {
			continue
		}
		out.Answers[i] = last.out.Answers[i]
		for _, e := range last.out.Events {
			if e.Kind == contract.EventMessage && e.Revision == out.Answers[i].Revision {
				events = append(events, e)
			}
		}
	}
	return events
}

// bodiesOf are the event signals of a try, the recalled messages first.
func bodiesOf(t *try) ([]room.Body, error) {
	var bodies []room.Body
	for _, e := range t.recalled {
		one, err := room.Bodies(e.Revision-1, []contract.RoomEvent{e}, maxEventsBytes)
		if err != nil {
			return nil, err
		}
		bodies = append(bodies, one...)
	}
	rest, err := room.Bodies(t.out.Base, t.out.Events, maxEventsBytes)
	return append(bodies, rest...), err
}

func changesOf(group []*ask) []contract.RoomChange {
	changes := make([]contract.RoomChange, len(group))
	for i, a := range group {
		changes[i] = a.change
	}
	return changes
}

// says reports whether a group has a message.
func says(group []*ask) bool {
	for _, a := range group {
		if a.says {
			return true
		}
	}
	return false
}
