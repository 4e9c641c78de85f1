package client

import "github.com/parley-rtc/parley/services/contract"

// onSignal takes a signal of another peer, or of the app's backend, unless it
// came before.
func (c *Client) onSignal(kind string, text []byte) {
	frame, ok := decode[contract.Relayed](c, text)
	if !ok {
		return
	}
	event := signalEvent(kind, frame)
	c.mu.Lock()
	if event == nil {
		c.stats.Bad++
		c.mu.Unlock()
		return
	}
	r, ok := c.roomOf(frame.Room)
	if !ok {
		c.mu.Unlock()
		return
	}
	// The cursor stands before this signal's entry, so it may be kept before
	// the application has the event.
	if frame.Cursor != "" {
		r.cursor = frame.Cursor
	}
	if !r.fresh(frame) {
		c.stats.Repeats++
		c.mu.Unlock()
		return
	}
	message, _ := event.(Message)
	answered := r.reply(message)
	c.mu.Unlock()
	if !answered {
		c.deliver(r, event, len(text))
	}
}

// fresh reports whether a signal wasn't seen yet, and remembers it; the client's
// mutex is held. The seq of a backend's message is a revision of the room, which
// goes on over memberships.
func (r *Room) fresh(f *contract.Relayed) bool {
	if !f.From.IsZero() {
		return r.marks.fresh(f.From, f.Seq, r.roster.peers)
	}
	if f.Seq <= max(r.said, r.self.Epoch) {
		return false
	}
	r.said = f.Seq
	return true
}

// signalEvent is the event of a relayed frame, nil if the frame lacks
// something.
func signalEvent(kind string, f *contract.Relayed) Event {
	if f.From.IsZero() && kind != contract.TypeMessage || f.Seq == 0 {
		return nil
	}
	sender := Sender{From: f.From, Epoch: f.Epoch, Seq: f.Seq, Trace: f.Trace}
	switch kind {
	case contract.TypeOffer:
		if f.Description != nil {
			return Offer{Sender: sender, Negotiation: f.Negotiation, Description: *f.Description}
		}
	case contract.TypeAnswer:
		if f.Description != nil {
			return Answer{Sender: sender, Negotiation: f.Negotiation, Description: *f.Description}
		}
	case contract.TypeCandidate:
		candidates := f.Candidates
		if f.Candidate != nil {
			candidates = append([]contract.ICECandidate{*f.Candidate}, candidates...)
		}
		if len(candidates) > 0 {
			return Candidate{Sender: sender, Negotiation: f.Negotiation, Candidates: candidates}
		}
	case contract.TypeMessage:
		return Message{Sender: sender, ID: f.ID, Re: f.Re, Data: f.Data}
	}
	return nil
}
