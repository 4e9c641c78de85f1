package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

// followEvents hears what other processes tell this edge: at which revision its
// rooms stand, every now and then, since an event can be lost with both its
// teller and its asker; and which members another edge has taken over.
func (e *Edge) followEvents(ctx context.Context) error {
	sub, err := e.nc.Subscribe(contract.EventsFor(e.id), func(m *nats.Msg) {
		var told struct {
			contract.Revisions
			contract.Moves
		}
		from, err := contract.ParseEventSubject(m.Subject)
		if err == nil {
			err = json.Unmarshal(m.Data, &told)
		}
		if err != nil {
			slog.WarnContext(ctx, "an event can't be read", "subject", m.Subject, "error", err)
			return
		}
		for _, one := range told.Rooms {
			e.noticeRevision(one)
		}
		if len(told.Moves.Moves) > 0 {
			e.heardMoves(m, from, told.Moves.Moves)
		}
	})
	if err != nil {
		return fmt.Errorf("subscribe to events: %w", err)
	}
	<-ctx.Done()
	if err := sub.Unsubscribe(); err != nil && e.nc.IsConnected() {
		slog.WarnContext(ctx, "the subscription to events was not ended", "error", err)
	}
	return nil
}

func (e *Edge) noticeRevision(one contract.RoomRevision) {
	e.mu.Lock()
	r := e.byRoom[contract.RoomKey(one.App, one.Room)]
	e.mu.Unlock()
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.roster.Revision() < one.Revision {
		r.resync(one.Revision, nil)
	}
}
