package edge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/edge/internal/conn"
	"github.com/parley-rtc/parley/edge/internal/roster"
	"github.com/parley-rtc/parley/services/contract"
)

// replay reads the log from the client's cursors on and gives it what it may
// have missed; then the client hears live signals again. What it had already
// comes twice, and its watermarks drop it; nothing is skipped.
func (s *clientSession) replay(ctx context.Context, c *conn.Conn, hello *contract.Hello) {
	from, err := s.replayStart(ctx, hello)
	p := &replayer{s: s, c: c, from: from, changed: map[*membership]bool{}}
	for err == nil {
		var behind bool
		if behind, err = p.catchUp(ctx); err == nil && !behind && p.finish() {
			return
		}
	}
	if errors.Is(err, conn.ErrClosed) {
		return // the client is gone again; its next connection gets a replay of its own
	}
	slog.WarnContext(ctx, "a replay failed; its connection is closed to try again", "session", s.id, "error", err)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == c {
		s.drop(contract.CloseTryLater, "what you missed can't be read now; come back")
	}
}

// replayStart is the lowest revision that one of the client's cursors stands
// at. A room that the client doesn't name, or whose cursor is of another log or
// too old, gets a gap and its roster anew.
func (s *clientSession) replayStart(ctx context.Context, hello *contract.Hello) (uint64, error) {
	e := s.e
	start := e.reader.position.Load()
	log, err := e.bounds(ctx, e.id)
	if err != nil {
		return 0, err
	}
	s.tellLost(hello)
	for _, m := range s.memberships() {
		known, ok := hello.Rooms[m.roomName]
		cursor, err := contract.ParseCursor(known.Cursor)
		switch {
		case !ok || known.Peer != m.peerText:
			m.tellJoined()
		case err != nil || cursor.Edge != e.id || cursor.Epoch != e.log.Epoch(e.id):
			m.tellJoined()
			m.tellGap(contract.Token{}, gapLog)
		default:
			if cursor.Revision+1 < log.first {
				m.tellJoined()
				m.tellGap(contract.Token{}, gapOld)
			}
			start = min(start, cursor.Revision)
		}
	}
	return start, nil
}

// tellGap tells that something can't be replayed, of one peer or, if that is zero, of
// all.
func (m *membership) tellGap(from contract.Token, reason string) {
	gaps.Inc()
	m.s.sendAny(marshal(contract.Gap{Type: contract.TypeGap, Room: m.roomName, From: from, Reason: reason}))
}

// tellLost tells of the rooms of a hello that the session isn't in any more.
func (s *clientSession) tellLost(hello *contract.Hello) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name := range hello.Rooms {
		if s.rooms[name] == nil {
			s.tellLeft(name)
		}
	}
}

// tellJoined sends the room as it is now, if the member is in.
func (m *membership) tellJoined() {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	m.sendSnapshot()
}

// sendSnapshot is tellJoined for who holds room.mu.
func (m *membership) sendSnapshot() {
	if self := m.r.roster.Get(m.peer); self != nil && m.epoch != 0 {
		frame := m.snapshot(self)
		m.known = m.r.roster.Revision()
		m.s.mu.Lock()
		m.s.sendPaced(frame)
		m.s.mu.Unlock()
	}
}

// sendAny gives a text to the client whether it is replaying or not.
func (s *clientSession) sendAny(text []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.send(text)
}

// replayer brings one connection up to date.
type replayer struct {
	s    *clientSession
	c    *conn.Conn
	from uint64 // everything at or under it was replayed
	buf  []byte

	changed map[*membership]bool // whose rooms had events
}

// catchUp replays up to the reader's position as it is now, and reports whether
// that has moved on meanwhile. It reads entry by entry, since a consumer for
// each resume would be state that NATS has to keep and forget.
func (p *replayer) catchUp(ctx context.Context) (behind bool, err error) {
	e := p.s.e
	filter := contract.SignalsFor(e.log.Shard(e.id), e.id)
	for until := e.reader.position.Load(); p.from < until; {
		msg, err := p.next(ctx, filter)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			p.from = until
			continue
		case err != nil:
			return false, fmt.Errorf("replay: %w", err)
		case msg.Sequence > until:
			p.from = until
			continue
		}
		if err := p.entry(ctx, msg.Sequence, msg.Data); err != nil {
			return false, err
		}
		p.from = msg.Sequence
	}
	return e.reader.position.Load() > p.from, nil
}

// next reads the first entry after p.from from the log's leader.
func (p *replayer) next(ctx context.Context, filter string) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	return p.s.e.log.Stream(p.s.e.id).GetMsg(ctx, p.from+1, jetstream.WithGetMsgSubject(filter))
}

