package edge

import (
	"context"
	"encoding/json"
	"time"

	"github.com/parley-rtc/parley/edge/internal/negotiation"
	"github.com/parley-rtc/parley/edge/internal/roster"
	"github.com/parley-rtc/parley/edge/internal/session"
	"github.com/parley-rtc/parley/services/contract"
)

// membership is one session's place in one room.
type membership struct {
	// Static after construction.
	s            *clientSession
	r            *room
	peer         contract.Token
	peerText     string
	from         []byte // peerText, for signals
	roomName     string
	identity     string
	capabilities contract.Capabilities
	presence     json.RawMessage // of the join
	joinSeq      uint64
	answered     chan struct{} // closed when the join is applied or refused

	// Of a member that came from another edge, static after construction.
	came  *contract.MemberRecord // nil: it joined here
	trail []contract.Token       // the edges that held it before
	took  uint64                 // the reader's position when it was taken over; 0: unknown

	// Guarded by room.mu.
	epoch uint64 // 0: not applied yet
	known uint64 // the room revision that the client was told by `joined`
	marks session.Watermarks
	pairs session.ByPeer[negotiation.Pair] // by the other peer
	told  []byte                           // the newest contract.PeerUpdate of this member
	over  bool                             // it left, or never joined

	backlog *backlog // what it must hear before the rest, nil for nothing

	// Guarded by session.mu.
	grants     []string
	policy     contract.Policy
	policyText []byte // policy, for signals
	expires    time.Time
	until      int64       // Unix seconds at which maxStay is over; 0: never
	stay       *time.Timer // ends the membership when maxStay is over
	refreshed  time.Time   // when the record was wanted to be written again

	recorder recorder
	ice      iceServers
}

func newMembership(s *clientSession, r *room, join *contract.Join, seq uint64, claims *contract.Claims) *membership {
	peer := contract.NewPeerID()
	m := &membership{
		s: s, r: r, peer: peer, peerText: peer.String(), from: []byte(peer.String()), roomName: join.Room, identity: claims.Subject,
		capabilities: join.Capabilities, presence: join.Presence, joinSeq: seq, answered: make(chan struct{}), refreshed: time.Now(),
	}
	m.follow(claims)
	m.recorder.begin(m)
	return m
}

// firstRecord is the record with which the member joins, but for its secret.
func (m *membership) firstRecord() contract.MemberRecord {
	if m.came != nil {
		return *m.came
	}
	return contract.MemberRecord{
		Peer: m.peer, Incarnation: 1, Began: 1, Edge: m.r.e.id, Trail: []contract.Token{m.r.e.id},
		State: contract.StateHere, Presence: m.presence, Version: 1,
	}
}

// follow takes over what a token allows; session.mu is held, or m is new.
func (m *membership) follow(claims *contract.Claims) {
	m.grants = claims.Grants
	m.policy, m.policyText = claims.ICE, []byte(claims.ICE)
	m.expires = time.Unix(claims.Expires, 0)
	if claims.MaxStay > 0 && m.until == 0 {
		m.until = time.Now().Unix() + claims.MaxStay
	}
	m.recorder.allow(allowed{m.grants, m.policy, claims.Expires, m.until})
}

// change asks for an operation on the member's room.
func (m *membership) change(ctx context.Context, op contract.RoomOp) error {
	return m.r.e.change(ctx, m.r.app, m.r.id, op)
}

// begin is the moment in which the roster takes the member in: the client gets
// the room as it is now, and from now on every change; room.mu is held.
func (m *membership) begin(self *roster.Member) {
	m.epoch = self.Epoch
	m.recorder.joined(self.Epoch)
	m.known = m.r.roster.Revision()
	if m.came != nil {
		m.identity, m.capabilities = self.Identity, self.Capabilities
		return // the client is told when it is up to date
	}
	frame := m.snapshot(self)
	m.s.mu.Lock()
	m.s.sendPaced(frame)
	m.s.release(m.joinSeq)
	m.s.mu.Unlock()
	close(m.answered)
}

// snapshot is the `joined` frame with the room as it is now; room.mu is held.
func (m *membership) snapshot(self *roster.Member) []byte {
	e := m.r.e
	peers := make([]contract.Peer, 0, m.r.roster.Len())
	for _, other := range m.r.roster.Members() {
		if other.Peer != m.peer {
			peers = append(peers, other.View(&self.Member))
		}
	}
	return marshal(contract.Joined{
		Type: contract.TypeJoined, Re: m.joinSeq, Room: m.roomName,
		Self:     contract.Self{Peer: m.peer, Identity: m.identity, Epoch: self.Epoch},
		Revision: m.r.roster.Revision(), Peers: peers,
		ICEServers: m.iceServers(), ICEPolicy: contract.Stricter(e.cfg.ICEPolicy, m.policy),
		TokenExpires: m.expires.Unix(), Cursor: m.cursor(e.reader.position.Load()),
	})
}

// cursor is the text of a position for the member's client: while it has a
// backlog the one that it came with; room.mu is held.
func (m *membership) cursor(revision uint64) string {
	if m.backlog != nil {
		return m.backlog.cursor
	}
	return contract.Cursor{Edge: m.r.e.id, Epoch: m.r.e.log.Epoch(m.r.e.id), Revision: revision, App: m.r.app}.String()
}

// finish ends the membership: the client is told, unless it never was in;
// room.mu is held.
func (m *membership) finish(revision uint64, reason contract.LeaveReason) {
	if m.over {
		return
	}
	m.over = true
	m.backlog = nil
	m.recorder.gone(reason, nil)
	if m.epoch == 0 {
		m.s.forget(m, nil, reason)
		close(m.answered)
	} else {
		m.s.forget(m, marshal(contract.Left{Type: contract.TypeLeft, Room: m.roomName, Revision: revision, Reason: reason}), reason)
	}
	m.r.exit()
}

// noteReceived keeps the pair's state for what another peer sent, unless it is a
// repeat; room.mu is held.
func (m *membership) noteReceived(s *contract.Signal) {
	if m.backlog != nil && !m.backlog.had.Pass(s.From, s.Seq) {
		return
	}
	switch s.Kind {
	case contract.KindOffer:
		m.pairs.At(s.From).ReceiveOffer(s.Negotiation)
	case contract.KindAnswer:
		m.pairs.At(s.From).ReceiveAnswer(s.Negotiation)
	case contract.KindCandidate, contract.KindMessage, contract.KindPresence, contract.KindEvent:
	}
}
