package room

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/parley-rtc/parley/services/contract"
)

// Body is the body of one event signal.
type Body struct {
	Revision uint64 // the room's after it
	Trace    string // of its first event that has one
	JSON     []byte // contract.RoomEvents
}

// Bodies cuts the events of one commit into bodies of at most limit bytes each
// (a single event may be larger), each of which begins where the one before
// ends, so that together they do what one would.
func Bodies(base uint64, events []contract.RoomEvent, limit int) ([]Body, error) {
	var bodies []Body
	var buf bytes.Buffer
	var trace string
	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)
	open := func() { buf.WriteString(`{"base":` + strconv.FormatUint(base, 10) + `,"events":[`) }
	closeAt := func(revision uint64) {
		buf.WriteString(`],"revision":` + strconv.FormatUint(revision, 10) + `}`)
		bodies = append(bodies, Body{revision, trace, bytes.Clone(buf.Bytes())})
		buf.Reset()
		base, trace = revision, ""
	}
	for i := range events {
		start := buf.Len()
		if start == 0 {
			open()
		} else {
			buf.WriteByte(',')
		}
		at := buf.Len()
		if err := encoder.Encode(&events[i]); err != nil {
			return nil, fmt.Errorf("encode room event: %w", err)
		}
		buf.Truncate(buf.Len() - 1) // the encoder's line end
		if start > 0 && buf.Len()+len(`],"revision":}`)+maxDigits > limit {
			event := bytes.Clone(buf.Bytes()[at:])
			buf.Truncate(start)
			closeAt(events[i-1].Revision)
			open()
			buf.Write(event)
		}
		trace = cmp.Or(trace, events[i].Trace)
	}
	if buf.Len() > 0 {
		closeAt(events[len(events)-1].Revision)
	}
	return bodies, nil
}

// Opening is the body for an edge that doesn't know the room yet: with the members
// after the body's events.
func (b Body) Opening(members []contract.Member) (Body, error) {
	encoded, err := json.Marshal(members)
	if err != nil {
		return Body{}, fmt.Errorf("encode members: %w", err)
	}
	b.JSON = slices.Concat(bytes.TrimSuffix(b.JSON, []byte("}")), []byte(`,"members":`), encoded, []byte("}"))
	return b, nil
}

// Notice is the body that only says that a revision exists.
func Notice(revision uint64) Body {
	text := strconv.FormatUint(revision, 10)
	return Body{revision, "", []byte(`{"base":` + text + `,"revision":` + text + `}`)}
}
