package roomsvc

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// commitBudget is how long one group is tried. A leader's death stalls
	// writes for up to 8 s.
	commitBudget = 15 * time.Second
	// The pauses after a write that met another one.
	conflictShortest = 2 * time.Millisecond
	conflictLongest  = 250 * time.Millisecond
)

// try is a write whose outcome is unknown.
type try struct {
	before, next room.State
	value        []byte
	out          room.Outcome
	recalled     []contract.RoomEvent
}

// commit applies a group of requests and answers them. It returns where the
// room stands then.
func (c *committer) commit(ref room.Ref, at standing, group []*ask) standing {
	ctx, cancel := context.WithTimeout(c.ctx, commitBudget)
	defer cancel()
	begin := time.Now()
	said := c.settling.begin(ref, says(group))
	defer said.release()
	var last *try
	var err error
	for pause := conflictShortest; ; pause = min(2*pause, conflictLongest) {
		if at, err = c.load(ctx, ref, at); err != nil {
			return c.giveUp(ref, group, last, err)
		}
		if last != nil && last.is(at.state) {
			c.stored(ref, at, last, group, begin, said)
			return at
		}
		if group, err = c.afterOthers(ctx, ref, at.state, group, last); err != nil {
			return c.giveUp(ref, group, last, err)
		}
		t, err := c.try(ref, at.state, group, last)
		switch {
		case err != nil:
			return c.giveUp(ref, group, last, err)
		case !t.out.Changed && !at.fresh:
			at.known = false
			continue
		case !t.out.Changed:
			// An earlier write of ours may be among what somebody wrote over.
			c.announce(ref, t, group, last != nil, said)
			return at
		}
		stored, err := c.store.Save(ctx, ref, t.value, at.stored)
		if err == nil {
			at = standing{true, false, t.next, stored}
			c.stored(ref, at, t, group, begin, said)
			return at
		}
		if unknown(err) {
			last = t
		}
		if !again(ctx, err, at.fresh, pause) {
			return c.giveUp(ref, group, last, err)
		}
		at.known = false
	}
}

// load reads where the room stands unless that is known.
func (c *committer) load(ctx context.Context, ref room.Ref, at standing) (standing, error) {
	if at.known {
		return at, nil
	}
	state, stored, err := c.store.Load(ctx, ref)
	return standing{true, true, state, stored}, err
}

// try applies the group to the room as it is now, after the try whose outcome
// is unknown, if there is one.
func (c *committer) try(ref room.Ref, now room.State, group []*ask, last *try) (*try, error) {
	next, out := now.Apply(changesOf(group), c.policies.rules(ref.App))
	t := &try{before: now, next: next, out: out}
	if last != nil {
		t.recalled = append(last.recalled, recall(last, &t.out, group)...)
	}
	if !out.Changed {
		return t, nil
	}
	var err error
	t.value, err = next.Encode()
	return t, err
}

// unknown reports whether a write that failed with err may have been stored.
func unknown(err error) bool {
	return errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrUnknown)
}

// again waits before another attempt; false means that there is none. Who meets
// somebody waits, lest they meet again; who wrote over an old standing needn't.
func again(ctx context.Context, err error, fresh bool, pause time.Duration) bool {
	switch {
	case errors.Is(err, store.ErrConflict) && !fresh:
		commitRetries.WithLabelValues("old").Inc()
		return ctx.Err() == nil
	case errors.Is(err, store.ErrConflict):
		commitRetries.WithLabelValues("conflict").Inc()
	case errors.Is(err, store.ErrUnknown):
		commitRetries.WithLabelValues("unknown").Inc()
	default:
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(rand.N(pause)):
		return true
	}
}

// is reports whether the room as read is what the try wrote. Another roomsvc
// that was asked the same may have written the same: that is as good.
func (t *try) is(state room.State) bool {
	if state.Revision() != t.next.Revision() {
		return false
	}
	value, err := state.Encode()
	return err == nil && string(value) == string(t.value)
}

// giveUp answers a group that can't be committed. After a write whose outcome
// is unknown nobody may say that nothing was done: the askers hear nothing and
// ask again. A document that can't be read holds nothing of it any more.
func (c *committer) giveUp(ref room.Ref, group []*ask, last *try, err error) standing {
	stopping := c.ctx.Err() != nil
	if !stopping {
		slog.Error("room can't be changed", "room", ref.String(), "requests", len(group), "error", err)
	}
	switch {
	case last != nil && !errors.Is(err, store.ErrUnreadable):
		for _, a := range group {
			a.answer(nil, outcomeUnanswered)
		}
	case stopping, errors.Is(err, context.DeadlineExceeded):
		answerAll(group, errorReply(unavailable("the room's document can't be reached: try again")))
	default:
		answerAll(group, errorReply(contract.Errorf(contract.CodeInternal, "the room's document can't be read or written: see roomsvc's log")))
	}
	return standing{}
}

// stored follows up a document that was written.
func (c *committer) stored(ref room.Ref, at standing, t *try, group []*ask, begin time.Time, said *saying) {
	commits.Inc()
	commitSeconds.Observe(time.Since(begin).Seconds())
	groupRequests.Observe(float64(len(group)))
	c.index.Document(ref, at.stored, at.state.Document(), time.Now())
	c.announce(ref, t, group, false, said)
}

// announce sends what the edges must hear, and answers the group when all of it
// is in their logs. Without events they hear, if notice says so or a request was
// repeated, that the revision exists.
func (c *committer) announce(ref room.Ref, t *try, group []*ask, notice bool, said *saying) {
	after := t.next
	bodies, err := bodiesOf(t)
	if err != nil {
		slog.Error("events can't be encoded", "room", ref.String(), "error", err)
	}
	knew := c.index.Places(ref, t.before.Members())
	edges := slices.Clone(knew)
	for _, edge := range c.index.Places(ref, after.Members()) {
		edges = include(edges, edge)
	}
	for i, answer := range t.out.Answers {
		if answer.Standing == room.Repeated {
			notice = true
			edges = include(edges, group[i].change.Edge)
		}
	}
	if len(bodies) == 0 && (notice || err != nil) {
		bodies = []room.Body{room.Notice(after.Revision())}
	}
	sent := c.announcer.send(ref, letters(t, bodies, edges, knew))
	said.keep()
	c.wg.Go(func() {
		defer said.end()
		unsent := sent.wait()
		if unsent != nil && c.ctx.Err() == nil {
			slog.Warn("events didn't reach the log of every edge: askers will repeat", "room", ref.String(), "error", unsent)
		}
		for i, a := range group {
			answerOne(a, after, t.out.Answers[i], unsent)
		}
	})
}

func answerOne(a *ask, after room.State, answer room.Answer, unsent error) {
	a.given, a.room = answer, after
	outcome := outcomeDone
	switch {
	case unsent != nil:
		a.answer(nil, outcomeUnanswered)
		return
	case answer.Standing == room.Repeated:
		outcome = outcomeRepeated
	case answer.Standing == room.Stale:
		outcome = outcomeStale
	}
	for _, result := range answer.Results {
		if result.Code != "" && outcome == outcomeDone {
			outcome = outcomeRefused
		}
	}
	a.answer(&contract.RoomChanged{Revision: after.Revision(), Results: answer.Results}, outcome)
}

func include(edges []contract.Token, edge contract.Token) []contract.Token {
	if slices.Contains(edges, edge) {
		return edges
	}
	return append(edges, edge)
}
