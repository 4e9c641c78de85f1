package edge

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"

	"github.com/parley-rtc/parley/edge/internal/conn"
	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/edge/internal/roster"
	"github.com/parley-rtc/parley/services/contract"
)

// deliverer hands the signals of entries to rooms. It is owned by the reader.
type deliverer struct {
	e      *Edge
	key    []byte
	cursor []byte
	signal contract.Signal
	out    delivery
}

// delivery is what a goroutine that delivers signals has at hand: the frame of
// the signal that it is at, and whom it owes a Flush. It must be flushed before
// it waits for anything but a lock.
type delivery struct {
	text []byte // empty: not made yet
	owed []*conn.Conn
}

// flush writes what was queued, once a connection.
func (d *delivery) flush() {
	for i, c := range d.owed {
		c.Flush()
		d.owed[i] = nil
	}
	d.owed = d.owed[:0]
	if cap(d.text) > keepBody {
		d.text = nil
	}
}

// entry hands on every signal of one entry, and writes what that makes.
func (d *deliverer) entry(from contract.Token, revision uint64, data []byte) {
	d.read(from, revision, data)
	d.out.flush()
}

// read hands on every signal of one entry. It allocates nothing for what is
// delivered at once and isn't traced.
func (d *deliverer) read(from contract.Token, revision uint64, data []byte) {
	items, err := contract.ReadEntry(data)
	if err != nil {
		entriesBad.Inc()
		slog.Error("an entry can't be read", "revision", revision, "error", err)
		return
	}
	d.cursor = d.e.position(revision - 1).Append(d.cursor[:0])
	origin := origin{from: from, revision: revision, cursor: d.cursor}
	for {
		more, err := items.Next()
		if err == nil && more && items.IsSignal() {
			err = items.Signal(&d.signal)
		}
		if err != nil {
			entriesBad.Inc()
			slog.Error("an entry can't be read to its end", "revision", revision, "error", err)
			return
		}
		if !more {
			return
		}
		if items.IsSignal() {
			d.hand(origin)
		}
	}
}

// origin is where a signal stands in the log.
type origin struct {
	from     contract.Token
	revision uint64
	cursor   []byte // the position before its entry; borrowed from the deliverer
}

// clone borrows nothing.
func (o origin) clone() origin {
	o.cursor = bytes.Clone(o.cursor)
	return o
}

func (d *deliverer) hand(o origin) {
	d.key = append(append(append(d.key[:0], d.signal.App...), '.'), d.signal.Room...)
	d.e.mu.Lock()
	r := d.e.byRoom[string(d.key)]
	d.e.mu.Unlock()
	if r == nil {
		undelivered.WithLabelValues(undeliveredNoRoom).Inc()
		return
	}
	r.take(o, &d.signal, &d.out)
}

// take delivers a signal, or holds it until the room's document is read.
func (r *room) take(o origin, s *contract.Signal, out *delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.Kind == contract.KindEvent {
		span := startDeliver(s)
		r.event(o, s, out)
		endSpan(span)
		return
	}
	if len(r.held) == 0 && s.Revision <= r.roster.Revision() && r.deliver(o, s, false, out) {
		return
	}
	r.awaitHeld(out)
	r.held = append(r.held, hold{origin: o.clone(), signal: cloneSignal(s)})
	if s.Revision > r.roster.Revision() {
		r.resync(s.Revision, nil)
	} else {
		r.judge()
	}
}

// awaitHeld waits until one more signal may be held; r.mu is held.
func (r *room) awaitHeld(out *delivery) {
	for len(r.held) >= maxHeld && r.e.work.Err() == nil {
		out.flush()
		r.caughtUp.Wait() // the log keeps what comes; nothing is lost
	}
}

// maxHeld bounds the signals that wait for one room's document.
const maxHeld = 10_000

// hold is a signal that waits: it is ahead of its room's roster, or comes from an
// edge that its sender isn't known to be on.
type hold struct {
	origin origin
	signal contract.Signal
	log    contract.Token // another edge whose log it was read from; zero: this one's
	judged bool           // its sender's record was read since it came
}

// drainHeld delivers what waited, as far as the roster is now; r.mu is held.
func (r *room) drainHeld() {
	var out delivery
	defer out.flush()
	for len(r.held) > 0 && r.held[0].signal.Revision <= r.roster.Revision() {
		if !r.deliver(r.held[0].origin, &r.held[0].signal, r.held[0].judged, &out) {
			r.judge()
			break
		}
		r.held[0] = hold{}
		r.held = r.held[1:]
	}
	if len(r.held) == 0 {
		r.held = nil
	}
	r.caughtUp.Broadcast()
}

