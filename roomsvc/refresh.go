package roomsvc

import (
	"context"
	"log/slog"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/roomsvc/internal/store"
)

const (
	// initialRefreshPart: documents that were there at the start are refreshed
	// within that part of the interval.
	initialRefreshPart = 6
	// refreshLooks is how often in an interval somebody looks for old documents.
	refreshLooks = 24
	// refreshPause is the time between two of them: a room can wait.
	refreshPause = 10 * time.Millisecond
)

// refresher writes the documents of rooms with members again before their
// bucket forgets them. That several roomsvcs do it costs a write, no more: each
// sees the others' writes and counts from them.
type refresher struct {
	index    *index.Index
	store    *store.Store
	interval time.Duration
}

func (r *refresher) run(ctx context.Context) error {
	return every(ctx, max(r.interval/refreshLooks, refreshPause), func() { r.look(ctx) })
}

func (r *refresher) look(ctx context.Context) {
	before := time.Now().Add(-r.interval)
	for _, ref := range r.index.Old(before) {
		if err := r.store.Refresh(ctx, ref); err != nil {
			if ctx.Err() == nil {
				slog.WarnContext(ctx, "room document isn't refreshed: it is tried again", "room", ref.String(), "error", err)
			}
			return
		}
		refreshed.Inc()
		select {
		case <-ctx.Done():
			return
		case <-time.After(refreshPause):
		}
	}
}
