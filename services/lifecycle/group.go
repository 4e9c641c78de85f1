package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Group runs parts that live and die together: the first one that returns, for
// whatever reason, ends all.
type Group struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	parts  sync.WaitGroup

	first sync.Once
	err   error // of the part that ended first; written once
}

// NewGroup returns a group whose parts end when ctx does. Wait must be called.
func NewGroup(ctx context.Context) *Group {
	ctx, cancel := context.WithCancelCause(ctx)
	return &Group{ctx: ctx, cancel: cancel}
}

// Go starts a part. Its context ends when the group's does or any part has
// returned; it must return soon after, and finds the error of that part as the
// context's cause. name stands in its error. Parts may start others; once Wait has
// returned nobody may.
func (g *Group) Go(name string, fn func(ctx context.Context) error) {
	g.parts.Go(func() {
		err := fn(g.ctx)
		stopped := g.ctx.Err() != nil && errors.Is(err, g.ctx.Err())
		g.first.Do(func() {
			if err != nil && !stopped {
				g.err = fmt.Errorf("%s: %w", name, err)
			}
			g.cancel(g.err)
		})
	})
}

// Wait returns when all parts have, with the error of the part that ended
// first. A part that returns its context's error because that had ended, ended
// well.
func (g *Group) Wait() error {
	g.parts.Wait()
	g.cancel(nil)
	return g.err
}
