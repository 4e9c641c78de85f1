//go:build linux

package driver

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/gobwas/ws"
)

// frame handles one frame of the server.
func (l *loop) frame(c *conn, op ws.OpCode, payload []byte) {
	switch op {
	case ws.OpText:
		l.receive(c, payload)
	case ws.OpPing:
		l.send(c, appendFrame(nil, ws.OpPong, newMask(), func(dst []byte) []byte { return append(dst, payload...) }))
	case ws.OpPong:
	case ws.OpClose:
		why := "without a code"
		if len(payload) >= 2 {
			why = fmt.Sprintf("with %d %q", binary.BigEndian.Uint16(payload), payload[2:])
		}
		l.drop(c, fmt.Errorf("the server closed it %s", why))
	default:
		l.drop(c, fmt.Errorf("a frame with opcode %d", op))
	}
}

// text sends one text.
func (l *loop) text(c *conn, text []byte) {
	l.send(c, appendFrame(nil, ws.OpText, newMask(), func(dst []byte) []byte { return append(dst, text...) }))
}

// newMask is never zero, since some servers have less to do for that.
func newMask() (mask [4]byte) {
	binary.LittleEndian.PutUint32(mask[:], rand.Uint32()|1)
	return mask
}