// judge reads where everybody is, for a signal that came from an edge that its
// sender isn't known to be on; r.mu is held. What comes meanwhile waits behind it.
func (r *room) judge() {
	if r.judging {
		return
	}
	r.judging = true
	count := len(r.held)
	r.e.goWork(func(ctx context.Context) {
		for r.refresh(ctx) != nil && ctx.Err() == nil && r.inUse() {
			pause(ctx, readerPause)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.judging = false
		for i := range min(count, len(r.held)) {
			r.held[i].judged = true
		}
		r.drainHeld()
	})
}

// deliver gives a signal to those it is for; r.mu is held. It reports false, and
// does nothing, if that needs a judgement first.
func (r *room) deliver(o origin, s *contract.Signal, judged bool, out *delivery) bool {
	if s.Kind == contract.KindPresence {
		span := startDeliver(s)
		r.presence(o, s)
		endSpan(span)
		return true
	}
	if s.Kind == contract.KindEvent { // it was held for the messages in it
		r.heldMessages(o, s)
		return true
	}
	if s.Kind.Type() == "" {
		undelivered.WithLabelValues(undeliveredUnknownKind).Inc()
		return true
	}
	if r.misplaced(o, s) {
		if judged {
			undelivered.WithLabelValues(undeliveredWrongPlace).Inc()
		}
		return judged
	}
	out.text = out.text[:0]
	again := r.comesAgain(o, s)
	if len(s.To) > 0 {
		if m := r.locals[string(s.To)]; m != nil && m.takes() {
			m.deliver(o, s, again, out)
		} else {
			undelivered.WithLabelValues(undeliveredReceiverGone).Inc()
		}
		return true
	}
	for _, m := range r.locals {
		if m.takes() && m.epoch <= s.Revision && m.peerText != string(s.From) {
			m.deliver(o, s, again, out)
		}
	}
	return true
}

// misplaced reports whether a signal comes from an edge where its sender never
// was. One that left can't be judged any more: its last signals still count.
func (r *room) misplaced(o origin, s *contract.Signal) bool {
	m := r.roster.Find(s.From)
	if m == nil {
		return !contract.IsToken(s.From)
	}
	return !m.Held(o.from)
}

// comesAgain reports whether a signal is of a session that its sender has left, and
// is sent again in the next one. To a member that has moved, too, it could come ahead of one
// that went to the member's old place and doesn't count there for the same reason,
// and would hide that when it comes again.
func (r *room) comesAgain(o origin, s *contract.Signal) bool {
	at, known := r.find(s.From)
	return known && at.isPast(o.from, s)
}

// takes reports whether the member gets signals, at once or later; room.mu is held.
func (m *membership) takes() bool { return m.epoch != 0 || m.backlog != nil }

// deliver gives a signal to one member, unless it had it already; r.mu is held.
// again is comesAgain.
func (m *membership) deliver(o origin, s *contract.Signal, again bool, out *delivery) {
	if again && m.came != nil {
		undelivered.WithLabelValues(undeliveredComesAgain).Inc()
		return
	}
	if m.backlog != nil && m.backlog.keeps(o, s.From) {
		m.keep(o, s)
		return
	}
	if !m.marks.Pass(s.From, s.Seq) {
		undelivered.WithLabelValues(undeliveredRepeated).Inc()
		return
	}
	m.noteReceived(s)
	span := startDeliver(s)
	m.s.mu.Lock()
	if m.s.live() {
		if m.backlog != nil {
			m.s.send(m.relayed(nil, o, s))
		} else {
			if len(out.text) == 0 { // all members of a room get the same
				out.text = m.relayed(out.text, o, s)
			}
			m.s.queue(out)
		}
		deliveredBy[s.Kind.Type()].Inc()
	}
	m.s.mu.Unlock()
	endSpan(span)
}

// relayed is the frame that the member gets; room.mu is held.
func (m *membership) relayed(dst []byte, o origin, s *contract.Signal) []byte {
	head := envelope.Head{
		Type: s.Kind.Type(), Room: m.roomName, From: s.From, Cursor: o.cursor, App: m.r.app,
		Trace: s.Trace, Epoch: s.Epoch, Seq: s.Seq,
	}
	m.backlog.replace(&head)
	return envelope.AppendRelayed(dst, head, s.Body)
}

// presence takes over what a member shows, and where it is; r.mu is held.
func (r *room) presence(o origin, s *contract.Signal) {
	var update contract.PeerUpdate
	if err := json.Unmarshal(s.Body, &update); err != nil {
		entriesBad.Inc()
		return
	}
	if update.Incarnation > 0 {
		r.place(update.Peer, roster.Place{Edge: o.from, Incarnation: update.Incarnation, Began: update.Began, Acked: update.Acked})
	}
	if r.roster.Update(update) != nil {
		r.tellUpdate(update)
	}
}

// tellUpdate tells the other members what one shows; r.mu is held.
func (r *room) tellUpdate(update contract.PeerUpdate) {
	update.Incarnation, update.Began, update.Acked = 0, 0, 0 // are for edges
	frame := marshal(contract.PeerUpdated{Type: contract.TypePeerUpdated, Room: r.name, Peer: update})
	for _, l := range r.locals {
		if l.epoch != 0 && l.peer != update.Peer && l.hears() {
			l.s.sendNow(frame)
		}
	}
}

func cloneSignal(s *contract.Signal) contract.Signal {
	clone := *s
	for _, field := range []*[]byte{
		&clone.App, &clone.Room, &clone.From, &clone.To, &clone.Policy, &clone.Trace, &clone.Negotiation, &clone.Body,
	} {
		*field = append([]byte(nil), *field...)
	}
	return clone
}