// entry replays one entry. What can't be read is left out, as the reader does:
// otherwise the client would come back to it until the log forgets it.
func (p *replayer) entry(ctx context.Context, revision uint64, data []byte) error {
	o := origin{revision: revision, cursor: []byte(p.s.e.cursor(revision - 1))}
	var signal contract.Signal
	items, err := contract.ReadEntry(data)
	for more := true; err == nil && more; {
		if more, err = items.Next(); err != nil || !more || !items.IsSignal() {
			continue
		}
		if err = items.Signal(&signal); err != nil {
			continue
		}
		if err := p.signal(ctx, o, &signal); err != nil {
			return err
		}
	}
	if err != nil {
		entriesBad.Inc()
		slog.ErrorContext(ctx, "an entry can't be replayed to its end", "revision", revision, "error", err)
	}
	return nil
}

// signal gives one signal to the members of the session that it is for.
func (p *replayer) signal(ctx context.Context, o origin, s *contract.Signal) error {
	m := p.member(s)
	if m == nil {
		return nil
	}
	switch {
	case s.Kind == contract.KindEvent:
		return p.event(ctx, m, o, s)
	case s.Kind == contract.KindPresence:
		return p.presence(ctx, m, s)
	case len(s.To) > 0 && string(s.To) != m.peerText, string(s.From) == m.peerText:
		return nil
	case s.Kind.Type() == "":
		return nil
	}
	m.r.mu.Lock()
	counts := m.epoch != 0 && (len(s.To) > 0 || m.epoch <= s.Revision)
	if counts {
		m.marks.Pass(s.From, s.Seq)
	}
	m.r.mu.Unlock()
	if !counts {
		return nil
	}
	m.r.mu.Lock()
	p.buf = m.relayed(p.buf[:0], o, s)
	m.r.mu.Unlock()
	replayed.Inc()
	return p.c.SendPaced(ctx, p.buf)
}

// member is the session's membership in the signal's room, or nil.
func (p *replayer) member(s *contract.Signal) *membership {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	for _, m := range p.s.rooms {
		if m.r.id.String() == string(s.Room) && m.r.app.String() == string(s.App) {
			return m
		}
	}
	return nil
}

// event repeats the changes of one commit as a client hears of them.
func (p *replayer) event(ctx context.Context, m *membership, o origin, s *contract.Signal) error {
	var events contract.RoomEvents
	if err := json.Unmarshal(s.Body, &events); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	for i := range events.Events {
		if events.Events[i].Kind != contract.EventMessage {
			p.changed[m] = true
		}
		if text := m.eventFrame(o, &events.Events[i]); text != nil {
			if err := p.c.SendPaced(ctx, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// eventFrame is what the member hears of an event, nil for nothing. Of a member
// that is still in, it hears the newest presence.
func (m *membership) eventFrame(o origin, e *contract.RoomEvent) []byte {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	self := m.r.roster.Get(m.peer)
	switch {
	case self == nil:
		return nil
	case e.Kind == contract.EventMessage:
		if !m.isFor(e) {
			return nil
		}
		m.marks.Pass(nil, e.Revision) // as the reader does, so that it doesn't come again
		return m.messageFrame(nil, o, e)
	case e.Kind == contract.EventJoined && e.Member != nil && e.Member.Peer != m.peer:
		other := m.r.roster.Get(e.Member.Peer)
		if other == nil { // it has left again; its signals still follow
			other = &roster.Member{Member: *e.Member, Presence: e.Presence, Version: 1, State: contract.StateHere}
		}
		return marshal(contract.PeerJoined{
			Type: contract.TypePeerJoined, Room: m.roomName, Revision: e.Revision, Peer: other.View(&self.Member),
		})
	case e.Kind == contract.EventLeft && e.Peer != m.peer:
		return marshal(contract.PeerLeft{
			Type: contract.TypePeerLeft, Room: m.roomName, Revision: e.Revision, Peer: e.Peer, Reason: e.Reason,
		})
	default:
		return nil
	}
}

func (p *replayer) presence(ctx context.Context, m *membership, s *contract.Signal) error {
	var update contract.PeerUpdate
	if err := json.Unmarshal(s.Body, &update); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	if update.Peer == m.peer {
		return nil
	}
	update.Incarnation, update.Began, update.Acked = 0, 0, 0 // are for edges
	return p.c.SendPaced(ctx, marshal(contract.PeerUpdated{Type: contract.TypePeerUpdated, Room: m.roomName, Peer: update}))
}

// finish makes the client live if the replay stands where the reader does, and
// tells it what is settled.
func (p *replayer) finish() bool {
	r := p.s.e.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.position.Load() > p.from {
		return false
	}
	// Two roomsvcs write on two links: their events can stand in the log in
	// another order than their revisions. The roster as it is settles that.
	for m := range p.changed {
		m.tellJoined()
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.s.conn == p.c {
		p.s.replaying = false
		p.s.sendAcked()
	}
	return true
}
