package edge

import (
	"context"
	"slices"
	"time"

	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/edge/internal/roster"
	"github.com/parley-rtc/parley/services/contract"
)

// handleDescribe sends an offer or an answer on its way.
func (s *clientSession) handleDescribe(ctx context.Context, frame *envelope.Frame, d *contract.Describe) error {
	m, err := s.in(d.Room)
	if err != nil {
		return err
	}
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	self, to, err := m.receiver(d.To)
	if err != nil {
		return err
	}
	kind := contract.KindAnswer
	if d.Type == contract.TypeOffer {
		kind = contract.KindOffer
		polite := roster.Polite(&self.Member, &to.Member)
		if glare := m.pair(d.To).SendOffer(d.Negotiation, d.Description.SDP, polite, self.Capabilities.Rollback); glare != nil {
			return glare
		}
	} else {
		m.pair(d.To).SendAnswer(d.Negotiation, d.Description.SDP)
	}
	return m.signal(ctx, kind, frame, d.Negotiation, to)
}

// handleTrickle sends candidates on their way, unless they belong to a
// description that a newer one has replaced.
func (s *clientSession) handleTrickle(ctx context.Context, frame *envelope.Frame, t *contract.Trickle) error {
	m, err := s.in(t.Room)
	if err != nil {
		return err
	}
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	_, to, err := m.receiver(t.To)
	if err != nil {
		return err
	}
	superseded, refused := m.dropSuperseded(t)
	if refused != nil {
		return refused
	}
	if superseded > 0 {
		undelivered.WithLabelValues(string(contract.RuleSuperseded)).Add(float64(superseded))
		s.sendAny(marshal(contract.Filtered{
			Type: contract.TypeFiltered, Re: frame.Seq, Rule: contract.RuleSuperseded, Count: superseded,
		}))
	}
	if t.Candidate == nil && len(t.Candidates) == 0 {
		return nil
	}
	return m.signal(ctx, contract.KindCandidate, frame, t.Negotiation, to)
}

// dropSuperseded takes the candidates out of a frame that belong to a replaced
// description, and counts them; room.mu is held.
func (m *membership) dropSuperseded(t *contract.Trickle) (dropped int, refused *contract.Error) {
	pair, most := m.pair(t.To), m.r.e.cfg.Limits.Candidates
	judge := func(c *contract.ICECandidate) bool {
		ufrag := ""
		if c.UsernameFragment != nil {
			ufrag = *c.UsernameFragment
		}
		rule, over := pair.Candidate(t.Negotiation, ufrag, most, 1)
		if over != nil {
			refused = over
		}
		if rule != "" {
			dropped++
		}
		return rule != ""
	}
	if t.Candidate != nil && judge(t.Candidate) {
		t.Candidate = nil
	}
	t.Candidates = slices.DeleteFunc(t.Candidates, func(c contract.ICECandidate) bool { return judge(&c) })
	return dropped, refused
}

// handleMessage sends a message to one member, or to all others.
func (s *clientSession) handleMessage(ctx context.Context, frame *envelope.Frame, msg *contract.Message) error {
	m, err := s.in(msg.Room)
	if err != nil {
		return err
	}
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	if msg.To == "" {
		return m.broadcast(ctx, frame)
	}
	_, to, err := m.receiver(msg.To)
	if err != nil {
		return err
	}
	return m.signal(ctx, contract.KindMessage, frame, "", to)
}

// receiver finds the member itself and another one; room.mu is held.
func (m *membership) receiver(peer string) (self, to *roster.Member, err error) {
	if self, err = m.self(); err != nil {
		return nil, nil, err
	}
	id, err := contract.ParseToken(peer)
	if err != nil {
		return nil, nil, contract.Errorf(contract.CodeBadID, "`to` must be the id of a peer")
	}
	to = m.r.roster.Get(id)
	if to == nil || to == self {
		return nil, nil, contract.Errorf(contract.CodePeerGone, "`to` is no other member of the room (any more)")
	}
	return self, to, nil
}

