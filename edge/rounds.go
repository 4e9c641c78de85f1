package edge

import (
	"context"
	"sync"
)

// rounds do the same work for many: one round serves all who asked before it
// began. The zero value is ready.
type rounds struct {
	mu      sync.Mutex
	next    *round // asked for and not begun
	running bool
}

type round struct {
	done chan struct{}
	err  error
}

// join waits for a round of do that begins after the call.
func (rs *rounds) join(ctx context.Context, e *Edge, do func(ctx context.Context) error) error {
	rs.mu.Lock()
	p := rs.next
	if p == nil {
		p = &round{done: make(chan struct{})}
		rs.next = p
		if !rs.running {
			rs.running = true
			e.goWork(func(ctx context.Context) { rs.run(ctx, do) })
		}
	}
	rs.mu.Unlock()
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (rs *rounds) run(ctx context.Context, do func(ctx context.Context) error) {
	for {
		rs.mu.Lock()
		p := rs.next
		rs.next = nil
		rs.running = p != nil
		rs.mu.Unlock()
		if p == nil {
			return
		}
		p.err = do(ctx)
		close(p.done)
	}
}
