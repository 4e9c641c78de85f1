package roomsvc

import (
	"errors"
	"slices"
	"sync"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// maxEventsBytes is the most that one event signal carries, unless a single
// event is larger. An entry of the log holds several.
const maxEventsBytes = 128 << 10

// errQueueFull is a link to an edge on which too much waits.
var errQueueFull = errors.New("link queue is full")

// announcer sends the events of a room to the edges that have members in it.
type announcer struct {
	self  contract.Token
	links *link.Links
	tell  func(edge contract.Token, ref room.Ref, revision uint64)
}

// letter is what one edge is to hear, in order.
type letter struct {
	edge   contract.Token
	bodies []room.Body
}

// maxOpening is up to how many members a commit brings the room to an edge that
// had none there. It needn't read the document then; of a large room the records
// that it reads anyway cost more.
const maxOpening = 16

// letters are what the edges are to hear of a try; knew are those that had
// members in the room before it.
func letters(t *try, bodies []room.Body, edges, knew []contract.Token) []letter {
	opening := bodies
	if members := t.next.Members(); len(bodies) == 1 && len(t.out.Events) > 0 && len(members) <= maxOpening {
		if one, err := bodies[0].Opening(members); err == nil { // without it they read the document
			opening = []room.Body{one}
		}
	}
	all := make([]letter, 0, len(edges))
	for _, edge := range edges {
		if slices.Contains(knew, edge) {
			all = append(all, letter{edge, bodies})
		} else {
			all = append(all, letter{edge, opening})
		}
	}
	return all
}

// send queues every letter and returns what waits for them. It must be called
// from the room's own goroutine.
func (a *announcer) send(ref room.Ref, letters []letter) *sent {
	s := &sent{left: 1, done: make(chan struct{})}
	for _, l := range letters {
		s.left += len(l.bodies)
	}
	for _, l := range letters {
		for _, body := range l.bodies {
			signal := contract.Signal{
				Kind: contract.KindEvent, App: []byte(ref.App.String()), Room: []byte(ref.Room.String()),
				Revision: body.Revision, From: []byte(a.self.String()), Trace: []byte(body.Trace), Body: body.JSON,
			}
			w := &waiter{sent: s, announcer: a, edge: l.edge, ref: ref, revision: body.Revision}
			if !a.links.Send(l.edge, &signal, w) {
				w.settle(errQueueFull)
			}
		}
	}
	s.settle(nil)
	return s
}

// close ends the links; what is unsettled fails.
func (a *announcer) close() { a.links.Close() }

// waiter waits for one signal. An edge that may have missed it is told the
// revision, so that it finds out within a second.
type waiter struct {
	*sent
	announcer *announcer
	edge      contract.Token
	ref       room.Ref
	revision  uint64
}

// Settled implements link.Waiter.
func (w *waiter) Settled(_ uint64, o link.Outcome) { w.settle(o.Err) }

func (w *waiter) settle(err error) {
	announcements.WithLabelValues(announced(err)).Inc()
	if err != nil {
		w.announcer.tell(w.edge, w.ref, w.revision)
	}
	w.sent.settle(err)
}

// announced names an outcome as a metric's label.
func announced(err error) string {
	switch {
	case err == nil:
		return "committed"
	case errors.Is(err, errQueueFull):
		return "queue_full"
	case errors.Is(err, link.ErrFull):
		return "log_full"
	case errors.Is(err, link.ErrClosed):
		return "closed"
	default:
		return "unknown"
	}
}

// sent counts down the signals of one announcement.
type sent struct {
	done chan struct{}

	mu   sync.Mutex
	left int
	err  error // the first
}

func (s *sent) settle(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	if s.left--; s.left == 0 {
		close(s.done)
	}
}

// wait returns when every signal is settled, with the first error.
func (s *sent) wait() error {
	<-s.done
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
