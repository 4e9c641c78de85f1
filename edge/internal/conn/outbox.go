package conn

import (
	"encoding/binary"
	"sync"

	"github.com/gobwas/ws"
)

// keepOutbox is the largest outbox that is used again.
const keepOutbox = 64 << 10

// outbox is what waits to be written. A connection has one only while something
// waits, or is being written.
type outbox struct {
	data    []byte // whole frames
	done    int    // bytes of them that are written
	tail    []byte // the text of the tail
	hasTail bool

	frames, bytes, paced int // what of the connection's counts is in data
}

var outboxes = sync.Pool{New: func() any { return new(outbox) }}

func newOutbox() *outbox {
	o, ok := outboxes.Get().(*outbox)
	if !ok {
		panic("conn: internal error: the pool holds something else")
	}
	return o
}

// release gives the outbox to the next connection that needs one.
func (o *outbox) release() {
	if cap(o.data)+cap(o.tail) > keepOutbox {
		return
	}
	*o = outbox{data: o.data[:0], tail: o.tail[:0]}
	outboxes.Put(o)
}

// frame appends a whole frame as a server sends it: final, unmasked (RFC 6455
// section 5.2).
func (o *outbox) frame(op ws.OpCode, payload []byte) { o.data = appendFrame(o.data, op, payload) }

// takeTail moves the tail behind the frames.
func (o *outbox) takeTail() {
	if o.hasTail {
		o.frame(ws.OpText, o.tail)
		o.tail, o.hasTail = o.tail[:0], false
	}
}

func appendFrame(dst []byte, op ws.OpCode, payload []byte) []byte {
	const final = 0x80
	dst = append(dst, final|byte(op))
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, byte(n))
	case n <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
	return append(dst, payload...)
}
