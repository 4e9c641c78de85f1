package client

import "context"

// Pending is a frame on its way, see [Room.Post].
type Pending struct {
	done chan struct{}
	err  error // written before done is closed
}

func newPending() *Pending { return &Pending{done: make(chan struct{})} }

// Done is closed when the outcome is known.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Err is the outcome: nil if the frame was settled, or while it is unknown
// (see Done); a [*RefusedError] if the edge refused it.
func (p *Pending) Err() error {
	select {
	case <-p.done:
		return p.err
	default:
		return nil
	}
}

// Wait waits for the outcome. The end of ctx ends the wait only; the frame
// stays on its way.
func (p *Pending) Wait(ctx context.Context) error {
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// finish must be called once, with the client's mutex.
func (p *Pending) finish(err error) {
	p.err = err
	close(p.done)
}
