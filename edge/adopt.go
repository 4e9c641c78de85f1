package edge

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/parley-rtc/parley/edge/internal/conn"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// trailKept is how long a member's record names an edge that lost the member.
// The log forgets sooner what was sent there; the rest is for machines whose
// clocks differ, and maxTrail bounds who moves all the time.
const (
	trailKept = 10 * time.Minute
	maxTrail  = 32
)

// errStaleHello is a hello that a later one of the same client has overtaken.
var errStaleHello = errors.New("a later hello of the client was answered already")

// claim is one room of a hello that this edge doesn't hold.
type claim struct {
	name, peerText string
	cursor         contract.Cursor
	app, room      contract.Token
	peer           contract.Token

	taken    bool
	returned bool                 // this edge had it, and has forgotten
	reason   contract.LeaveReason // of a membership that is over
	record   contract.MemberRecord
	revision uint64 // of the record
}

// adopt takes over the memberships that a hello names and another edge holds, or
// held: their records first, by compare-and-set, so that of two edges one wins;
// then the rooms are read. It returns nil if there is nothing to resume.
func (e *Edge) adopt(ctx context.Context, hello *contract.Hello, next secretHash) (*clientSession, error) {
	took := e.reader.position.Load()
	claims := claimsOf(hello)
	if len(hello.Resume) == 0 || len(claims) == 0 || len(claims) > e.cfg.Limits.Rooms {
		return nil, nil //nolint:nilnil // a session of nothing
	}
	if err := e.takeRecords(ctx, claims, hello, next); err != nil {
		return nil, err
	}
	s := newSession(e)
	s.next, s.attempt = next, hello.Attempt
	s.seq.Resume(hello.Acked)
	var members []*membership
	var err error
	for _, k := range claims {
		switch {
		case !k.taken:
			s.noteLeft(k.name, k.reason)
		case err == nil:
			var m *membership
			if m, err = s.follow(k, took); err == nil {
				members = append(members, m)
			}
		}
	}
	if err == nil {
		err = s.enterAll(ctx, members)
	}
	if err != nil {
		for _, m := range members {
			m.giveUp()
		}
		return nil, err
	}
	if s.isTaken() {
		return nil, errStaleHello
	}
	if len(s.memberships()) == 0 && len(s.lefts) == 0 {
		return nil, nil //nolint:nilnil // a session of nothing
	}
	e.mu.Lock()
	e.sessions[s.id], e.bySecret[next] = s, s
	e.mu.Unlock()
	return s, nil
}

// isTaken reports whether a later hello has taken over all that this session had.
func (s *clientSession) isTaken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rooms) == 0 && len(s.taken) > 0
}

// claimsOf are the rooms of a hello whose records can be found.
func claimsOf(hello *contract.Hello) []*claim {
	var claims []*claim
	for name, known := range hello.Rooms {
		id, err := contract.ParseID(name)
		if err != nil {
			continue
		}
		peer, err := contract.ParseToken(known.Peer)
		if err != nil {
			continue
		}
		cursor, err := contract.ParseCursor(known.Cursor)
		if err != nil || cursor.App.IsZero() {
			continue
		}
		claims = append(claims, &claim{
			name: name, peerText: known.Peer, cursor: cursor, app: cursor.App, room: id.Token(), peer: peer,
		})
	}
	return claims
}

