package roomsvc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

// maxPresenceBytes bounds the presence of a join. Edges allow less; this keeps
// an event small enough for an entry of the log.
const maxPresenceBytes = 8 << 10

// traceparentBytes is the length of a W3C traceparent of version 00.
const traceparentBytes = 55

// handleChange answers contract.SubjectRoomChange. It returns before the answer
// is given: the request waits in its room's queue, not in a worker.
func (s *service) handleChange(ctx context.Context, m *nats.Msg) {
	begin := time.Now()
	if m.Reply == "" {
		refused.WithLabelValues(reasonNoReply).Inc()
		return
	}
	change, fault := parseChange(m.Data)
	if fault != nil {
		refused.WithLabelValues(string(fault.Code)).Inc()
		changeSeconds.WithLabelValues(outcomeError).Observe(time.Since(begin).Seconds())
		respond(m, errorReply(fault))
		return
	}
	spans := startSpans(ctx, change.Ops)
	s.committer.submit(&ask{ //nolint:contextcheck // a commit outlives the request that began it
		change: change,
		bytes:  int64(len(m.Data)),
		done: func(reply *contract.RoomChanged, outcome string) {
			changeSeconds.WithLabelValues(outcome).Observe(time.Since(begin).Seconds())
			spans.end(reply, outcome)
			if reply != nil {
				countOperations(&change, reply)
				respond(m, reply)
			}
		},
	})
}

func respond(m *nats.Msg, reply *contract.RoomChanged) {
	data, err := json.Marshal(reply)
	if err == nil {
		err = m.Respond(data)
	}
	if err != nil { // the asker repeats its request
		slog.Debug("answer to a room change failed", "error", err)
	}
}

func errorReply(e *contract.Error) *contract.RoomChanged {
	return &contract.RoomChanged{Error: &contract.WireError{Code: e.Code, Message: e.Message, RetryAfter: e.RetryAfter}}
}

func countOperations(change *contract.RoomChange, reply *contract.RoomChanged) {
	for i, result := range reply.Results {
		code := string(result.Code)
		if code == "" {
			code = outcomeDone
		}
		operations.WithLabelValues(string(change.Ops[i].Kind), code).Inc()
	}
}

// parseChange reads a request and checks all of it. Whatever passes can be
// applied.
func parseChange(data []byte) (contract.RoomChange, *contract.Error) {
	var change contract.RoomChange
	if err := json.Unmarshal(data, &change); err != nil {
		return change, jsonFault(err)
	}
	switch {
	case change.App.IsZero() || change.Room.IsZero() || change.Edge.IsZero():
		return change, contract.Errorf(contract.CodeBadID, "app, room and edge must be set")
	case change.N == 0:
		return change, contract.Errorf(contract.CodeBadFrame, "n must be at least 1, up by one with each request")
	case len(change.Ops) == 0:
		return change, contract.Errorf(contract.CodeBadFrame, "ops must have at least one operation")
	case len(change.Ops) > room.MaxOps:
		return change, contract.Errorf(contract.CodeTooLarge, "%d operations, at most %d are allowed", len(change.Ops), room.MaxOps)
	}
	joins := map[contract.Token]bool{}
	for i := range change.Ops {
		op := &change.Ops[i]
		if fault := checkOp(op); fault != nil {
			fault.Message = "operation " + string(op.Kind) + ": " + fault.Message
			return change, fault
		}
		if op.Kind == contract.OpJoin {
			if joins[op.Peer] {
				return change, contract.Errorf(contract.CodeBadFrame, "one peer joins twice in one request")
			}
			joins[op.Peer] = true
		}
	}
	return change, nil
}

// jsonFault says what is wrong without repeating the input.
func jsonFault(err error) *contract.Error {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.Is(err, contract.ErrBadID):
		return contract.Errorf(contract.CodeBadID, "%v", err)
	case errors.As(err, &wrong):
		return contract.Errorf(contract.CodeBadFrame, "a field is of the wrong type: want %s", wrong.Type)
	default:
		return contract.Errorf(contract.CodeBadJSON, "the request is not valid JSON")
	}
}

// checkOp checks one operation, and takes out what no event should carry on. A
// kind that isn't known is never named in the answer.
func checkOp(op *contract.RoomOp) *contract.Error {
	if !isTraceparent(op.Trace) {
		op.Trace = ""
	}
	if bytes.Equal(op.Presence, []byte("null")) {
		op.Presence = nil
	}
	switch op.Kind {
	case contract.OpJoin:
		if _, err := contract.ParseID(op.Identity); err != nil {
			return contract.Errorf(contract.CodeBadID, "identity: %v", err)
		}
		if len(op.Presence) > maxPresenceBytes {
			return contract.Errorf(contract.CodeTooLarge, "presence of %d bytes, at most %d are allowed", len(op.Presence), maxPresenceBytes)
		}
		return checkPeer(op)
	case contract.OpLeave:
		if op.Reason != "" && !knownReason(op.Reason) {
			return contract.Errorf(contract.CodeBadFrame, "reason is not one of a membership's end")
		}
		return checkPeer(op)
	case contract.OpKick:
		return checkPeer(op)
	case contract.OpLock, contract.OpUnlock, contract.OpClose:
		return nil
	default:
		op.Kind = "unknown"
		return contract.Errorf(contract.CodeBadFrame, "use one of join, leave, kick, lock, unlock, close")
	}
}

func checkPeer(op *contract.RoomOp) *contract.Error {
	if op.Peer.IsZero() {
		return contract.Errorf(contract.CodeBadID, "peer must be set")
	}
	return nil
}

func knownReason(r contract.LeaveReason) bool {
	switch r {
	case contract.ReasonLeft, contract.ReasonReplaced, contract.ReasonKicked,
		contract.ReasonClosed, contract.ReasonExpired, contract.ReasonRevoked:
		return true
	default:
		return false
	}
}

// isTraceparent reports whether a text has the form of a W3C traceparent; what
// its fields mean is for those who trace.
func isTraceparent(s string) bool {
	if len(s) != traceparentBytes {
		return false
	}
	for i := range len(s) {
		c := s[i]
		dash := i == 2 || i == 35 || i == 52
		if dash != (c == '-') || !dash && (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
