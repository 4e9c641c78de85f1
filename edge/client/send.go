package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/parley-rtc/parley/services/contract"
)

// Do sends a signal and returns when the edge has settled it: nil, or the
// [*RefusedError] that it was refused with. While the connection is down, the
// outbox is full or the room is being joined again, it waits.
//
// When ctx ends before the frame is written, the frame is taken back; after
// that the error is ctx's and [ErrUnknownOutcome].
//
// The frames of one goroutine keep their order.
func (r *Room) Do(ctx context.Context, s Signal) error {
	f, err := s.frame(r.name, r.c.opts.traceparent())
	if err != nil {
		return err
	}
	return r.c.do(ctx, r, f)
}

// Post queues a signal and returns at once; the Pending tells what becomes of
// it. It fails with [ErrOutboxFull], [ErrRejoining], [ErrLeft] or the client's
// error, and nothing is sent then.
func (r *Room) Post(s Signal) (*Pending, error) {
	f, err := s.frame(r.name, r.c.opts.traceparent())
	if err != nil {
		return nil, err
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	if err := r.c.tryEnqueue(r, f); err != nil {
		return nil, err
	}
	return f.pending, nil
}

// Offer is [OfferTo], sent.
func (r *Room) Offer(ctx context.Context, to contract.Token, negotiation string, d contract.SessionDescription) error {
	return r.Do(ctx, OfferTo(to, negotiation, d))
}

// Answer is [AnswerTo], sent.
func (r *Room) Answer(ctx context.Context, to contract.Token, negotiation string, d contract.SessionDescription) error {
	return r.Do(ctx, AnswerTo(to, negotiation, d))
}

// Candidates is [CandidatesTo], sent.
func (r *Room) Candidates(ctx context.Context, to contract.Token, negotiation string, cs ...contract.ICECandidate) error {
	return r.Do(ctx, CandidatesTo(to, negotiation, cs...))
}

// Send is [MessageTo], sent.
func (r *Room) Send(ctx context.Context, to contract.Token, data any) error {
	return r.Do(ctx, MessageTo(to, data))
}

// Broadcast is [ToAll], sent.
func (r *Room) Broadcast(ctx context.Context, data any) error { return r.Do(ctx, ToAll(data)) }

// SetPresence replaces what the others see of this member.
func (r *Room) SetPresence(ctx context.Context, data any) error {
	text, err := encodeData(data)
	if err != nil {
		return err
	}
	if text == nil {
		text = []byte("null")
	}
	f, err := newOutFrame(contract.TypePresence, contract.SetPresence{
		Type: contract.TypePresence, Room: r.name, Data: text, Trace: r.c.opts.traceparent(),
	})
	if err != nil {
		return err
	}
	if err := r.c.do(ctx, r, f); err != nil {
		return err
	}
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.presence = text
	return nil
}

// Moderate kicks a peer or locks, unlocks or closes the room, if the token
// grants it. The peer is for [contract.ActionKick] only.
func (r *Room) Moderate(ctx context.Context, action contract.Action, peer contract.Token) error {
	f, err := newOutFrame(contract.TypeModerate, contract.Moderate{
		Type: contract.TypeModerate, Room: r.name, Action: action, Peer: peer.String(), Trace: r.c.opts.traceparent(),
	})
	if err != nil {
		return err
	}
	return r.c.do(ctx, r, f)
}

// Refresh renews the grants with a new token of [WithToken]. The client does
// so by itself when the edge says that the token expires.
func (r *Room) Refresh(ctx context.Context) error {
	token, err := r.c.opts.token(ctx, r.name, ReasonRefresh)
	if err != nil {
		return fmt.Errorf("refresh: token: %w", err)
	}
	f, err := newOutFrame(contract.TypeRefresh, contract.Refresh{
		Type: contract.TypeRefresh, Room: r.name, Token: token, Trace: r.c.opts.traceparent(),
	})
	if err != nil {
		return err
	}
	return r.c.do(ctx, r, f)
}

// Leave ends the membership. After a room is left, Leave returns nil.
func (r *Room) Leave(ctx context.Context) error {
	f, err := newOutFrame(contract.TypeLeave, contract.Leave{
		Type: contract.TypeLeave, Room: r.name, Trace: r.c.opts.traceparent(),
	})
	if err != nil {
		return err
	}
	r.setLeaving(true)
	err = r.c.do(ctx, r, f)
	switch {
	case err == nil, errors.Is(err, ErrLeft), errors.Is(err, contract.CodeNotInRoom):
		return nil
	}
	r.setLeaving(false)
	return err
}

func (r *Room) setLeaving(leaving bool) {
	r.c.mu.Lock()
	defer r.c.mu.Unlock()
	r.leaving = leaving
}
