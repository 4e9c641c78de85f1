package envelope

import (
	"strconv"

	"github.com/parley-rtc/parley/services/contract"
)

// Head is what a receiver is told about a signal besides its body.
type Head struct {
	Type   string         // contract.Kind.Type
	Room   string         // the room's name, not its token
	From   []byte         // the sending peer; empty: the app's backend, which has no epoch either
	Cursor []byte         // the text of a contract.Cursor, without the app
	App    contract.Token // of the room, for the cursor; zero: it is in Cursor
	Trace  []byte         // traceparent, may be empty
	Epoch  uint64         // of the sender
	Seq    uint64         // of the sender; of a backend the room revision that its message took
}

// AppendRelayed appends the text of the frame that a receiver of a signal gets:
// the members of head, then those of body, which must be a JSON object as
// AppendBody makes it. It allocates only what dst lacks.
func AppendRelayed(dst []byte, head Head, body []byte) []byte {
	dst = append(dst, `{"type":`...)
	dst = appendQuoted(dst, head.Type)
	dst = append(dst, `,"room":`...)
	dst = appendQuoted(dst, head.Room)
	if len(head.From) > 0 {
		dst = append(dst, `,"from":`...)
		dst = appendQuoted(dst, head.From)
		dst = append(dst, `,"epoch":`...)
		dst = strconv.AppendUint(dst, head.Epoch, 10)
	}
	dst = append(dst, `,"seq":`...)
	dst = strconv.AppendUint(dst, head.Seq, 10)
	dst = append(dst, `,"cursor":"`...)
	dst = append(dst, head.Cursor...) // tokens and digits need no escapes
	dst = contract.AppendCursorApp(dst, head.App)
	dst = append(dst, '"')
	if len(head.Trace) > 0 {
		dst = append(dst, `,"traceparent":`...)
		dst = appendQuoted(dst, head.Trace)
	}
	if len(body) <= len(`{}`) {
		return append(dst, '}')
	}
	dst = append(dst, ',')
	return append(dst, body[1:]...) // up to its own closing brace
}
