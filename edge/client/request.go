package client

import (
	"context"
	"crypto/rand"

	"github.com/parley-rtc/parley/services/contract"
)

// request waits for the reply to a message.
type request struct {
	to    contract.Token
	reply chan outcome // of 1
}

type outcome struct {
	message Message
	err     error
}

// Request sends a message to a peer and waits for its reply. Give ctx a
// deadline: the other application may never reply. If the peer leaves before,
// the error is [contract.CodePeerGone]. A reply that comes too late is an
// ordinary [Message] event with Re set.
func (r *Room) Request(ctx context.Context, to contract.Token, data any) (Message, error) {
	s := MessageTo(to, data)
	s.id = rand.Text()
	q := request{to: to, reply: make(chan outcome, 1)}
	r.c.mu.Lock()
	r.requests[s.id] = q
	r.c.mu.Unlock()
	defer func() {
		r.c.mu.Lock()
		defer r.c.mu.Unlock()
		delete(r.requests, s.id)
	}()
	if err := r.Do(ctx, s); err != nil {
		return Message{}, err
	}
	unread, rest := r.c.beginWait()
	defer rest()
	select {
	case o := <-q.reply:
		return o.message, o.err
	case <-ctx.Done():
		return Message{}, ctx.Err()
	case <-unread:
		return Message{}, ErrEventsUnread
	}
}

// Reply answers a message that has an ID.
func (r *Room) Reply(ctx context.Context, to Message, data any) error {
	if to.ID == "" {
		return contract.Errorf(contract.CodeBadFrame, "reply: the message has no id, its sender waits for none")
	}
	if to.From.IsZero() {
		return contract.Errorf(contract.CodeBadFrame, "reply: the message is of the app's backend, which isn't in the room")
	}
	s := MessageTo(to.From, data)
	s.re = to.ID
	return r.Do(ctx, s)
}

// reply hands a message to the request that it answers, if there is one (the
// zero Message answers none); the client's mutex is held.
func (r *Room) reply(m Message) bool {
	q, ok := r.requests[m.Re]
	if m.Re == "" || !ok || q.to != m.From {
		return false
	}
	delete(r.requests, m.Re)
	q.reply <- outcome{message: m}
	return true
}

// failRequests ends the requests for which why gives an error; the client's
// mutex is held.
func (r *Room) failRequests(why func(request) error) {
	for id, q := range r.requests {
		if err := why(q); err != nil {
			delete(r.requests, id)
			q.reply <- outcome{err: err}
		}
	}
}