// self is the member in the roster; room.mu is held.
func (m *membership) self() (*roster.Member, error) {
	self := m.r.roster.Get(m.peer)
	if self == nil || m.epoch == 0 {
		return nil, contract.Errorf(contract.CodeNotInRoom, "you are not in the room (any more); a frame that came before `joined` comes too early")
	}
	return self, nil
}

// signal puts a frame for one member on its way; room.mu is held.
func (m *membership) signal(ctx context.Context, kind contract.Kind, frame *envelope.Frame, negotiation string, to *roster.Member) error {
	signal, err := m.compose(ctx, kind, frame)
	if err != nil {
		return err
	}
	signal.To = []byte(to.Peer.String())
	signal.Negotiation = []byte(negotiation)
	return m.post(signal, to.Place)
}

// broadcast puts a frame for all other members on its way; room.mu is held.
func (m *membership) broadcast(ctx context.Context, frame *envelope.Frame) error {
	if _, err := m.self(); err != nil {
		return err
	}
	signal, err := m.compose(ctx, contract.KindMessage, frame)
	if err != nil {
		return err
	}
	places := m.r.places(m.peer)
	if more := len(places) - 1; more > 0 {
		if err := m.s.chargeCopies(more * len(signal.Body)); err != nil {
			return err
		}
	}
	// All or none: who sends a refused frame again would reach some twice.
	for _, place := range places {
		if !m.r.canSend(place, len(signal.Body)) {
			return errNoPlace()
		}
	}
	for _, place := range places {
		if err := m.post(signal, place); err != nil {
			return err
		}
	}
	return nil
}

func (m *membership) compose(ctx context.Context, kind contract.Kind, frame *envelope.Frame) (*contract.Signal, error) {
	body, err := envelope.AppendBody(nil, frame.Body)
	if err != nil {
		return nil, err
	}
	m.s.mu.Lock()
	policy := m.policy
	m.s.mu.Unlock()
	return &contract.Signal{
		Kind: kind, App: []byte(m.r.app.String()), Room: []byte(m.r.id.String()),
		Revision: m.r.roster.Revision(), From: []byte(m.peerText), Epoch: m.epoch, Seq: frame.Seq,
		Policy: []byte(policy), Trace: []byte(traceOf(ctx, frame)), Body: body,
	}, nil
}

// post queues a signal for an edge, which then holds its frame; room.mu is held.
func (m *membership) post(signal *contract.Signal, place contract.Token) error {
	s := m.s
	s.mu.Lock()
	s.seq.Hold(signal.Seq)
	l := s.life
	s.mu.Unlock()
	if m.r.send(place, signal, l) {
		return nil
	}
	s.mu.Lock()
	s.release(signal.Seq)
	s.mu.Unlock()
	return errNoPlace()
}

func errNoPlace() *contract.Error {
	return contract.Errorf(contract.CodeUnavailable, "too much is waiting for the receiver's edge; send it again later")
}

// places are the edges that hold members, other than those left out; room.mu is held.
func (r *room) places(without ...contract.Token) []contract.Token {
	var places []contract.Token
	for _, m := range r.roster.Members() {
		if slices.Contains(without, m.Peer) || slices.Contains(places, m.Place) {
			continue
		}
		places = append(places, m.Place)
	}
	return places
}

// chargeCopies takes the copies of a broadcast from the byte rate.
func (s *clientSession) chargeCopies(bytes int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait, ok := s.bytes.Take(time.Since(s.e.started), bytes, s.e.cfg.Limits.ByteRate, s.e.cfg.Limits.ByteBurst)
	if ok {
		return nil
	}
	refused := contract.Errorf(contract.CodeRateLimited, "a broadcast costs its size times the receiving edges; wait and send it as a new frame")
	refused.RetryAfter = max(1, wait.Milliseconds())
	return refused
}
