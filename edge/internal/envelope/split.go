package envelope

import (
	"strconv"

	"github.com/parley-rtc/parley/services/contract"
)

// partDigits is room for each of the two numbers of a part.
const partDigits = 7

// Split cuts the text of a frame into the texts of `part` frames with the given
// id, each at most partBytes long as it stands on the wire. Cuts are at code
// points. A text of at most partBytes comes back as it is, alone. partBytes
// must be at least 1 KiB, as contract.Limits.Validate has it, and id at most
// contract.MaxPartIDBytes long.
func Split(text []byte, partBytes int, id string) [][]byte {
	if len(text) <= partBytes {
		return [][]byte{text}
	}
	head := appendQuoted([]byte(`{"type":"`+contract.TypePart+`","id":`), id)
	overhead := len(head) + len(`,"index":`) + partDigits + len(`,"of":`) + partDigits + len(`,"chunk":""}`)
	cuts := cut(text, partBytes-overhead)
	parts := make([][]byte, 0, len(cuts))
	start := 0
	for i, end := range cuts {
		part := append(make([]byte, 0, partBytes), head...)
		part = append(part, `,"index":`...)
		part = strconv.AppendInt(part, int64(i), 10)
		part = append(part, `,"of":`...)
		part = strconv.AppendInt(part, int64(len(cuts)), 10)
		part = append(part, `,"chunk":`...)
		part = appendQuoted(part, text[start:end])
		parts = append(parts, append(part, '}'))
		start = end
	}
	return parts
}

// cut returns where the chunks of text end that take at most room bytes as the
// inside of a JSON string, but hold at least one code point.
func cut(text []byte, room int) []int {
	var ends []int
	used, start := 0, 0
	for i := 0; i < len(text); {
		quoted, size := quotedSize(text[i:])
		if used+quoted > room && i > start {
			ends = append(ends, i)
			used, start = 0, i
		}
		used += quoted
		i += size
	}
	return append(ends, len(text))
}
