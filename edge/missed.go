package edge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

// bring reads on in the logs of all members and gives them what is ready. It
// reports whether anything must still wait.
func (a *arrival) bring(ctx context.Context) (left bool, err error) {
	a.lookLate(ctx)
	for _, ar := range a.members {
		err := a.bringTo(ctx, ar)
		switch {
		case err == nil:
		case ar.first || !errors.Is(err, errUnread):
			return false, err
		default: // a client that came again would begin again, from an older cursor
			slog.DebugContext(ctx, "the logs of earlier places can't be read; trying again", "error", err)
		}
		left = left || !ar.isOver()
	}
	return left, nil
}

// errUnread is why a reading brought nothing.
var errUnread = errors.New("the logs can't be read")

// bringTo is bring for one member.
func (a *arrival) bringTo(ctx context.Context, ar *arriving) error {
	ends := a.ends(ar.m)
	v := a.view(ar, ends) // before the reading
	if ar.isOver() || !ar.news(v) {
		return nil
	}
	if ar.asks {
		// The own log is both older and newer than those of the edges in between.
		if err := a.s.e.readerReaches(ctx); err != nil {
			return fmt.Errorf("%w: %w", errUnread, err)
		}
		v = a.view(ar, ends) // who has answered since is news for the next reading
	}
	missed, err := a.read(ctx, ar)
	if errors.Is(err, errShelfFull) {
		ar.lacks(errShelfFull.Error())
		err = nil
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errUnread, err)
	}
	ar.edges, ar.senders, ar.read = v.edges, v.senders(), time.Now()
	ar.tellSilent(v)
	return a.tell(ctx, ar, missed, v)
}

// isOver reports whether the member has everything.
func (ar *arriving) isOver() bool { return !ar.first && len(ar.edges) == 0 }

// readAnew is how old the last reading may become: an entry can be committed long
// after its edge died, and the log keeps it for two minutes at least.
const readAnew = time.Minute

// news reports whether a reading may bring more than the last one.
func (ar *arriving) news(v *view) bool {
	return ar.first || !maps.Equal(ar.edges, v.edges) || !maps.Equal(ar.senders, v.senders()) || time.Since(ar.read) >= readAnew
}

// read returns what the logs have that the member hasn't heard.
func (a *arrival) read(ctx context.Context, ar *arriving) (missed []hold, err error) {
	e := a.s.e
	if err := a.bound(ctx, ar); err != nil {
		return nil, err
	}
	reached := make([]uint64, len(ar.logs))
	for i, one := range ar.logs {
		until := ar.until(one.edge)
		if reached[i] = one.after; one.after >= until {
			continue // what comes since is kept
		}
		var signals []hold
		if signals, reached[i], err = e.shelves.of(one.edge).read(ctx, ar.m.r.key, one.after, a.least(one.edge)); err != nil {
			return nil, err
		}
		for _, signal := range signals {
			if signal.origin.revision <= until && ar.m.isOne(&signal.signal) {
				if one.edge != e.id {
					signal.log = one.edge
				}
				missed = append(missed, signal)
			}
		}
		reached[i] = min(reached[i], until)
	}
	for i := range ar.logs {
		ar.logs[i].after = reached[i]
	}
	return missed, nil
}

// until is how far the log of an edge is read.
func (ar *arriving) until(edge contract.Token) uint64 {
	if edge == ar.m.r.e.id {
		return ar.b.until
	}
	return toHead
}

// bound compares where the readings begin with what the logs still have. Cursors
// could be made up by clients; later readings go on from the last ones.
func (a *arrival) bound(ctx context.Context, ar *arriving) error {
	for i := range ar.logs {
		one := &ar.logs[i]
		at, err := a.s.e.bounds(ctx, one.edge)
		if err != nil {
			return err
		}
		if ar.first {
			one.after = min(one.after, at.head)
		}
		reads := one.after < ar.until(one.edge)
		if ar.first {
			reads = one.edge == ar.b.client.Edge // of others it is read from the beginning
		}
		if reads && one.after > 0 && one.after+1 < at.first {
			ar.lacks(gapOld)
		}
	}
	return nil
}

