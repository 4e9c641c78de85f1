package roomsvc

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// tellDue is how soon an edge is told of a room whose events it may have
	// missed.
	tellDue = time.Second
	// tellMost is how many rooms one message names.
	tellMost = 1000
)

// teller tells the edges the revisions of their rooms, so that each finds out
// when it has lost an event: those it may have missed at once, all of them from
// time to time. What is told needs no log: it is told again.
type teller struct {
	self  contract.Token
	nc    *nats.Conn
	index *index.Index

	mu  sync.Mutex
	due map[contract.Token]map[room.Ref]uint64
}

// tell has an edge told soon that a room has reached a revision.
func (t *teller) tell(edge contract.Token, ref room.Ref, revision uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.due[edge] == nil {
		t.due[edge] = map[room.Ref]uint64{}
	}
	t.due[edge][ref] = max(t.due[edge][ref], revision)
}

// run tells what is due, and all edges of all rooms at each interval.
func (t *teller) run(ctx context.Context, interval time.Duration) error {
	next := time.Now().Add(interval)
	return every(ctx, min(tellDue, interval), func() {
		if now := time.Now(); !now.Before(next) {
			next = now.Add(interval)
			t.all()
		}
		t.flush()
	})
}

// all makes every room of every edge due.
func (t *teller) all() {
	for _, edge := range t.index.Edges() {
		for _, ref := range t.index.RoomsOf(edge) {
			t.tell(edge, ref, t.index.Revision(ref))
		}
	}
}

func (t *teller) flush() {
	t.mu.Lock()
	due := t.due
	t.due = map[contract.Token]map[room.Ref]uint64{}
	t.mu.Unlock()
	for edge, rooms := range due {
		var message contract.Revisions
		for ref, revision := range rooms {
			message.Rooms = append(message.Rooms, contract.RoomRevision{
				App: ref.App, Room: ref.Room, Revision: max(revision, t.index.Revision(ref)),
			})
			if len(message.Rooms) == tellMost {
				t.publish(edge, message)
				message.Rooms = nil
			}
		}
		t.publish(edge, message)
	}
}

func (t *teller) publish(edge contract.Token, message contract.Revisions) {
	if len(message.Rooms) == 0 {
		return
	}
	data, err := json.Marshal(message)
	if err == nil {
		err = t.nc.Publish(contract.EventSubject(edge, t.self), data)
	}
	if err != nil {
		slog.Debug("revisions weren't told", "edge", edge.String(), "error", err)
		return
	}
	told.Add(float64(len(message.Rooms)))
}
