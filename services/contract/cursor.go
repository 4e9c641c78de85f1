package contract

import (
	"errors"
	"strconv"
	"strings"
)

// ErrBadCursor is returned for text that no edge sent as a cursor.
var ErrBadCursor = errors.New("bad cursor: send back the text of the last cursor as it came")

// Cursor is a position in the signals of one edge. Clients keep its text and
// never look inside.
type Cursor struct {
	Edge     Token
	Epoch    uint64 // of the log: its stream's creation, so that a new log is noticed
	Revision uint64 // everything at or under it was delivered or dropped
}

// Append adds the cursor's text to dst.
func (c Cursor) Append(dst []byte) []byte {
	dst = append(dst, c.Edge.text...)
	dst = append(dst, '.')
	dst = strconv.AppendUint(dst, c.Epoch, 36)
	dst = append(dst, '.')
	return strconv.AppendUint(dst, c.Revision, 36)
}

// String is the cursor's text.
func (c Cursor) String() string { return string(c.Append(nil)) }

// ParseCursor reads the text of a cursor.
func ParseCursor(text string) (Cursor, error) {
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return Cursor{}, ErrBadCursor
	}
	edge, err := ParseToken(parts[0])
	if err != nil {
		return Cursor{}, ErrBadCursor
	}
	epoch, err := strconv.ParseUint(parts[1], 36, 64)
	if err != nil {
		return Cursor{}, ErrBadCursor
	}
	revision, err := strconv.ParseUint(parts[2], 36, 64)
	if err != nil {
		return Cursor{}, ErrBadCursor
	}
	return Cursor{edge, epoch, revision}, nil
}
