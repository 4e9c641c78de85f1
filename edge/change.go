package edge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// change is one operation that waits for roomsvc.
type change struct {
	op   contract.RoomOp
	done chan<- error // of room one; gets nil or the refusal
}

// maxOpsARequest bounds the operations of one request.
const maxOpsARequest = 200

// change asks roomsvc for an operation on the room and waits for its answer.
// An error that isn't a refusal means that the outcome is unknown.
//
// The room stays known until then, so that one room never has two requests in
// flight: roomsvc takes the lower number for an old one.
func (e *Edge) change(ctx context.Context, app, id contract.Token, op contract.RoomOp) error {
	r := e.enter(app, id)
	defer r.exit()
	done := make(chan error, 1)
	r.mu.Lock()
	r.changes = append(r.changes, &change{op: op, done: done})
	if !r.changing {
		r.changing = true
		e.enter(app, id) // left by runChanges
		e.goWork(r.runChanges)
	}
	r.mu.Unlock()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("room change: %w", ctx.Err())
	}
}

// runChanges sends one request after the other, so that roomsvc can tell a
// repeated one by its number, and takes all that waits into the next.
func (r *room) runChanges(ctx context.Context) {
	defer r.exit()
	for {
		r.mu.Lock()
		batch := r.changes
		if len(batch) > maxOpsARequest {
			batch = batch[:maxOpsARequest]
		}
		r.changes = r.changes[len(batch):]
		r.changing = len(batch) > 0
		r.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		results, revision, err := r.request(ctx, batch)
		for i, one := range batch {
			switch {
			case err != nil:
				one.done <- err
			case i < len(results) && results[i].Code != "":
				one.done <- &contract.Error{Code: results[i].Code, Message: results[i].Message}
			default:
				one.done <- nil
			}
		}
		if err == nil {
			r.reach(revision)
		}
	}
}

// request asks roomsvc until it answers, with the same bytes each time.
func (r *room) request(ctx context.Context, batch []*change) ([]contract.OpResult, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, r.e.cfg.RequestTimeout)
	defer cancel()
	ask := contract.RoomChange{App: r.app, Room: r.id, Edge: r.e.id, N: r.e.operations.Add(1)}
	for _, one := range batch {
		ask.Ops = append(ask.Ops, one.op)
	}
	body, err := json.Marshal(ask)
	if err != nil {
		return nil, 0, fmt.Errorf("room change: %w", err)
	}
	for {
		msg, err := bus.Request(ctx, r.e.nc, contract.SubjectRoomChange, nil, body)
		if err != nil {
			return nil, 0, fmt.Errorf("room change: %w", err)
		}
		var reply contract.RoomChanged
		if err := json.Unmarshal(msg.Data, &reply); err != nil {
			return nil, 0, fmt.Errorf("room change: reply: %w", err)
		}
		refusal := reply.Error.Err()
		if refusal == nil {
			return reply.Results, reply.Revision, nil
		}
		if !errors.Is(refusal, contract.CodeUnavailable) {
			return nil, 0, refusal
		}
		slog.DebugContext(ctx, "roomsvc is not available; asking again", "error", refusal)
		pause(ctx, readerPause)
	}
}

// reach notes a revision that exists.
func (r *room) reach(revision uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted = max(r.wanted, revision)
}
