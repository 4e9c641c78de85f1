package roomsvc

import (
	"context"
	"net/http"

	"github.com/parley-rtc/parley/services/contract"
)

// handleMessage sends what a backend says to one member or to all. The answer
// comes when it is in the log of every edge of the room.
func (s *service) handleMessage(ctx context.Context, w http.ResponseWriter, c call) (any, error) {
	o, err := readObject(w, c, "message", s.cfg.MessageBytes)
	if err != nil {
		return nil, err
	}
	op := contract.RoomOp{Kind: contract.OpMessage, Data: o["data"]}
	if !o.Has("data") {
		return nil, contract.Errorf(contract.CodeBadFrame, "message: data is missing; it may be any JSON")
	}
	if op.Peer, err = readPeer(o, "message", "to"); err != nil {
		return nil, err
	}
	if o.Has("id") {
		if err := o.Read("id", &op.ID); err != nil {
			return nil, contract.Errorf(contract.CodeBadFrame, "message: %v", err)
		}
		if op.ID == "" || len(op.ID) > contract.MaxNameField {
			return nil, contract.Errorf(contract.CodeBadFrame, "message: id must be 1 to %d bytes", contract.MaxNameField)
		}
	}
	a, err := s.apply(ctx, c, op, true)
	if err != nil {
		return nil, err
	}
	return RoomChange{Revision: a.given.Revision}, nil
}
