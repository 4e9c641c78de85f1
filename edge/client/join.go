package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// JoinOption changes how [Client.Join] joins.
type JoinOption func(*joinOptions)

type joinOptions struct {
	presence     any
	capabilities contract.Capabilities
}

// WithPresence sets what the others see of this member from the start: any
// value that can be written as JSON.
func WithPresence(v any) JoinOption { return func(o *joinOptions) { o.presence = v } }

// WithCapabilities says what this member's WebRTC stack can do. The default is
// that it can't roll back, which is true of pion.
func WithCapabilities(c contract.Capabilities) JoinOption {
	return func(o *joinOptions) { o.capabilities = c }
}

// Join joins a room with a token of [WithToken] and returns when it is in. A
// refusal is a [*RefusedError]. If ctx ends before, a membership that begins
// all the same is left at once.
func (c *Client) Join(ctx context.Context, room string, opts ...JoinOption) (*Room, error) {
	var o joinOptions
	for _, set := range opts {
		set(&o)
	}
	presence, err := encodeData(o.presence)
	if err != nil {
		return nil, fmt.Errorf("join: presence: %w", err)
	}
	if c.opts.token == nil {
		return nil, errors.New("join: no token: give Dial the option WithToken")
	}
	r := &Room{c: c, name: room, capabilities: o.capabilities, presence: presence, requests: make(map[string]request)}
	c.mu.Lock()
	switch {
	case c.closed != nil:
		defer c.mu.Unlock()
		return nil, fmt.Errorf("join: %w", c.closed)
	case c.rooms[room] != nil:
		defer c.mu.Unlock()
		return nil, fmt.Errorf("join: %w", contract.Errorf(contract.CodeAlreadyJoined, "this client is in the room, or joining or leaving it"))
	}
	c.rooms[room] = r
	c.wake()
	c.mu.Unlock()
	unread, rest := c.beginWait()
	defer rest()
	if err := c.enter(ctx, r, ReasonJoin, unread); err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	return r, nil
}

// rejoin enters a room again after its session was lost, until that succeeds or
// makes no sense any more.
func (c *Client) rejoin(r *Room) {
	for attempt := 0; ; attempt++ {
		err := c.enter(c.ctx, r, ReasonRejoin, nil)
		if err == nil || c.ctx.Err() != nil {
			return
		}
		var refused *RefusedError
		if errors.As(err, &refused) && !refused.Retryable {
			c.log.Warn("room can't be joined again", "room", r.name, "error", err)
			c.mu.Lock()
			delete(c.rooms, r.name)
			r.end(fmt.Errorf("join again: %w", err))
			c.mu.Unlock()
			return
		}
		wait := c.jitter(attempt)
		if refused != nil {
			wait = max(wait, time.Duration(refused.Refusal.RetryAfter)*time.Millisecond)
		}
		c.log.Warn("joining again failed", "room", r.name, "error", err, "wait", wait)
		if !sleep(c.ctx, wait) {
			return
		}
	}
}

// enter joins a room whose state is joining or rejoining. When a session is
// lost on the way, it begins again. It gives up when unread is closed.
func (c *Client) enter(ctx context.Context, r *Room, reason TokenReason, unread <-chan struct{}) error {
	for {
		token, err := c.opts.token(ctx, r.name, reason)
		if err != nil {
			c.giveUp(r, nil)
			return fmt.Errorf("token: %w", err)
		}
		c.mu.Lock()
		presence := r.presence
		c.mu.Unlock()
		f, err := newOutFrame(contract.TypeJoin, contract.Join{
			Type: contract.TypeJoin, Room: r.name, Token: token,
			Presence: presence, Capabilities: r.capabilities, Trace: c.opts.traceparent(),
		})
		if err != nil {
			c.giveUp(r, nil)
			return err
		}
		if err = c.enqueue(ctx, r, f); err == nil {
			err = c.awaitJoined(ctx, r, f, unread)
		}
		if errors.Is(err, errSessionLost) {
			continue
		}
		if err != nil {
			c.giveUp(r, f)
		}
		return err
	}
}

// awaitJoined waits until the room is in after its join was queued.
func (c *Client) awaitJoined(ctx context.Context, r *Room, f *outFrame, unread <-chan struct{}) error {
	settled := f.pending.Done()
	for {
		c.mu.Lock()
		changed, welcomed := r.changed.wait(), c.welcomed.wait()
		state, cause := r.state, r.err
		lost := f.told && c.stats.Connects > f.on
		c.mu.Unlock()
		switch state {
		case roomJoined:
			return nil
		case roomOver:
			return cause
		case roomJoining, roomRejoining:
		}
		if settled == nil && lost {
			return errSessionLost
		}
		select {
		case <-changed:
		case <-welcomed:
		case <-unread:
			return ErrEventsUnread
		case <-settled:
			// The room follows, also when the edge says that an earlier attempt
			// of ours has succeeded. A new connection means that it was lost.
			if err := f.pending.Err(); err != nil && !errors.Is(err, contract.CodeAlreadyJoined) {
				return err
			}
			settled = nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// giveUp undoes a first Join that failed. A frame that was written may still
// succeed; the room is then left as soon as that is known.
func (c *Client) giveUp(r *Room, f *outFrame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case r.state == roomOver || r.state == roomRejoining:
	case f == nil || f.seq == 0 || f.told && f.pending.err != nil && !errors.Is(f.pending.err, contract.CodeAlreadyJoined):
		if f != nil {
			c.outbox.withdraw(f)
			c.space.ring()
		}
		delete(c.rooms, r.name)
		r.end(ErrLeft)
	case r.state == roomJoined:
		r.abandon()
	default:
		r.abandoned = true
	}
}

// encodeData writes application data as JSON; nil stays empty.
func encodeData(v any) (json.RawMessage, error) {
	if v == nil {
		return nil, nil
	}
	text, err := marshal(v)
	if err != nil {
		return nil, contract.Errorf(contract.CodeBadFrame, "data can't be written as JSON: %v", err)
	}
	return text, nil
}
