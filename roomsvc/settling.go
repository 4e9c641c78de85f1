package roomsvc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// settleAttempt bounds one question to another roomsvc, and settleBudget how
	// long a message waits for another one's before it is refused.
	settleAttempt = time.Second
	settleBudget  = 5 * time.Second
	// settleWorkers is how many questions are answered at the same time.
	settleWorkers = 16
)

// settling keeps the messages of backends in the order of their revisions in
// every edge's log: clients drop a message under the highest that they have
// seen. Within one process the links do it; so before a roomsvc commits a
// message over that of another one, it asks that one whether it has sent it.
type settling struct {
	self contract.Token
	nc   *nats.Conn

	mu    sync.Mutex
	rooms map[room.Ref]map[*saying]struct{} // from before the write until all logs have it
}

// saying is a commit with messages that is under way; nil is one without.
type saying struct {
	set  *settling
	ref  room.Ref
	over chan struct{}
	kept bool // announce ends it
}

func newSettling(self contract.Token, nc *nats.Conn) *settling {
	return &settling{self: self, nc: nc, rooms: map[room.Ref]map[*saying]struct{}{}}
}

func (s *settling) begin(ref room.Ref, says bool) *saying {
	if !says {
		return nil
	}
	one := &saying{set: s, ref: ref, over: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rooms[ref] == nil {
		s.rooms[ref] = map[*saying]struct{}{}
	}
	s.rooms[ref][one] = struct{}{}
	return one
}

// keep leaves the end to whoever waits for the announcement.
func (y *saying) keep() {
	if y != nil {
		y.kept = true
	}
}

// release ends what wasn't kept.
func (y *saying) release() {
	if y != nil && !y.kept {
		y.end()
	}
}

func (y *saying) end() {
	if y == nil {
		return
	}
	y.set.mu.Lock()
	defer y.set.mu.Unlock()
	delete(y.set.rooms[y.ref], y)
	if len(y.set.rooms[y.ref]) == 0 {
		delete(y.set.rooms, y.ref)
	}
	close(y.over)
}

// wait returns when all messages are in the logs whose commits had begun before.
func (s *settling) wait(ctx context.Context, ref room.Ref) error {
	s.mu.Lock()
	var all []chan struct{}
	for one := range s.rooms[ref] {
		all = append(all, one.over)
	}
	s.mu.Unlock()
	for _, over := range all {
		select {
		case <-over:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// serve answers contract.SettledSubject until ctx ends and then until no commit can
// be under way any more: who asks takes silence for a process that is gone, with all
// that it hadn't sent.
func (s *settling) serve(ctx context.Context, over <-chan struct{}) error {
	server, err := bus.Serve(ctx, s.nc, contract.SettledSubject(s.self), contract.QueueRooms, settleWorkers, s.handle)
	if err != nil {
		return err
	}
	<-ctx.Done()
	<-over
	server.Close()
	return ctx.Err()
}

func (s *settling) handle(ctx context.Context, m *nats.Msg) {
	ref, err := room.ParseKey(string(m.Data))
	if err != nil || m.Reply == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, settleAttempt)
	defer cancel()
	if s.wait(ctx, ref) != nil {
		return // it asks again
	}
	if err := m.Respond(nil); err != nil {
		slog.DebugContext(ctx, "answer that messages are settled failed", "error", err)
	}
}

// ask returns when the other roomsvc has settled its messages of a room, or is
// gone, and with it those that it hadn't sent.
func (s *settling) ask(ctx context.Context, ref room.Ref, other contract.Token) error {
	ctx, cancel := context.WithTimeout(ctx, settleBudget)
	defer cancel()
	for ctx.Err() == nil {
		attempt, stop := context.WithTimeout(ctx, settleAttempt)
		_, err := s.nc.RequestWithContext(attempt, contract.SettledSubject(other), []byte(ref.Key()))
		stop()
		if err == nil || errors.Is(err, nats.ErrNoResponders) {
			return nil
		}
	}
	return fmt.Errorf("ask %s whether its messages are settled: %w", other, ctx.Err())
}

// afterOthers lets the messages of a group come after another roomsvc's. If that
// one doesn't answer they are refused, and the rest of the group goes on; with
// an earlier try of unknown outcome nothing may be refused, so that it fails.
func (c *committer) afterOthers(ctx context.Context, ref room.Ref, state room.State, group []*ask, last *try) ([]*ask, error) {
	if !says(group) {
		return group, nil
	}
	speaker := state.Speaker()
	if speaker.IsZero() || speaker == c.announcer.self {
		return group, nil
	}
	err := c.settling.ask(ctx, ref, speaker)
	if err == nil || last != nil {
		return group, err
	}
	slog.WarnContext(ctx, "messages are refused", "room", ref.String(), "error", err)
	return slices.DeleteFunc(slices.Clone(group), func(a *ask) bool {
		if a.says {
			a.answer(errorReply(unavailable("an earlier message of the room isn't delivered yet: try again")), outcomeError)
		}
		return a.says
	}), nil
}
