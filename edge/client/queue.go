package client

// hardFactor times the bounds of WithEventBuffer is what a room may hold while
// a call waits for its acknowledgement, which can't come unless the client
// goes on reading.
const hardFactor = 16

// queue holds the unread events of a room. It is a value without a lock.
type queue struct {
	events []queued
	bytes  int
}

type queued struct {
	event Event
	size  int
}

// full reports whether no event may be added under factor times the bounds.
func (q *queue) full(count, bytes, factor int) bool {
	return len(q.events) >= count*factor || q.bytes >= bytes*factor
}

func (q *queue) push(e Event, size int) {
	q.events = append(q.events, queued{e, size})
	q.bytes += size
}

func (q *queue) pop() (Event, bool) {
	if len(q.events) == 0 {
		return nil, false
	}
	first := q.events[0]
	q.events[0] = queued{}
	q.events = q.events[1:]
	q.bytes -= first.size
	return first.event, true
}