// lacks notes why something is missing, which is told with the room or, if the client
// has that, at once.
func (ar *arriving) lacks(reason string) {
	if ar.first {
		ar.gap = reason
	} else {
		ar.tellOnce(contract.Token{}, reason)
	}
}

// isOne reports whether a signal concerns the member.
func (m *membership) isOne(s *contract.Signal) bool {
	return (len(s.To) == 0 || string(s.To) == m.peerText) && string(s.From) != m.peerText
}

// fewKept is how many signals that came meanwhile are sent while nothing else
// of the room goes on.
const fewKept = 64

// tell gives a member what it missed and what was kept for it meanwhile, and then
// has it hear the rest as it comes, but for those that must wait.
func (a *arrival) tell(ctx context.Context, ar *arriving, missed []hold, v *view) error {
	m := ar.m
	events, signals := sortMissed(missed)
	if ar.first {
		if err := a.tellRoom(ctx, ar, events); err != nil {
			return err
		}
	}
	for again := false; ; again = true {
		if err := m.r.awaitNoHeld(ctx); err != nil {
			return err
		}
		m.r.mu.Lock()
		if m.backlog != ar.b {
			m.r.mu.Unlock()
			return errArrivalOver
		}
		ready, waiting := v.part(append(signals, ar.b.take()...), m.r.find)
		ar.b.put(waiting)
		if again && len(ready) <= fewKept {
			a.release(ar, ready, v)
			m.r.mu.Unlock()
			return nil
		}
		m.r.mu.Unlock()
		for i := range ready {
			if frame := m.catchUpFrame(&ready[i], ar.first && !again); frame != nil {
				if err := a.c.SendPaced(ctx, frame); err != nil {
					return err
				}
			}
		}
		signals = nil
	}
}

// tellSilent says of whom something may be missing since their edges don't answer.
func (ar *arriving) tellSilent(v *view) {
	for _, peer := range v.silent {
		if from, err := contract.ParseToken(peer); err == nil {
			ar.tellOnce(from, gapSilent)
		}
	}
}

// tellOnce tells of a gap in what comes from a peer, or from anybody.
func (ar *arriving) tellOnce(from contract.Token, reason string) {
	if !slices.Contains(ar.told, from) {
		ar.told = append(ar.told, from)
		ar.m.tellGap(from, reason)
	}
}

// find tells where a peer is, or was; r.mu is held.
func (r *room) find(peer []byte) (spot, bool) {
	if m := r.roster.Find(peer); m != nil {
		return spot{place: m.Place, began: m.Began, acked: m.Acked}, true
	}
	p, left := r.roster.Left(peer)
	return spot{place: p.Edge, began: p.Began, acked: p.Acked, gone: true}, left
}

// awaitNoHeld waits, for a while, until no signal waits for the room's document.
func (r *room) awaitNoHeld(ctx context.Context) error {
	for end := time.Now().Add(readTimeout); ; {
		r.mu.Lock()
		held := len(r.held)
		r.mu.Unlock()
		if held == 0 || time.Now().After(end) {
			return ctx.Err()
		}
		pause(ctx, readerLook)
	}
}

// release has the member hear everything as it comes, but what must wait; room.mu
// is held.
func (a *arrival) release(ar *arriving, ready []hold, v *view) {
	m, b := ar.m, ar.b
	for i := range ready {
		if frame := m.missedFrame(&ready[i], false); frame != nil && a.c.SendExempt(frame) != nil {
			break // it is gone
		}
	}
	if b.missed || m.known < m.r.roster.Revision() {
		b.missed = false
		m.sendSnapshot()
	}
	b.flowing, b.edges, b.senders = true, v.edges, map[string]bool{}
	for i := range b.kept {
		b.senders[string(b.kept[i].signal.From)] = true
	}
	maps.Copy(b.senders, v.senders())
	ar.first = false
	if len(v.edges) == 0 {
		m.backlog = nil
	}
}

