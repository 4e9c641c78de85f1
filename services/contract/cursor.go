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
	App      Token  // of the room: what another edge needs to find the member's record; zero in old cursors
}

// Append adds the cursor's text to dst.
func (c Cursor) Append(dst []byte) []byte {
	dst = append(dst, c.Edge.text...)
	dst = append(dst, '.')
	dst = strconv.AppendUint(dst, c.Epoch, 36)
	dst = append(dst, '.')
	dst = strconv.AppendUint(dst, c.Revision, 36)
	return AppendCursorApp(dst, c.App)
}

// AppendCursorApp adds the app to the text of a cursor without one, so that one
// text serves the rooms of many apps.
func AppendCursorApp(dst []byte, app Token) []byte {
	if app.IsZero() {
		return dst
	}
	dst = append(dst, '.')
	return append(dst, app.text...)
}

// String is the cursor's text.
func (c Cursor) String() string { return string(c.Append(nil)) }

// ParseCursor reads the text of a cursor.
func ParseCursor(text string) (Cursor, error) {
	parts := strings.Split(text, ".")
	var app Token
	var err error
	switch len(parts) {
	case 3:
	case 4:
		if app, err = ParseToken(parts[3]); err != nil {
			return Cursor{}, ErrBadCursor
		}
	default:
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
	return Cursor{edge, epoch, revision, app}, nil
}