// takeRecords takes every record over that the hello's secrets open.
func (e *Edge) takeRecords(ctx context.Context, claims []*claim, hello *contract.Hello, next secretHash) error {
	errs := make([]error, len(claims))
	var wg sync.WaitGroup
	for i, k := range claims {
		wg.Go(func() { errs[i] = e.takeRecord(ctx, k, hello, next) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (e *Edge) takeRecord(ctx context.Context, k *claim, hello *contract.Hello, next secretHash) error {
	revision, err := bus.Update(ctx, e.members, contract.MemberKey(k.app, k.room, k.peer), func(current []byte, _ uint64) ([]byte, error) {
		wrote := k.record
		k.taken = false
		var now contract.MemberRecord
		if current == nil || json.Unmarshal(current, &now) != nil {
			return nil, bus.ErrUnchanged
		}
		ours := now.Edge == e.id && now.Attempt == hello.Attempt && subtle.ConstantTimeCompare(now.Secret, next[:]) == 1
		if ours && now.Incarnation == wrote.Incarnation {
			k.taken, k.record = true, now // whose answer was lost
			return nil, bus.ErrUnchanged
		}
		if !ours && !opens(hello.Resume, now.Secret) {
			return nil, bus.ErrUnchanged
		}
		if now.State == contract.StateGone {
			k.reason = now.Reason
			return nil, bus.ErrUnchanged
		}
		if !ours && hello.Attempt <= now.Attempt {
			return nil, errStaleHello
		}
		k.returned = now.Edge == e.id
		k.taken, k.record = true, takenOver(now, e.id, time.Now(), e.headOf(ctx, now.Edge))
		k.record.Attempt, k.record.Secret, k.record.Acked = hello.Attempt, next[:], max(now.Acked, hello.Acked)
		return json.Marshal(k.record)
	})
	k.revision = revision
	return err
}

// opens reports whether one of the secrets is that of a record.
func opens(secrets []string, hash []byte) bool {
	for _, secret := range secrets {
		raw, err := base64.RawURLEncoding.DecodeString(secret)
		if err != nil {
			continue
		}
		if sum := sha256.Sum256(raw); subtle.ConstantTimeCompare(sum[:], hash) == 1 {
			return true
		}
	}
	return false
}

// takenOver is a member's record in the hands of another edge. head is the
// revision that the log of its old edge had reached.
func takenOver(r contract.MemberRecord, to contract.Token, now time.Time, head uint64) contract.MemberRecord {
	r.Incarnation++
	r.Began = r.Incarnation
	r.Version++
	r.State = contract.StateHere
	if r.Edge == to {
		return r
	}
	r.Edge = to
	var trail []contract.Token
	var past []contract.Stay
	for i, edge := range r.Trail {
		stay := contract.Stay{Until: now.Unix(), Head: head}
		if i < len(r.Past) {
			stay = r.Past[i]
		}
		if now.Unix()-stay.Until < int64(trailKept.Seconds()) && len(r.Trail)-i < maxTrail {
			trail, past = append(trail, edge), append(past, stay)
		}
	}
	r.Trail, r.Past = append(trail, to), past
	return r
}

// follow makes the membership of a record that was taken over. From now on its
// signals are kept until it is told what came before them.
func (s *clientSession) follow(k *claim, took uint64) (*membership, error) {
	r := s.e.enter(k.app, k.room)
	record := &k.record
	m := &membership{
		s: s, r: r, peer: k.peer, peerText: k.peerText, from: []byte(k.peerText), roomName: k.name, answered: make(chan struct{}),
		refreshed: time.Now(), came: record, trail: record.Trail[:len(record.Trail)-1], took: took,
		grants: record.Grants, policy: record.ICE, policyText: []byte(record.ICE), expires: time.Unix(record.Expires, 0), until: record.Until,
	}
	if k.returned {
		m.took = 0
	}
	m.recorder.follow(m, k.record, k.revision)
	if m.until > 0 {
		m.endAfter(time.Until(time.Unix(m.until, 0)))
	}
	old, begun := m.beginBacklog(k.cursor, s.attempt)
	if !begun {
		m.giveUp()
		return nil, errStaleHello
	}
	if old != nil && old != m {
		old.moved()
	}
	s.rooms[k.name] = m
	return m, nil
}

// enterAll reads the rooms, which shows who moved before and lets who moves
// later see this. A member that isn't in its document any more is out.
func (s *clientSession) enterAll(ctx context.Context, members []*membership) error {
	errs := make([]error, len(members))
	var wg sync.WaitGroup
	for i, m := range members {
		wg.Go(func() {
			if errs[i] = m.r.refresh(ctx); errs[i] == nil {
				m.enter()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// enter lets the member in whose room was just read.
func (m *membership) enter() {
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	self := m.r.roster.Get(m.peer)
	switch {
	case m.over:
	case self == nil:
		delete(m.r.locals, m.peerText)
		reason := m.r.departure(m.peer)
		m.finish(0, reason)
		m.s.noteLeft(m.roomName, reason)
	case m.epoch == 0:
		m.begin(self)
	}
}

// noteLeft keeps why a membership ended for which nobody was there to be told. One
// that expired isn't noted: if no other is left the client starts anew.
func (s *clientSession) noteLeft(room string, reason contract.LeaveReason) {
	if reason == "" || reason == contract.ReasonExpired {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sendLeft(room, marshal(contract.Left{Type: contract.TypeLeft, Room: room, Reason: reason}))
}

// arrive brings an adopted session to its connection.
func (s *clientSession) arrive(c *conn.Conn, hello *contract.Hello) {
	s.mu.Lock()
	s.conn = c
	s.pinged = time.Since(s.e.started)
	connections.Inc()
	s.send(s.welcome(true))
	s.mu.Unlock()
	s.tellLost(hello)
	for _, m := range s.memberships() {
		m.recorder.tell(*m.came, wanted{}) // before anything that the client sends
	}
	s.catchUp(c, hello)
}
