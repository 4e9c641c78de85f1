package poll

import (
	"net"
	"os"
	"sync"
	"time"
)

// waiter is where one goroutine waits for one direction of a socket.
type waiter struct {
	mu      sync.Mutex
	sleeper sync.Cond
	ready   bool // something happened that nobody has waited for yet
	asleep  bool
	closed  bool
	batch   *batch // with which the goroutine was woken

	deadline time.Time
	expired  bool
	timer    *time.Timer // fires at or before the deadline; made with the first one
	due      time.Time   // when it fires; zero: it doesn't
}

func (w *waiter) init() { w.sleeper.L = &w.mu }

// wait returns when something has happened since the last wait, with an error
// if that is the deadline or the end of the connection.
func (w *waiter) wait() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		switch {
		case w.closed:
			return net.ErrClosed
		case w.expired:
			return os.ErrDeadlineExceeded
		case w.ready:
			w.ready = false
			return nil
		}
		if w.batch != nil {
			w.leave()
			continue // it let go of mu
		}
		w.arm()
		w.asleep = true
		w.sleeper.Wait()
		w.asleep = false
	}
}

// leave takes the goroutine out of its batch; mu is held, but not while the
// batch ends.
func (w *waiter) leave() {
	if b := w.batch; b != nil {
		w.batch = nil
		w.mu.Unlock()
		b.leave()
		w.mu.Lock()
	}
}

// wake notes that something has happened. Who waits joins the batch, if there is one.
func (w *waiter) wake(b *batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ready = true
	if !w.asleep {
		return
	}
	if b != nil && w.batch == nil {
		b.left.Add(1)
		w.batch = b
	}
	w.sleeper.Signal()
}

func (w *waiter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.timer != nil {
		w.timer.Stop()
	}
	w.sleeper.Signal()
	w.leave()
}

// late reports whether the deadline is over.
func (w *waiter) late() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.expired
}

func (w *waiter) setDeadline(t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	w.expired = !t.IsZero() && !time.Now().Before(t)
	if w.expired {
		w.sleeper.Signal()
	} else if w.asleep {
		w.arm()
	}
}

// arm sees to it that the timer fires by the deadline. It stays as it is when
// the deadline moves on, which it does with every frame; mu is held.
func (w *waiter) arm() {
	if w.deadline.IsZero() || !w.due.IsZero() && !w.due.After(w.deadline) {
		return
	}
	w.due = w.deadline
	if w.timer == nil {
		w.timer = time.AfterFunc(time.Until(w.deadline), w.ring)
		return
	}
	w.timer.Reset(time.Until(w.deadline))
}

// ring is the timer's.
func (w *waiter) ring() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.due = time.Time{}
	if w.closed || w.deadline.IsZero() {
		return
	}
	if !time.Now().Before(w.deadline) {
		w.expired = true
		w.sleeper.Signal()
		return
	}
	if w.asleep {
		w.arm()
	}
}
