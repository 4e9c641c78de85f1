package client

import (
	"bytes"
	"strconv"

	"github.com/parley-rtc/parley/services/contract"
)

// outFrame is a frame with a seq on its way: waiting to be written, or written
// and waiting to be acknowledged.
type outFrame struct {
	kind       string
	head, tail []byte // the JSON before and after the seq
	pending    *Pending

	room *Room  // set when it is queued
	seq  uint64 // 0 until it is written for the first time
	told bool   // its caller knows the outcome; a resend must have no effect
	on   uint64 // the connection that brought the outcome, as in Stats.Connects
}

// finish tells the outcome to the frame's caller, once; the client's mutex is
// held.
func (f *outFrame) finish(err error) {
	if f.told {
		return
	}
	f.told = true
	if f.room != nil {
		f.on = f.room.c.stats.Connects
	}
	f.pending.finish(err)
}

// size is what the frame counts in the outbox.
func (f *outFrame) size() int { return len(f.head) + len(f.tail) }

// text is the frame as it is written.
func (f *outFrame) text() []byte {
	text := make([]byte, 0, f.size()+20)
	text = append(text, f.head...)
	text = strconv.AppendUint(text, f.seq, 10)
	return append(text, f.tail...)
}

// seqField is where a frame of package contract has its seq.
var seqField = []byte(`"seq":0`)

// newOutFrame encodes a client frame whose Seq is 0; the outbox gives it one.
func newOutFrame(kind string, frame any) (*outFrame, error) {
	text, err := marshal(frame)
	if err != nil {
		return nil, contract.Errorf(contract.CodeBadFrame, "%s: data can't be written as JSON: %v", kind, err)
	}
	// Type is a constant and comes first, so the first match is the field.
	at := bytes.Index(text, seqField) + len(seqField) - 1
	return &outFrame{kind: kind, head: text[:at], tail: text[at+1:], pending: newPending()}, nil
}

// outbox holds the frames that aren't acknowledged, in the order in which they
// are or will be numbered: first the written ones, by seq without holes, then
// the waiting ones. It is a value without a lock; the client's mutex guards it.
type outbox struct {
	maxFrames, maxBytes int

	frames  []*outFrame
	bytes   int    // of all frames
	written int    // how many of frames were written to this socket
	flying  int    // bytes of those
	last    uint64 // the last seq that was given
	acked   uint64 // the highest acknowledged
}

// add puts a frame at the end, or reports that there is no room for it.
func (o *outbox) add(f *outFrame) bool {
	if len(o.frames) >= o.maxFrames || o.bytes+f.size() > o.maxBytes {
		return false
	}
	o.frames = append(o.frames, f)
	o.bytes += f.size()
	return true
}

// withdraw takes out a frame that was never written and reports whether it was so.
func (o *outbox) withdraw(f *outFrame) bool {
	if f.seq != 0 {
		return false
	}
	for i, other := range o.frames {
		if other == f {
			o.frames = append(o.frames[:i], o.frames[i+1:]...)
			o.bytes -= f.size()
			return true
		}
	}
	return false
}

// peek returns the next frame to write, or nil if there is none or the edge
// already holds as many unacknowledged frames or bytes as it allows.
func (o *outbox) peek(frames, bytes int) *outFrame {
	if o.written >= len(o.frames) || o.written >= frames {
		return nil
	}
	f := o.frames[o.written]
	if o.written > 0 && o.flying+f.size() > bytes {
		return nil
	}
	return f
}

// take numbers the frame that peek returned and counts it as written.
func (o *outbox) take() *outFrame {
	f := o.frames[o.written]
	if f.seq == 0 {
		o.last++
		f.seq = o.last
	}
	o.written++
	o.flying += f.size()
	return f
}

// acknowledge settles all up to seq and returns them. A seq that was never
// written to this socket is cut down to the last one that was.
func (o *outbox) acknowledge(seq uint64) []*outFrame {
	n := 0
	for n < o.written && o.frames[n].seq <= seq {
		o.bytes -= o.frames[n].size()
		o.flying -= o.frames[n].size()
		n++
	}
	settled := append([]*outFrame(nil), o.frames[:n]...)
	if n > 0 {
		o.acked = settled[n-1].seq
	}
	clear(o.frames[:n])
	o.frames = o.frames[n:]
	o.written -= n
	return settled
}

// find returns the unacknowledged frame with that seq, or nil.
func (o *outbox) find(seq uint64) *outFrame {
	if o.written == 0 || seq < o.frames[0].seq {
		return nil
	}
	if at := seq - o.frames[0].seq; at < uint64(o.written) {
		return o.frames[at]
	}
	return nil
}

// rewind prepares for a new socket of the same session. The edge has the frames
// up to accepted and will settle them; all later ones go again, under their old
// seq. void names a room for frames that take the place of those whose caller
// knows the outcome: the seq must be used, and nothing may come of it. It
// returns how many frames go again.
func (o *outbox) rewind(accepted uint64, void string) int {
	o.written, o.flying = 0, 0
	o.last = max(o.last, accepted) // never give a seq that the edge takes for a repeat
	again := 0
	for _, f := range o.frames {
		switch {
		case f.seq == 0:
			return again
		case f.seq <= accepted:
			o.written++
			o.flying += f.size()
			continue
		}
		again++
		if f.told {
			nothing, _ := newOutFrame(contract.TypeLeave, contract.Leave{Type: contract.TypeLeave, Room: void})
			o.bytes += nothing.size() - f.size()
			f.kind, f.head, f.tail = nothing.kind, nothing.head, nothing.tail
		}
	}
	return again
}

// abandon starts a new session whose last seq is start. It returns the frames
// of the old one; joins that were never written stay, since they mean the same
// in any session.
func (o *outbox) abandon(start uint64) []*outFrame {
	var lost, kept []*outFrame
	o.bytes = 0
	for _, f := range o.frames {
		if f.kind == contract.TypeJoin && f.seq == 0 {
			kept = append(kept, f)
			o.bytes += f.size()
			continue
		}
		lost = append(lost, f)
	}
	o.frames, o.written, o.flying, o.last, o.acked = kept, 0, 0, start, start
	return lost
}