// tellRoom tells a member's client the changes that it missed, the room as it is
// now, and whether anything can't be told.
func (a *arrival) tellRoom(ctx context.Context, ar *arriving, events []contract.RoomEvent) error {
	m := ar.m
	for i := range events {
		if frame := m.eventFrame(origin{}, &events[i]); frame != nil {
			if err := a.c.SendPaced(ctx, frame); err != nil {
				return err
			}
		}
	}
	m.tellJoined()
	if ar.gap != "" {
		m.tellGap(contract.Token{}, ar.gap)
	}
	return nil
}

// sortMissed parts the changes of a room, by rising revision, from the signals.
func sortMissed(missed []hold) (events []contract.RoomEvent, signals []hold) {
	for _, one := range missed {
		switch s := &one.signal; {
		case s.Kind == contract.KindPresence: // the room as it is now shows it
		case s.Kind != contract.KindEvent:
			signals = append(signals, one)
		default:
			var some contract.RoomEvents
			if err := json.Unmarshal(s.Body, &some); err != nil {
				entriesBad.Inc()
				continue
			}
			for i := range some.Events {
				if e := &some.Events[i]; e.Kind == contract.EventMessage {
					signals = append(signals, hold{origin: one.origin, signal: contract.Signal{Kind: contract.KindEvent, Seq: e.Revision, Body: marshal(e)}})
				} else {
					events = append(events, *e)
				}
			}
		}
	}
	slices.SortStableFunc(events, func(a, b contract.RoomEvent) int { return cmp.Compare(a.Revision, b.Revision) })
	events = slices.CompactFunc(events, func(a, b contract.RoomEvent) bool { return a.Revision == b.Revision })
	return events, signals
}

// catchUpFrame is missedFrame for who doesn't hold room.mu.
func (m *membership) catchUpFrame(one *hold, all bool) []byte {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	return m.missedFrame(one, all)
}

// missedFrame is what the member gets of a signal, nil for nothing. all: also what
// it had before, which its client drops; room.mu is held.
func (m *membership) missedFrame(one *hold, all bool) []byte {
	s := &one.signal
	if s.Kind == contract.KindEvent {
		var e contract.RoomEvent
		if json.Unmarshal(s.Body, &e) != nil || !m.isFor(&e) || !m.marks.Pass(nil, e.Revision) && !all {
			return nil
		}
		return m.messageFrame(nil, one.origin, &e)
	}
	switch {
	case m.over, s.Kind.Type() == "", string(s.From) == m.peerText:
		return nil
	case len(s.To) > 0 && string(s.To) != m.peerText, len(s.To) == 0 && m.epoch > s.Revision:
		return nil
	case m.r.misplaced(one.origin, s):
		undelivered.WithLabelValues(undeliveredWrongPlace).Inc()
		return nil
	case !m.marks.Pass(s.From, s.Seq) && !all:
		undelivered.WithLabelValues(undeliveredRepeated).Inc()
		return nil
	}
	m.noteReceived(s)
	replayed.Inc()
	return m.relayed(nil, one.origin, s)
}

// settleMessages has the roomsvcs that have sent messages of backends into the
// room settle those that they have committed. One that is gone has none.
func (m *membership) settleMessages(ctx context.Context) {
	m.r.mu.Lock()
	speakers := slices.Clone(m.r.speakers)
	m.r.mu.Unlock()
	for _, speaker := range speakers {
		ctx, cancel := context.WithTimeout(ctx, settleWait)
		_, err := m.r.e.nc.RequestWithContext(ctx, contract.SettledSubject(speaker), []byte(m.r.key))
		cancel()
		if err != nil && !errors.Is(err, nats.ErrNoResponders) {
			slog.DebugContext(ctx, "a roomsvc doesn't say that its messages are settled", "error", err)
		}
	}
}
