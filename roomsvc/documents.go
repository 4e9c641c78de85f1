package roomsvc

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// documentsEvery is how far the index may be behind the documents that other
	// roomsvcs write. Decoding one of 1,000 members takes 4 ms; a room that
	// changes all the time costs that ten times a second, and no more.
	documentsEvery = 100 * time.Millisecond
	// documentsMost is how many wait at most, which bounds the memory of a start.
	documentsMost = 1000
)

// documents brings what the rooms bucket says into the index.
type documents struct {
	index   *index.Index
	refresh time.Duration
	tell    func(edge contract.Token, ref room.Ref, revision uint64)
	keep    func(ref room.Ref, state room.State, stored uint64) // for the room's next commit

	mu      sync.Mutex
	started bool // all values that were there at the start are in
	waiting map[room.Ref]store.Value
}

// saw notes a document. The newest of a room counts.
func (d *documents) saw(v store.Value) {
	ref, err := room.ParseKey(v.Key)
	if err != nil {
		slog.Warn("the rooms bucket holds a key that is no room's", "error", err)
		return
	}
	d.mu.Lock()
	d.waiting[ref] = v
	full := len(d.waiting) >= documentsMost
	d.mu.Unlock()
	if full {
		d.flush()
	}
}

// ready notes that all current values were seen.
func (d *documents) ready() {
	d.flush()
	d.mu.Lock()
	d.started = true
	d.mu.Unlock()
}

// run decodes what waits until ctx ends.
func (d *documents) run(ctx context.Context) error {
	return every(ctx, documentsEvery, d.flush)
}

func (d *documents) flush() {
	d.mu.Lock()
	waiting, started := d.waiting, d.started
	d.waiting = map[room.Ref]store.Value{}
	d.mu.Unlock()
	for ref, v := range waiting {
		d.take(ref, v, started)
	}
}

func (d *documents) take(ref room.Ref, v store.Value, started bool) {
	if d.index.Knows(ref, v.Stored) {
		return
	}
	if v.Data == nil {
		d.index.Remove(ref)
		return
	}
	state, err := room.Decode(ref.App, ref.Room, v.Data)
	if err != nil {
		slog.Error("room document can't be read", "room", ref.String(), "error", err)
		return
	}
	d.keep(ref, state, v.Stored)
	// How old a document is that was there before us, nobody can say without
	// comparing clocks: such documents are refreshed soon, and not all at once.
	written := time.Now()
	if !started {
		written = written.Add(rand.N(d.refresh/initialRefreshPart) - d.refresh)
	}
	for _, edge := range d.index.Document(ref, v.Stored, state.Document(), written) {
		d.tell(edge, ref, state.Revision())
	}
}

// every calls fn at each interval until ctx ends, and returns ctx's error.
func every(ctx context.Context, interval time.Duration, fn func()) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
			fn()
		}
	}
}
