package driver

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/gobwas/ws"
)

// maxFrame is more than any server of the bench sends.
const maxFrame = 1 << 20

var errFragment = errors.New("a message in fragments, or an extension, that wasn't asked for")

// appendFrame appends a masked frame with the payload that write appends.
func appendFrame(dst []byte, op ws.OpCode, mask [4]byte, write func(dst []byte) []byte) []byte {
	// Long enough for a length of 16 bits, which nearly all frames have.
	const header = 8
	start := len(dst)
	dst = append(dst, make([]byte, header)...)
	dst = write(dst)
	payload := len(dst) - start - header
	ws.Cipher(dst[start+header:], mask, 0)
	dst[start] = 0x80 | byte(op)
	switch {
	case payload < 126:
		dst[start+1] = 0x80 | byte(payload)
		copy(dst[start+2:], mask[:])
		copy(dst[start+6:], dst[start+header:])
		return dst[:len(dst)-2]
	case payload <= 0xffff:
		dst[start+1] = 0x80 | 126
		binary.BigEndian.PutUint16(dst[start+2:], uint16(payload))
		copy(dst[start+4:], mask[:])
		return dst
	}
	panic("driver: internal error: a frame of 64 KiB or more")
}

// cutFrame cuts the first frame of a server off. size is 0 if it isn't whole.
func cutFrame(from []byte) (op ws.OpCode, payload []byte, size int, err error) {
	if len(from) < 2 {
		return 0, nil, 0, nil
	}
	if from[0]&0xf0 != 0x80 || from[1]&0x80 != 0 {
		return 0, nil, 0, errFragment
	}
	header, length := 2, uint64(from[1])
	switch length {
	case 126:
		if header = 4; len(from) < header {
			return 0, nil, 0, nil
		}
		length = uint64(binary.BigEndian.Uint16(from[2:]))
	case 127:
		if header = 10; len(from) < header {
			return 0, nil, 0, nil
		}
		length = binary.BigEndian.Uint64(from[2:])
	}
	if length > maxFrame {
		return 0, nil, 0, fmt.Errorf("a message of %d bytes", length)
	}
	if size = header + int(length); len(from) < size {
		return 0, nil, 0, nil
	}
	return ws.OpCode(from[0] & 0x0f), from[header:size], size, nil
}
