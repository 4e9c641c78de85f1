package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/parley-rtc/parley/services/contract"
)

// assembledFactor times limits.frameBytes is the most that the parts of one
// server frame may add up to: the roster of a full room with presence is
// larger than anything that a client may send.
const assembledFactor = 4

// partOverhead is the most that a part costs beside its chunk.
const partOverhead = 64 + contract.MaxPartIDBytes

// splitParts returns the messages that text travels as: itself if it is within
// limit bytes, otherwise parts of at most limit bytes each, cut at code points.
// The id must be new for the socket.
func splitParts(text []byte, limit int, id string) [][]byte {
	if len(text) <= limit {
		return [][]byte{text}
	}
	chunks := cutChunks(text, max(limit-partOverhead, 16))
	messages := make([][]byte, len(chunks))
	for i, chunk := range chunks {
		// Part holds texts and numbers only, so encoding can't fail.
		messages[i], _ = marshal(contract.Part{Type: contract.TypePart, ID: id, Index: i, Of: len(chunks), Chunk: string(chunk)})
	}
	return messages
}

// cutChunks cuts text so that each chunk has at most limit bytes once it is
// written as a JSON string.
func cutChunks(text []byte, limit int) [][]byte {
	var chunks [][]byte
	start, cost := 0, 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		c := escapedSize(r, size)
		if cost+c > limit && i > start {
			chunks = append(chunks, text[start:i])
			start, cost = i, 0
		}
		cost += c
		i += size
	}
	return append(chunks, text[start:])
}

// escapedSize is what a code point of size bytes takes in a JSON string.
func escapedSize(r rune, size int) int {
	switch {
	case r == '"' || r == '\\':
		return 2
	case r < 0x20 || r == '\u2028' || r == '\u2029' || r == utf8.RuneError:
		return 6
	default:
		return size
	}
}

// assembler puts the parts of one server frame together; frames in parts don't
// overlap. The zero value is ready.
type assembler struct {
	id       string
	next, of int
	text     []byte
}

// add takes a part and returns the whole frame once it is complete. The text
// is valid until the next call. An error leaves nothing behind.
func (a *assembler) add(p *contract.Part, limit int) ([]byte, error) {
	if p.Index == 0 {
		a.id, a.next, a.of, a.text = p.ID, 0, p.Of, a.text[:0]
	}
	switch {
	case p.ID == "" || len(p.ID) > contract.MaxPartIDBytes || p.ID != a.id:
		return nil, a.fail("id")
	case p.Of < 1 || p.Of != a.of || p.Index != a.next || p.Index >= p.Of:
		return nil, a.fail("order")
	case len(a.text)+len(p.Chunk) > limit:
		return nil, a.fail(strconv.Itoa(limit) + " bytes are the most")
	}
	a.text = append(a.text, p.Chunk...)
	a.next++
	if a.next < a.of {
		return nil, nil
	}
	a.id = ""
	return a.text, nil
}

func (a *assembler) fail(what string) error {
	*a = assembler{}
	return fmt.Errorf("part: %s", what)
}

// marshal encodes v without the escapes that only HTML needs: they would make
// three times as much of an SDP's angle brackets.
func marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
