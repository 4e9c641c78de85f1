package edge

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

// followRevisions hears, every now and then, at which revision this edge's
// rooms stand, and reads the document of a room that is behind: an event can
// only be lost with both its teller and its asker.
func (e *Edge) followRevisions(ctx context.Context) error {
	sub, err := e.nc.Subscribe(contract.EventsFor(e.id), func(m *nats.Msg) {
		var revisions contract.Revisions
		if err := json.Unmarshal(m.Data, &revisions); err != nil {
			slog.WarnContext(ctx, "revisions can't be read", "subject", m.Subject, "error", err)
			return
		}
		for _, one := range revisions.Rooms {
			e.noticeRevision(one)
		}
	})
	if err != nil {
		return fmt.Errorf("subscribe to revisions: %w", err)
	}
	<-ctx.Done()
	if err := sub.Unsubscribe(); err != nil && e.nc.IsConnected() {
		slog.WarnContext(ctx, "the subscription to revisions was not ended", "error", err)
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
