package roomsvc

import (
	"context"
	"net/http"

	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
	"github.com/parley-rtc/parley/services/token/object"
)

// maxKickBytes bounds the body of a kick.
const maxKickBytes = 4 << 10

// RoomChange answers what changes a room.
type RoomChange struct {
	Revision uint64 `json:"revision"` // of the room after it
	// Kicked is how many members had to leave, of a kick and a close.
	Kicked *int `json:"kicked,omitempty"`
}

func (s *service) handleKick(ctx context.Context, w http.ResponseWriter, c call) (any, error) {
	o, err := readObject(w, c, "kick", maxKickBytes)
	if err != nil {
		return nil, err
	}
	op := contract.RoomOp{Kind: contract.OpKick}
	if o.Has("peer") == o.Has("identity") {
		return nil, contract.Errorf(contract.CodeBadFrame, "kick: give either peer or identity")
	}
	if op.Peer, err = readPeer(o, "kick", "peer"); err != nil {
		return nil, err
	}
	if o.Has("identity") {
		if err := o.Read("identity", &op.Identity); err != nil {
			return nil, contract.Errorf(contract.CodeBadFrame, "kick: %v", err)
		}
		if _, err := contract.ParseID(op.Identity); err != nil {
			return nil, contract.Errorf(contract.CodeBadID, "kick: identity: %v", err)
		}
	}
	return s.moderate(ctx, c, op)
}

func (s *service) handleLock(ctx context.Context, _ http.ResponseWriter, c call) (any, error) {
	return s.moderate(ctx, c, contract.RoomOp{Kind: contract.OpLock})
}

func (s *service) handleUnlock(ctx context.Context, _ http.ResponseWriter, c call) (any, error) {
	return s.moderate(ctx, c, contract.RoomOp{Kind: contract.OpUnlock})
}

func (s *service) handleClose(ctx context.Context, _ http.ResponseWriter, c call) (any, error) {
	return s.moderate(ctx, c, contract.RoomOp{Kind: contract.OpClose})
}

// moderate applies one operation that does nothing the second time.
func (s *service) moderate(ctx context.Context, c call, op contract.RoomOp) (any, error) {
	a, err := s.apply(ctx, c, op, false)
	if err != nil {
		return nil, err
	}
	if a.given.Revision == 0 || op.Kind == contract.OpLock && len(a.room.Members()) == 0 {
		return nil, notFound() // an empty room is never locked
	}
	change := RoomChange{Revision: a.given.Revision}
	if op.Kind == contract.OpKick || op.Kind == contract.OpClose {
		change.Kicked = &a.given.Left
	}
	return change, nil
}

// apply has one operation committed by the committer that edges' requests have.
func (s *service) apply(ctx context.Context, c call, op contract.RoomOp, says bool) (*ask, error) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	op.Trace = telemetry.Traceparent(ctx)
	if trace := c.Header.Get(telemetry.TraceparentName); op.Trace == "" && isTraceparent(trace) {
		op.Trace = trace // nobody traces here
	}
	ops := []contract.RoomOp{op}
	spans := startSpans(ctx, ops)
	a := &ask{
		change: contract.RoomChange{App: c.room.App, Room: c.room.Room, Ops: ops},
		bytes:  int64(len(op.Data)), says: says,
	}
	err := s.committer.do(ctx, a)
	if err != nil {
		spans.end(nil, outcomeError)
		return nil, err
	}
	reply := &contract.RoomChanged{Revision: a.given.Revision, Results: a.given.Results}
	spans.end(reply, outcomeDone)
	countOperations(&a.change, reply)
	for _, result := range a.given.Results {
		if result.Code != "" {
			return nil, &contract.Error{Code: result.Code, Message: result.Message}
		}
	}
	return a, nil
}

// readObject reads the JSON object of a call.
func readObject(w http.ResponseWriter, c call, what string, most int) (object.Object, error) {
	if !backend.IsJSON(c.Header) {
		return nil, contract.Errorf(contract.CodeBadFrame, "%s: the Content-Type must be application/json, without a Content-Encoding", what)
	}
	body, err := backend.Body(w, c.Request, what, most)
	if err != nil {
		return nil, err
	}
	o, err := object.Parse(body)
	if err != nil {
		return nil, contract.Errorf(contract.CodeBadJSON, "%s: %v", what, err)
	}
	return o, nil
}

// readPeer reads the id of a peer, zero if the object has none. The empty text
// is no id, and never means everyone.
func readPeer(o object.Object, what, name string) (contract.Token, error) {
	if !o.Has(name) {
		return contract.Token{}, nil
	}
	var text string
	if err := o.Read(name, &text); err != nil {
		return contract.Token{}, contract.Errorf(contract.CodeBadFrame, "%s: %v", what, err)
	}
	peer, err := contract.ParseToken(text)
	if err != nil {
		return contract.Token{}, contract.Errorf(contract.CodeBadID, "%s: %s must be the id of a peer, as the room shows it", what, name)
	}
	return peer, nil
}
