package edge

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/parley-rtc/parley/services/contract"
)

// An edge whose lease was out may have lost members: others took them for gone, or
// over. Those who did so don't wait for its answer, so what it still had for an
// earlier place of somebody would be acknowledged and never read. Before it cuts or
// acknowledges anything again it reads its members' records.

// fences ends the fence after each gap between two renewals, until ctx ends.
func (e *Edge) fences(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-e.lease.gap:
		}
		pause(ctx, contract.LeaseInterval) // by then whoever was about to bury its members has heard of the renewal
		gaps := e.lease.gaps.Load()
		err := e.readOwn(ctx)
		if err == nil {
			e.lease.read.Store(gaps)
			continue
		}
		if ctx.Err() == nil {
			slog.WarnContext(ctx, "the members' records can't be read after a fence; trying again", "error", err)
		}
		e.lease.tellGap()
	}
}

// readOwn reads the records of all members here. Who is gone or elsewhere has no
// session here any more.
func (e *Edge) readOwn(ctx context.Context) error {
	e.mu.Lock()
	rooms := make([]*room, 0, len(e.byRoom))
	for _, r := range e.byRoom {
		rooms = append(rooms, r)
	}
	e.mu.Unlock()
	errs := make([]error, len(rooms))
	var wg sync.WaitGroup
	turn := make(chan struct{}, readers)
	for i, r := range rooms {
		turn <- struct{}{}
		wg.Go(func() {
			defer func() { <-turn }()
			errs[i] = r.readLocals(ctx)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// readLocals is readOwn for the members of one room.
func (r *room) readLocals(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	r.mu.Lock()
	locals := make([]contract.Member, 0, len(r.locals))
	for _, m := range r.locals {
		locals = append(locals, contract.Member{Peer: m.peer})
	}
	r.mu.Unlock()
	records, err := r.e.readRecords(ctx, r.app, r.id, locals)
	if err != nil {
		return err
	}
	r.mu.Lock()
	lost := r.followRecords(records)
	var gone []*membership
	for _, m := range r.locals {
		if records[m.peer].State == contract.StateGone {
			gone = append(gone, m)
		}
	}
	r.mu.Unlock()
	for _, m := range lost {
		m.moved()
	}
	for _, m := range gone {
		m.buried(records[m.peer].Reason)
	}
	return nil
}

// buried ends a membership whose record somebody else has set to gone. What its
// session had on its way is never acknowledged: the client sends to its other rooms
// again.
func (m *membership) buried(reason contract.LeaveReason) {
	m.s.mu.Lock()
	m.s.forgetUnsettled()
	m.s.drop(contract.CloseTryLater, "the edge was cut off; come back")
	m.s.mu.Unlock()
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	if m.r.locals[m.peerText] == m {
		delete(m.r.locals, m.peerText)
	}
	m.finish(0, reason)
}
