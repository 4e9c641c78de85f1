package envelope

import (
	"fmt"

	"github.com/parley-rtc/parley/services/contract"
)

// maxTokenBytes bounds a room token as text.
const maxTokenBytes = 4 << 10

// maxResume is how many resume secrets a hello may carry: the one that was
// confirmed and the one proposed since.
const maxResume = 2

// maxFeatures is how many features a hello may name.
const maxFeatures = 32

func (r *Reader) hello() any {
	h := &contract.Hello{
		Type:    r.frame.Type,
		Next:    string(r.text("next")),
		Attempt: r.optionalInteger("attempt", 0, contract.MaxSeq),
		Acked:   r.optionalInteger("acked", 0, contract.MaxSeq),
		Trace:   string(r.frame.Trace),
	}
	if !is256(h.Next) {
		r.refuse(contract.CodeBadFrame, "next", "base64url of a SHA-256 is required: 43 characters, no padding")
	}
	r.list("resume", func(i int, v value) {
		if i >= maxResume || v.kind != kindText || !is256(string(r.bytes(v))) {
			r.refuse(contract.CodeBadFrame, "resume",
				fmt.Sprintf("a list of at most %d secrets is required, each 43 characters of base64url, no padding", maxResume))
			return
		}
		h.Resume = append(h.Resume, string(r.bytes(v)))
	})
	r.list("features", func(i int, v value) {
		if i >= maxFeatures || v.kind != kindText || v.end-v.start > contract.MaxNameField {
			r.refuse(contract.CodeBadFrame, "features",
				fmt.Sprintf("a list of at most %d short strings is required", maxFeatures))
			return
		}
		h.Features = append(h.Features, string(r.bytes(v)))
	})
	if c, ok := r.nested("client", false); ok {
		h.Client = contract.ClientInfo{Name: string(c.optionalLabel("name")), Version: string(c.optionalLabel("version"))}
	}
	h.Rooms = r.resumeRooms()
	return h
}

// resumeRooms reads what the client remembers of its rooms.
func (r *Reader) resumeRooms() map[string]contract.ResumeRoom {
	rooms, ok := r.nested("rooms", false)
	if !ok {
		return nil
	}
	if len(rooms.members) > r.limits.Rooms {
		r.refuse(contract.CodeTooManyRooms, "rooms",
			fmt.Sprintf("%d rooms, at most %d a connection are allowed", len(rooms.members), r.limits.Rooms))
		return nil
	}
	all := make(map[string]contract.ResumeRoom, len(rooms.members))
	for i, m := range rooms.members {
		r.checkID("rooms", m.key)
		if m.value.kind != kindObject {
			r.refuse(contract.CodeBadFrame, "rooms", "each value is an object {peer, cursor}")
			return nil
		}
		room := rooms.sub(m.value, "rooms", i)
		all[string(m.key)] = contract.ResumeRoom{Peer: string(room.peer("peer", true)), Cursor: string(room.optionalText("cursor"))}
	}
	return all
}

func (r *Reader) join() any {
	j := &contract.Join{
		Type:     r.frame.Type,
		Seq:      r.frame.Seq,
		Room:     string(r.room()),
		Token:    r.token(),
		Presence: r.optionalJSON("presence"),
		Trace:    string(r.frame.Trace),
	}
	r.checkPresence("presence", len(j.Presence))
	if c, ok := r.nested("capabilities", false); ok {
		j.Capabilities.Rollback = c.flag("rollback")
	}
	return j
}

// token is a room token; whether it verifies is for others to say.
func (r *Reader) token() string {
	s := string(r.text("token"))
	if len(s) > maxTokenBytes {
		r.refuse(contract.CodeTooLarge, "token", fmt.Sprintf("%d bytes, at most %d are allowed", len(s), maxTokenBytes))
		return ""
	}
	return s
}

func (r *Reader) checkPresence(name string, size int) {
	if size > r.limits.PresenceBytes {
		r.refuse(contract.CodeTooLarge, name,
			fmt.Sprintf("%d bytes of JSON, at most %d are allowed", size, r.limits.PresenceBytes))
	}
}

func (r *Reader) presence() any {
	p := &contract.SetPresence{
		Type:  r.frame.Type,
		Seq:   r.frame.Seq,
		Room:  string(r.room()),
		Data:  r.json("data"),
		Trace: string(r.frame.Trace),
	}
	r.checkPresence("data", len(p.Data))
	return p
}

func (r *Reader) moderate() any {
	m := &contract.Moderate{
		Type:   r.frame.Type,
		Seq:    r.frame.Seq,
		Room:   string(r.room()),
		Action: contract.Action(r.text("action")),
		Trace:  string(r.frame.Trace),
	}
	switch m.Action {
	case contract.ActionKick, contract.ActionLock, contract.ActionUnlock, contract.ActionClose:
	default:
		r.refuse(contract.CodeBadFrame, "action", "one of kick, lock, unlock, close is required")
	}
	m.Peer = string(r.peer("peer", m.Action == contract.ActionKick))
	return m
}

func (r *Reader) refresh() any {
	return &contract.Refresh{Type: r.frame.Type, Seq: r.frame.Seq, Room: string(r.room()), Token: r.token(), Trace: string(r.frame.Trace)}
}

func (r *Reader) leave() any {
	return &contract.Leave{Type: r.frame.Type, Seq: r.frame.Seq, Room: string(r.room()), Trace: string(r.frame.Trace)}
}

func (r *Reader) ping() any {
	return &contract.Ping{Type: r.frame.Type, T: r.optionalJSON("t")}
}

func (r *Reader) bye() any { return &contract.Bye{Type: r.frame.Type} }

// maxParts bounds `of`; a frame has at most one part a byte.
const maxParts = 1 << 20

func (r *Reader) part() any {
	p := &contract.Part{
		Type:  r.frame.Type,
		ID:    string(r.text("id")),
		Index: int(r.integer("index", 0, maxParts-1)),
		Of:    int(r.integer("of", 1, maxParts)),
		Chunk: string(r.text("chunk")),
	}
	if r.common.err == nil && (p.ID == "" || len(p.ID) > contract.MaxPartIDBytes) {
		r.refuse(contract.CodeBadFrame, "id", fmt.Sprintf("1 to %d bytes are required", contract.MaxPartIDBytes))
	}
	return p
}
