package room

import (
	"slices"

	"github.com/parley-rtc/parley/services/contract"
)

// op applies one operation and returns why it is refused, "" if it isn't. What
// is so already is done, without an event.
func (d *draft) op(edge contract.Token, op *contract.RoomOp) contract.Code {
	switch op.Kind {
	case contract.OpJoin:
		return d.join(edge, op)
	case contract.OpLeave:
		d.leave(op.Peer, op.Reason, op.Trace)
	case contract.OpKick:
		d.kick(op)
	case contract.OpLock:
		d.lock(true, op.Trace)
	case contract.OpUnlock:
		d.lock(false, op.Trace)
	case contract.OpClose:
		for _, m := range slices.Clone(d.doc.Members) {
			if !m.Peer.IsZero() {
				d.leave(m.Peer, contract.ReasonClosed, op.Trace)
			}
		}
	case contract.OpMessage:
		return d.message(op)
	default:
		return contract.CodeBadFrame
	}
	return ""
}

// kick puts a peer out, or all of an identity's.
func (d *draft) kick(op *contract.RoomOp) {
	if !op.Peer.IsZero() {
		d.leave(op.Peer, contract.ReasonKicked, op.Trace)
		return
	}
	for _, twin := range slices.Clone(d.twins[op.Identity]) {
		d.leave(twin, contract.ReasonKicked, op.Trace)
	}
}

// message sends what a backend says to one member or to all.
func (d *draft) message(op *contract.RoomOp) contract.Code {
	if len(d.at) == 0 {
		return contract.CodeRoomNotFound
	}
	if _, in := d.at[op.Peer]; !in && !op.Peer.IsZero() {
		return contract.CodePeerGone
	}
	d.event(contract.RoomEvent{Kind: contract.EventMessage, To: op.Peer, ID: op.ID, Data: op.Data, Trace: op.Trace})
	return ""
}

func (d *draft) join(edge contract.Token, op *contract.RoomOp) contract.Code {
	// A peer id is never used again: one that left has joined before, in a
	// request that was forgotten since.
	if d.wasIn(op.Peer) {
		return ""
	}
	if d.doc.Locked {
		return contract.CodeRoomLocked
	}
	twins := slices.Clone(d.twins[op.Identity])
	switch d.rules.Duplicates {
	case contract.DuplicateReject:
		if len(twins) > 0 {
			return contract.CodeIdentityTaken
		}
	case contract.DuplicateAllow:
		twins = nil
	case contract.DuplicateReplace:
	}
	m := contract.Member{
		Peer: op.Peer, Identity: op.Identity, Edge: edge, Capabilities: op.Capabilities,
		Epoch: d.doc.Revision + uint64(len(twins)) + 1,
	}
	if len(d.at)-len(twins) >= d.rules.Capacity || !d.fits(&m, twins) {
		return contract.CodeRoomFull
	}
	for _, twin := range twins {
		d.leave(twin, contract.ReasonReplaced, op.Trace)
	}
	d.doc.Members = append(d.doc.Members, m)
	d.count(&m, len(d.doc.Members)-1)
	d.event(contract.RoomEvent{Kind: contract.EventJoined, Member: &m, Presence: op.Presence, Trace: op.Trace})
	return ""
}

func (d *draft) leave(peer contract.Token, reason contract.LeaveReason, trace string) {
	i, in := d.at[peer]
	if !in {
		return
	}
	if reason == "" {
		reason = contract.ReasonLeft
	}
	d.uncount(i)
	d.event(contract.RoomEvent{Kind: contract.EventLeft, Peer: peer, Reason: reason, Trace: trace})
	d.doc.Departures = append(d.doc.Departures, contract.Departure{Peer: peer, Revision: d.doc.Revision, Reason: reason})
	if len(d.at) == 0 {
		d.lock(false, trace)
	}
}

// lock locks or unlocks the room. An empty room is never locked: nobody could
// join, and only a member could unlock it.
func (d *draft) lock(locked bool, trace string) {
	if d.doc.Locked == locked || locked && len(d.at) == 0 {
		return
	}
	d.doc.Locked = locked
	kind := contract.EventUnlocked
	if locked {
		kind = contract.EventLocked
	}
	d.event(contract.RoomEvent{Kind: kind, Trace: trace})
}

func (d *draft) event(e contract.RoomEvent) {
	d.doc.Revision++
	e.Revision = d.doc.Revision
	d.events = append(d.events, e)
}

// result is what the asker hears of an operation.
func result(code contract.Code) contract.OpResult {
	switch code {
	case "":
		return contract.OpResult{}
	case contract.CodeRoomFull:
		return contract.OpResult{Code: code, Message: "the room is full: try again when someone has left, or raise the capacity of its app"}
	case contract.CodeRoomLocked:
		return contract.OpResult{Code: code, Message: "the room is locked: try again when a moderator has unlocked it"}
	case contract.CodeIdentityTaken:
		return contract.OpResult{Code: code, Message: "this identity is in the room: leave there first, or take another identity"}
	case contract.CodeRoomNotFound:
		return contract.OpResult{Code: code, Message: "nobody is in a room of this name"}
	case contract.CodePeerGone:
		return contract.OpResult{Code: code, Message: "this peer isn't in the room, or not any more"}
	case contract.CodeUnavailable:
		return contract.OpResult{Code: code, Message: "the join was refused and its reason is forgotten: try again"}
	default:
		return contract.OpResult{Code: code, Message: "this operation is not known here: update roomsvc"}
	}
}
