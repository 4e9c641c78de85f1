package link

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

// gatePoll is how often a closed gate is looked at again.
const gatePoll = 20 * time.Millisecond

// state is where a link stands with its entry.
type state byte

const (
	idle     state = iota // there is none
	flying                // it was published and has no answer yet
	resting               // an attempt failed, the next one comes after a pause
	looking               // the answer says that it was committed before: its verdicts are being read
	settling              // its outcome is known
)

// drive does everything that is due. Whoever brings something (a signal, an
// answer, time) calls it; one goroutine drives at a time, and what others bring
// meanwhile it finds before it leaves. The mutex isn't held while the driver
// publishes or tells waiters.
func (k *link) drive() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.driven {
		return
	}
	k.driven = true
	for k.step(time.Now()) {
	}
	k.driven = false
}

// step does the next thing that is due and reports whether there was one;
// otherwise the timer is set for the time that the link waits for. k.mu is held.
func (k *link) step(now time.Time) bool {
	if k.set.ctx.Err() != nil {
		return k.shut()
	}
	switch k.state {
	case flying, resting:
		if m := k.heard; m != nil {
			k.heard = nil
			k.take(m, now)
			return true
		}
		if wait := k.until.Sub(now); wait > 0 {
			k.wakeIn(wait)
			return false
		}
		if k.state == flying {
			k.fail(context.DeadlineExceeded, now)
			return true
		}
		k.publish(now)
		return true
	case settling:
		if k.outcome.Err == nil && !k.open() {
			k.wakeIn(gatePoll)
			return false
		}
		k.settle()
		return true
	case looking:
		return false
	case idle:
	}
	return k.next(now)
}

// next cuts the next entry if it is time to; k.mu is held.
func (k *link) next(now time.Time) bool {
	switch wait := k.set.o.Gather - now.Sub(k.lastCut); {
	case len(k.waiting) == 0:
		k.timer.Stop()
		return false
	case wait > 0:
		k.wakeIn(wait)
		return false
	case !k.open():
		k.wakeIn(gatePoll)
		return false
	}
	k.cut(now)
	if k.entry.empty() {
		k.end(Outcome{})
		return true
	}
	k.n++
	k.message.Header[contract.HeaderMessageID][0] = contract.MessageID(k.set.o.From, k.to, k.n)
	k.message.Reply = k.set.replySubject(k.number, k.n)
	k.message.Data = k.entry.data
	k.pause = k.set.o.BackoffMin
	k.timeout = k.patience.most(k.set.o.AttemptMin, k.set.o.AttemptTimeout)
	k.publish(now)
	return true
}

func (k *link) open() bool { return k.set.o.Gate == nil || k.set.o.Gate() }

// wakeIn has the link driven after a while.
func (k *link) wakeIn(d time.Duration) { k.timer.Reset(d) }

// publish begins an attempt; k.mu is held, but not meanwhile.
func (k *link) publish(now time.Time) {
	k.state, k.until = flying, now.Add(k.timeout)
	k.mu.Unlock()
	err := k.set.nc.PublishMsg(&k.message) // copies it
	k.mu.Lock()
	if err != nil {
		k.fail(err, now)
	}
}

// hear takes an answer. Every attempt carries the same entry, so a late answer
// to an earlier one is as good.
func (k *link) hear(n uint64, m *nats.Msg) {
	k.mu.Lock()
	wanted := k.n == n && (k.state == flying || k.state == resting)
	if wanted {
		k.heard = m
	}
	k.mu.Unlock()
	if wanted {
		k.drive()
	}
}

// hurry ends the wait for an answer or for the next attempt.
func (k *link) hurry() {
	k.mu.Lock()
	waits := k.state == flying || k.state == resting
	if waits {
		k.state, k.until = resting, time.Time{}
	}
	k.mu.Unlock()
	if waits {
		k.drive()
	}
}

// take goes by an answer: JetStream's, or the filter's own; k.mu is held.
func (k *link) take(m *nats.Msg, now time.Time) {
	out, duplicate, err := parseAnswer(m)
	switch {
	case errors.Is(err, ErrFull):
		k.set.tellFull(now)
		k.end(Outcome{Err: ErrFull})
	case err != nil:
		k.fail(err, now)
	case duplicate:
		k.state = looking
		n := k.n
		go k.set.work(func() { k.look(n, out) })
	default:
		k.known(out)
	}
}

// look reads the verdicts of an entry that was committed before: the first
// commit decides.
func (k *link) look(n uint64, out Outcome) {
	data, err := k.set.log.Entry(k.set.ctx, k.to, out.Revision)
	if err == nil {
		out.Verdicts, err = contract.ReadVerdicts(data)
	}
	k.mu.Lock()
	if k.state == looking && k.n == n {
		if err != nil {
			k.fail(err, time.Now())
		} else {
			k.known(out)
		}
	}
	k.mu.Unlock()
	k.drive()
}

// fail ends an attempt: the same bytes go again under the same id after a pause,
// unless the budget is over; k.mu is held.
func (k *link) fail(err error, now time.Time) {
	retries.WithLabelValues(reason(err)).Inc()
	wait := k.pause + rand.N(k.pause/4+1)
	k.pause = min(2*k.pause, k.set.o.BackoffMax)
	k.timeout = min(2*k.timeout, k.set.o.AttemptTimeout)
	k.state, k.until = resting, now.Add(wait)
	if k.until.Sub(k.entry.cut) < k.set.o.Budget {
		return
	}
	slog.Warn("an entry's commit stayed unknown", "to", k.to.String(), "entry", k.n, "signals", len(k.entry.waiting))
	k.giveUp(ErrUnknown)
}

// known ends an entry whose outcome an answer has told; k.mu is held.
func (k *link) known(o Outcome) {
	k.last.Store(max(k.last.Load(), o.Revision))
	entries.Inc()
	signals.Add(float64(len(k.entry.waiting)))
	took := time.Since(k.entry.cut)
	k.patience.learn(took)
	commitSeconds.Observe(took.Seconds())
	k.end(o)
}

// end notes the outcome, which the next step tells; k.mu is held.
func (k *link) end(o Outcome) { k.state, k.outcome = settling, o }

// giveUp ends the entry and all that waits behind it: nothing may be committed
// before what is unknown was sent again; k.mu is held.
func (k *link) giveUp(err error) {
	k.takeAll()
	k.end(Outcome{Err: err})
}

// settle tells the waiters; k.mu is held, but not meanwhile. When the link gives
// up, what was sent until the last of them had heard of it is given up too: its
// sender could not know yet, and it would overtake what is sent again.
func (k *link) settle() {
	for {
		o := k.outcome
		k.outcome = Outcome{}
		k.mu.Unlock()
		k.entry.settle(o)
		if k.set.o.Settled != nil {
			k.set.o.Settled()
		}
		k.mu.Lock()
		if gaveUp(o.Err) == nil || len(k.waiting) == 0 {
			break
		}
		k.giveUp(o.Err)
	}
	k.state, k.heard = idle, nil
	if cap(k.entry.data) > keepBuffer && len(k.waiting) == 0 {
		k.entry.data = nil
	}
}

// shut settles what a closed set leaves behind; k.mu is held.
func (k *link) shut() bool {
	k.timer.Stop()
	if !k.busy() {
		return false
	}
	if k.state != settling || k.outcome.Err == nil && !k.open() {
		k.giveUp(ErrClosed)
	}
	k.settle()
	return true
}
