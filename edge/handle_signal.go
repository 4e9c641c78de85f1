package edge

import (
	"slices"
	"time"

	"github.com/parley-rtc/parley/edge/internal/envelope"
	"github.com/parley-rtc/parley/edge/internal/roster"
	"github.com/parley-rtc/parley/services/contract"
)

// handleSignal puts an offer, an answer, candidates or a message on its way.
// held means that a link has it now and settles its seq. It allocates nothing
// for a signal to one member.
func (s *clientSession) handleSignal(w *workspace, frame *envelope.Frame, in *envelope.Signal) (held bool, err error) {
	s.mu.Lock()
	m, l := s.rooms[string(in.Room)], s.life
	if m == nil {
		s.mu.Unlock()
		return false, errNotJoined()
	}
	if l != w.life {
		s.mu.Unlock()
		return false, errBye // it was rewound since: the client sends the frame again
	}
	policy, began := m.policyText, m.recorder.began.Load()
	s.mu.Unlock()
	m.r.mu.Lock()
	defer m.r.mu.Unlock()
	self, err := m.self()
	if err != nil {
		return false, err
	}
	if len(in.To) == 0 {
		m.compose(w, frame, in, policy, began)
		return false, m.broadcast(w, l)
	}
	to := m.r.roster.Find(in.To)
	if to == nil || to == self {
		return false, contract.Errorf(contract.CodePeerGone, "`to` is no other member of the room (any more)")
	}
	if goes, err := m.negotiate(frame.Seq, in, self, to); err != nil || !goes {
		return false, err
	}
	m.compose(w, frame, in, policy, began)
	if !m.r.send(to.Place, &w.signal, l) {
		return false, errNoPlace()
	}
	return true, nil
}

// negotiate notes what a signal means for the negotiation of two members, and
// reports whether it goes on; room.mu is held.
func (m *membership) negotiate(seq uint64, in *envelope.Signal, self, to *roster.Member) (goes bool, err error) {
	switch in.Kind {
	case contract.KindOffer:
		polite := roster.Polite(&self.Member, &to.Member)
		if glare := m.pairs.At(in.To).SendOffer(in.Negotiation, in.SDP, polite, self.Capabilities.Rollback); glare != nil {
			return false, glare
		}
	case contract.KindAnswer:
		m.pairs.At(in.To).SendAnswer(in.Negotiation, in.SDP)
	case contract.KindCandidate:
		superseded, refused := m.dropSuperseded(in)
		if refused != nil {
			return false, refused
		}
		if superseded > 0 {
			undelivered.WithLabelValues(string(contract.RuleSuperseded)).Add(float64(superseded))
			m.s.sendAny(marshal(contract.Filtered{
				Type: contract.TypeFiltered, Re: seq, Rule: contract.RuleSuperseded, Count: superseded,
			}))
		}
		return len(in.Candidates) > 0, nil
	case contract.KindMessage, contract.KindPresence, contract.KindEvent:
	}
	return true, nil
}

// dropSuperseded takes the candidates out of a frame that belong to a replaced
// description, and counts them; room.mu is held.
func (m *membership) dropSuperseded(in *envelope.Signal) (dropped int, refused *contract.Error) {
	pair, most := m.pairs.At(in.To), m.r.e.cfg.Limits.Candidates
	dropped = in.Drop(func(c *envelope.Candidate) bool {
		rule, over := pair.Candidate(in.Negotiation, c.Ufrag, most, 1)
		if over != nil {
			refused = over
		}
		return rule != ""
	})
	return dropped, refused
}

// self is the member in the roster; room.mu is held.
func (m *membership) self() (*roster.Member, error) {
	self := m.r.roster.Get(m.peer)
	if self == nil || m.epoch == 0 {
		return nil, contract.Errorf(contract.CodeNotInRoom, "you are not in the room (any more); a frame that came before `joined` comes too early")
	}
	return self, nil
}

// broadcast puts the workspace's signal on its way to all other members; room.mu
// is held.
func (m *membership) broadcast(w *workspace, l *life) error {
	s, signal := m.s, &w.signal
	w.places = m.r.appendPlaces(w.places[:0], m.peer)
	if more := len(w.places) - 1; more > 0 {
		if err := s.chargeCopies(more * len(signal.Body)); err != nil {
			return err
		}
	}
	// All or none: who sends a refused frame again would reach some twice.
	for _, place := range w.places {
		if !m.r.canSend(place, len(signal.Body)) {
			return errNoPlace()
		}
	}
	s.mu.Lock()
	for range w.places {
		s.seq.Hold(signal.Seq)
	}
	s.mu.Unlock()
	for i, place := range w.places {
		if !m.r.send(place, signal, l) {
			s.mu.Lock()
			for range w.places[i:] {
				s.release(signal.Seq)
			}
			s.mu.Unlock()
			return errNoPlace()
		}
	}
	return nil
}

// compose makes the workspace's signal of a frame; room.mu is held.
func (m *membership) compose(w *workspace, frame *envelope.Frame, in *envelope.Signal, policy []byte, began uint64) {
	w.body = envelope.AppendBody(w.body[:0], in)
	w.signal = contract.Signal{
		Kind: in.Kind, App: m.r.appText, Room: m.r.idText, Revision: m.r.roster.Revision(), From: m.from, Epoch: m.epoch, Seq: frame.Seq,
		To: in.To, Policy: policy, Trace: frame.Trace, Negotiation: in.Negotiation, Body: w.body, Session: began,
	}
}

func errNoPlace() *contract.Error {
	return contract.Errorf(contract.CodeUnavailable, "too much is waiting for the receiver's edge; send it again later")
}

// places are the edges that hold members, other than those left out; room.mu is held.
func (r *room) places(without ...contract.Token) []contract.Token {
	return r.appendPlaces(nil, without...)
}

func (r *room) appendPlaces(places []contract.Token, without ...contract.Token) []contract.Token {
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
