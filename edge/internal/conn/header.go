package conn

import (
	"encoding/binary"

	"github.com/gobwas/ws"
)

// parseHeader reads the header of a frame (RFC 6455 section 5.2) if all of it is
// there; size is its length, 0 if more is needed.
func parseHeader(b []byte) (h ws.Header, size int, err error) {
	if len(b) < 2 {
		return ws.Header{}, 0, nil
	}
	size = 2
	switch length := b[1] & 0x7f; length {
	case 126:
		size += 2
	case 127:
		size += 8
	default:
		h.Length = int64(length)
	}
	h.Masked = b[1]&0x80 != 0
	if h.Masked {
		size += len(h.Mask)
	}
	if len(b) < size {
		return ws.Header{}, 0, nil
	}
	h.Fin, h.Rsv, h.OpCode = b[0]&0x80 != 0, b[0]&0x70>>4, ws.OpCode(b[0]&0x0f)
	switch b[1] & 0x7f {
	case 126:
		h.Length = int64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		length := binary.BigEndian.Uint64(b[2:])
		if length>>63 != 0 {
			return ws.Header{}, 0, ws.ErrHeaderLengthMSB
		}
		h.Length = int64(length)
	}
	if h.Masked {
		copy(h.Mask[:], b[size-len(h.Mask):])
	}
	return h, size, nil
}
