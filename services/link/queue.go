package link

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

// keepBuffer is the largest buffer that an idle link keeps.
const keepBuffer = 16 << 10

// entryHead is what an entry has before its first signal.
const entryHead = 1

// link is one ordered pair of processes.
type link struct {
	// Static after construction.
	set    *Links
	to     contract.Token
	number int
	timer  *time.Timer
	last   atomic.Uint64 // the highest revision of an entry

	mu      sync.Mutex
	items   []byte    // encoded signals that wait, one after the other
	waiting []waiting // one a signal, and one for each AfterSettled
	signals int       // in waiting

	// Guarded by mu too, but lent to whoever drives the link, see drive.
	driven   bool
	state    state
	entry    entry // that is on its way
	n        uint64
	message  nats.Msg // that carries it
	lastCut  time.Time
	until    time.Time     // of the attempt, or of the pause after it
	timeout  time.Duration // of the next attempt
	pause    time.Duration // after the next attempt that fails
	patience patience
	heard    *nats.Msg // the answer
	outcome  Outcome   // that is to be told
}

// waiting is one place in the queue: a signal, or a function to call when all
// before it is settled (then bytes is 0).
type waiting struct {
	bytes int
	seq   uint64
	from  string
	trace string
	w     Waiter
	after func(error)
}

func newLink(set *Links, to contract.Token, number int) *link {
	k := &link{set: set, to: to, number: number}
	k.message = nats.Msg{Subject: set.o.Subject(to), Header: nats.Header{contract.HeaderMessageID: {""}}}
	k.timer = time.AfterFunc(time.Hour, func() { set.work(k.drive) })
	k.timer.Stop()
	return k
}

// send reports whether the signal is in the queue, and whether it is alone
// there and somebody must drive the link.
func (k *link) send(s *contract.Signal, w Waiter) (queued, idle bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.fits(len(s.Body)) {
		dropped.WithLabelValues(droppedQueueFull).Inc()
		return false, false
	}
	if k.set.ctx.Err() != nil {
		return false, false
	}
	before := len(k.items)
	k.items = contract.AppendSignal(k.items, s)
	if len(k.items)-before > contract.MaxEntryBytes-entryHead {
		k.items = k.items[:before]
		dropped.WithLabelValues(droppedTooLarge).Inc()
		return false, false
	}
	idle = !k.busy()
	k.waiting = append(k.waiting, waiting{bytes: len(k.items) - before, seq: s.Seq, from: string(s.From), trace: traceOf(s), w: w})
	k.signals++
	return true, idle
}

// busy reports whether anything is on its way or waits; k.mu is held.
func (k *link) busy() bool { return k.state != idle || len(k.waiting) > 0 }

func (k *link) canTake(bytes int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.fits(bytes)
}

// fits reports whether the queue has a place; k.mu is held.
func (k *link) fits(bytes int) bool {
	o := &k.set.o
	return k.signals < o.MaxQueueSignals && len(k.items)+bytes <= o.MaxQueueBytes
}

// after reports whether fn was queued. It wasn't if nothing is before it; then
// err is what fn must be told.
func (k *link) after(fn func(error)) (queued bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.busy():
		k.waiting = append(k.waiting, waiting{after: fn})
		return true, nil
	case k.set.ctx.Err() != nil:
		return false, ErrClosed
	default:
		return false, nil
	}
}

// entry is what was cut from the queue.
type entry struct {
	data    []byte
	waiting []waiting
	cut     time.Time
}

// empty reports whether there is nothing to commit, only functions to call.
func (e *entry) empty() bool { return len(e.data) == entryHead }

// cut takes the next entry from the queue, within the limits of an entry; k.mu
// is held.
func (k *link) cut(now time.Time) {
	e := &k.entry
	e.data = contract.AppendEntry(e.data[:0])
	e.waiting = e.waiting[:0]
	e.cut = now
	count, size, marked := 0, 0, false
	for _, one := range k.waiting {
		if one.after != nil {
			marked = true
		} else {
			full := count == contract.MaxEntrySignals || count > 0 && len(e.data)+size+one.bytes > contract.MaxEntryBytes
			if full || marked { // for who is called Last must be what stood before
				break
			}
			count++
			size += one.bytes
		}
		e.waiting = append(e.waiting, one)
	}
	if count > 0 {
		k.lastCut = now
	}
	e.data = append(e.data, k.items[:size]...)
	k.items = append(k.items[:0], k.items[size:]...)
	rest := copy(k.waiting, k.waiting[len(e.waiting):])
	clear(k.waiting[rest:])
	k.waiting = k.waiting[:rest]
	k.signals -= count
	if len(k.waiting) == 0 && cap(k.items) > keepBuffer {
		k.items = nil
	}
}

// takeAll empties the queue into the entry, for a link that gives up, or that
// ends; k.mu is held.
func (k *link) takeAll() {
	k.entry.waiting = append(k.entry.waiting, k.waiting...)
	k.items, k.waiting, k.signals = k.items[:0], nil, 0
}

// settle tells every waiter of the entry, in order.
func (e *entry) settle(o Outcome) {
	o.Cut = e.cut
	verdicts := o.Verdicts
	for i := range e.waiting {
		one := &e.waiting[i]
		if one.after != nil {
			one.after(gaveUp(o.Err))
			continue
		}
		o.Verdicts = of(verdicts, one.from, one.seq)
		traceAppend(one.trace, o)
		one.w.Settled(one.seq, o)
	}
	clear(e.waiting)
	e.waiting = e.waiting[:0]
}

// gaveUp is the error of an outcome that nobody knows; a full log is none.
func gaveUp(err error) error {
	if errors.Is(err, ErrUnknown) || errors.Is(err, ErrClosed) {
		return err
	}
	return nil
}

// of picks the verdicts about one signal.
func of(all []contract.Verdict, from string, seq uint64) []contract.Verdict {
	var own []contract.Verdict
	for _, v := range all {
		if v.Seq == seq && v.From == from {
			own = append(own, v)
		}
	}
	return own
}
