package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/parley-rtc/parley/services/contract"
)

// do queues a frame and waits until it is settled.
func (c *Client) do(ctx context.Context, r *Room, f *outFrame) error {
	if err := c.enqueue(ctx, r, f); err != nil {
		return err
	}
	unread, rest := c.beginWait()
	defer rest()
	var why error
	select {
	case <-f.pending.done:
		return f.pending.err
	case <-ctx.Done():
		why = ctx.Err()
	case <-unread:
		why = ErrEventsUnread
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case f.told:
		return f.pending.err
	case c.outbox.withdraw(f):
		c.space.ring()
		return why
	default:
		return fmt.Errorf("%w: %w", ErrUnknownOutcome, why)
	}
}

// beginWait says that a call waits for something that the reader brings: the
// reader must go on even if events are left unread, see deliver. The call must
// give up when unread is closed, and call rest at its end.
func (c *Client) beginWait() (unread <-chan struct{}, rest func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiting++
	c.drained.ring()
	return c.unread.wait(), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.waiting--
	}
}

// enqueue puts a frame into the outbox; it waits for room there and, unless it
// is a join, for the room to be joined.
func (c *Client) enqueue(ctx context.Context, r *Room, f *outFrame) error {
	unread, rest := c.beginWait()
	defer rest()
	for {
		c.mu.Lock()
		err := c.tryEnqueue(r, f)
		var again <-chan struct{}
		switch {
		case errors.Is(err, ErrOutboxFull):
			again = c.space.wait()
		case errors.Is(err, ErrRejoining):
			again = r.changed.wait()
		}
		c.mu.Unlock()
		if again == nil {
			return err
		}
		select {
		case <-again:
		case <-ctx.Done():
			return ctx.Err()
		case <-unread:
			return ErrEventsUnread
		}
	}
}

// tryEnqueue puts a frame into the outbox or says why it can't; c.mu is held.
func (c *Client) tryEnqueue(r *Room, f *outFrame) error {
	switch {
	case c.closed != nil:
		return c.closed
	case r.state == roomOver:
		return r.err
	case r.state != roomJoined && f.kind != contract.TypeJoin:
		return ErrRejoining
	}
	if err := f.check(c.welcome.Limits); err != nil {
		return err
	}
	if f.size() > c.outbox.maxBytes {
		return contract.Errorf(contract.CodeTooLarge, "%s of %d bytes, the outbox holds %d", f.kind, f.size(), c.outbox.maxBytes)
	}
	f.room = r
	if !c.outbox.add(f) {
		return ErrOutboxFull
	}
	c.wake()
	return nil
}
