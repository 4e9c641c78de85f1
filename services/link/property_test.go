package link_test

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// The times of links that a filter is hard on.
const (
	attempt    = 5 * time.Millisecond
	backoffMin = time.Millisecond
	backoffMax = 2 * time.Millisecond
	longBudget = time.Hour
	// shortBudget is over before the worst that the filter does is.
	shortBudget = 20 * time.Millisecond
	// worstPause is the longest pause between two attempts, with its jitter.
	worstPause = backoffMax + backoffMax/4
)

// road is one link under test, with all that was sent over it.
type road struct {
	to      contract.Token
	subject string // of its entries, at the filter

	mu      sync.Mutex
	sent    []*sent
	settled int // of sent
	wrong   string
	echoes  int // how many signals are still to be sent by a Waiter that hears bad news
	marks   []*mark
	links   *link.Links
	changed sync.Cond
}

type sent struct {
	seq    uint64
	asks   string
	at     time.Time // when Send had returned
	told   time.Time // when Settled was called; zero: it wasn't
	out    link.Outcome
	logged []uint64 // revisions
}

// mark is an AfterSettled behind so many signals.
type mark struct {
	behind int
	vague  bool // a Waiter sent something at the same time
	called int
	err    error
	last   uint64
}

// send puts a signal on the link and reports whether that took it. mu is held,
// which keeps the outcome back until the signal is in the books.
func (r *road) send(asks string) bool {
	s := &sent{seq: uint64(len(r.sent) + 1), asks: asks}
	one := signal(s.seq)
	one.Negotiation = []byte(asks)
	if !r.links.Send(r.to, one, r) {
		return false
	}
	s.at = time.Now()
	r.sent = append(r.sent, s)
	return true
}

// Settled implements link.Waiter.
func (r *road) Settled(seq uint64, o link.Outcome) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if want := uint64(r.settled + 1); seq != want || seq > uint64(len(r.sent)) {
		r.wrong = "settled out of turn"
		return
	}
	s := r.sent[r.settled]
	s.told, s.out = now, o
	r.settled++
	if errors.Is(o.Err, link.ErrUnknown) && r.echoes > 0 {
		r.echoes--
		r.send(asksNothing) // as another session does that hasn't heard yet
	}
	r.changed.Broadcast()
}

// after puts a mark behind what was sent.
func (r *road) after() {
	r.mu.Lock()
	m := &mark{behind: len(r.sent)}
	r.marks = append(r.marks, m)
	r.mu.Unlock()
	r.links.AfterSettled(r.to, func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		m.called++
		m.err, m.last = err, r.links.Last(r.to)
		if r.settled < m.behind {
			r.wrong = "AfterSettled was called too early"
		}
		r.changed.Broadcast()
	})
	r.mu.Lock()
	m.vague = len(r.sent) != m.behind
	r.mu.Unlock()
}

// wait returns when everything is settled.
func (r *road) wait() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.wrong == "" && (r.settled < len(r.sent) || slices.ContainsFunc(r.marks, func(m *mark) bool { return m.called == 0 })) {
		r.changed.Wait()
	}
}

// trial is a set of links that everything happens to.
type trial struct {
	f     *filter
	o     link.Options
	links *link.Links
	roads []*road
	open  atomic.Bool // the gate
	holds int
	first uint64 // revision of this trial in the log
}

func newTrial(t *rapid.T, b *bench, f *filter) *trial {
	x := &trial{f: f, first: b.head() + 1}
	x.open.Store(true)
	from, err := contract.NewProcessID("from")
	if err != nil {
		t.Fatal(err)
	}
	x.o = link.DefaultOptions()
	x.o.From, x.o.Gate = from, x.open.Load
	x.o.Subject = func(to contract.Token) string { return contract.FilterSubject(from, to) }
	x.o.AttemptTimeout, x.o.BackoffMin, x.o.BackoffMax = attempt, backoffMin, backoffMax
	x.o.Gather = rapid.SampledFrom([]time.Duration{0, time.Millisecond}).Draw(t, "gather")
	x.o.Budget = rapid.SampledFrom([]time.Duration{longBudget, shortBudget}).Draw(t, "budget")
	x.o.MaxQueueSignals = rapid.SampledFrom([]int{1, 5, 1000}).Draw(t, "queue")
	if x.links, err = link.New(b.nc, b.log, x.o); err != nil {
		t.Fatal(err)
	}
	for range rapid.IntRange(1, 2).Draw(t, "links") {
		to, err := contract.NewProcessID("to")
		if err != nil {
			t.Fatal(err)
		}
		r := &road{to: to, subject: x.o.Subject(to), links: x.links, echoes: rapid.IntRange(0, 2).Draw(t, "echoes")}
		r.changed.L = &r.mu
		x.roads = append(x.roads, r)
	}
	return x
}

func (x *trial) road(t *rapid.T) *road {
	return x.roads[rapid.IntRange(0, len(x.roads)-1).Draw(t, "link")]
}

func (x *trial) send(t *rapid.T) {
	r := x.road(t)
	for range rapid.IntRange(1, 4).Draw(t, "signals") {
		asks := rapid.SampledFrom([]string{asksNothing, asksNothing, asksNothing, asksStrip, asksRefusal, asksFull}).Draw(t, "asks")
		r.mu.Lock()
		waiting := len(r.sent) - r.settled
		took := r.send(asks)
		r.mu.Unlock()
		if !took && waiting < x.o.MaxQueueSignals {
			t.Fatalf("a link with a place for %d signals refuses one when %d aren't settled", x.o.MaxQueueSignals, waiting)
		}
	}
}

func (x *trial) spoil(t *rapid.T) {
	fates := rapid.SliceOfN(rapid.SampledFrom([]fate{
		passes, lost, late, twice, unheard, unavailable, garbled, deserted,
	}), 1, 5).Draw(t, "fates")
	x.f.expect(x.road(t).subject, fates...)
}

func (x *trial) hold(*rapid.T) {
	x.links.Hold()
	x.holds++
}

func (x *trial) release(*rapid.T) {
	if x.holds > 0 {
		x.holds--
		x.links.Release()
	}
}

func (x *trial) turn(*rapid.T) { x.open.Store(!x.open.Load()) }

func (x *trial) wait(*rapid.T) {
	x.open.Store(true)
	for _, r := range x.roads {
		r.wait()
	}
}

// finish ends the trial and looks at what became of everything.
func (x *trial) finish(t *rapid.T) {
	closed := rapid.Bool().Draw(t, "close")
	for x.holds > 0 {
		x.release(t)
	}
	if closed {
		x.links.Close()
	}
	x.wait(t)
	x.links.Close()
	x.f.calm()
	x.read(t)
	for _, r := range x.roads {
		r.judge(t, x.o.Budget)
		if !closed {
			r.mustNotSay(t, link.ErrClosed)
		}
		if x.o.Budget == longBudget {
			r.mustNotSay(t, link.ErrUnknown)
		}
		if r.links.Send(r.to, signal(1), r) {
			t.Fatal("closed links took a signal")
		}
	}
}

// read notes where in the log the signals stand.
func (x *trial) read(t *rapid.T) {
	for at, entry := range x.f.b.entries(t, x.first) {
		for _, r := range x.roads {
			if entry.subject != x.f.b.log.Subject(x.o.From, r.to) {
				continue
			}
			for _, seq := range entry.seqs {
				s := r.sent[seq-1]
				s.logged = append(s.logged, x.first+uint64(at))
			}
		}
	}
}

// judge checks a link's every promise.
func (r *road) judge(t *rapid.T, budget time.Duration) {
	if r.wrong != "" {
		t.Fatal(r.wrong)
	}
	var last uint64
	var unknown *sent
	for _, s := range r.sent {
		switch {
		case s.out.Err == nil:
			s.known(t, last)
			last = max(last, s.out.Revision)
		case errors.Is(s.out.Err, link.ErrFull):
			if len(s.logged) > 0 {
				t.Fatalf("signal %d found the log full and is in it at %d", s.seq, s.logged)
			}
		case len(s.logged) > 1:
			t.Fatalf("signal %d is in the log at %d", s.seq, s.logged)
		}
		if unknown != nil && gaveUp(s) == nil && s.at.Before(unknown.told) {
			t.Fatalf("signal %d was given up before its sender heard that %d was; it was settled with %v", s.seq, unknown.seq, s.out.Err)
		}
		if gaveUp(s) != nil {
			unknown = s
		}
		if took := s.told.Sub(s.out.Cut); errors.Is(s.out.Err, link.ErrUnknown) && took < budget-worstPause {
			t.Fatalf("signal %d was given up %v after its cut, of a budget of %v", s.seq, took, budget)
		}
	}
	for _, m := range r.marks {
		r.judgeMark(t, m)
	}
}

func gaveUp(s *sent) error {
	if errors.Is(s.out.Err, link.ErrFull) {
		return nil
	}
	return s.out.Err
}

// known checks a signal whose outcome is known. What is before it in the log
// ends at last.
func (s *sent) known(t *rapid.T, last uint64) {
	var verdicts []contract.Verdict
	want := []uint64{s.out.Revision}
	switch s.asks {
	case asksRefusal:
		verdicts, want = []contract.Verdict{refusalOf(s.seq)}, nil
	case asksStrip:
		verdicts = []contract.Verdict{stripOf(s.seq)}
	case asksFull:
		t.Fatalf("signal %d finds the log full, its outcome has no error", s.seq)
	}
	if !slices.Equal(s.logged, want) || want != nil && s.out.Revision < max(1, last) {
		t.Fatalf("signal %d is in the log at %d, its outcome says %d, after %d", s.seq, s.logged, s.out.Revision, last)
	}
	if !slices.Equal(s.out.Verdicts, verdicts) {
		t.Fatalf("signal %d got the verdicts %+v, want %+v", s.seq, s.out.Verdicts, verdicts)
	}
}

func (r *road) judgeMark(t *rapid.T, m *mark) {
	var last, untold uint64
	for _, s := range r.sent[:m.behind] {
		last = max(last, s.out.Revision)
		if errors.Is(s.out.Err, link.ErrClosed) && len(s.logged) > 0 {
			untold = max(untold, s.logged[0]) // the link may have heard, and closed before the gate let it tell
		}
	}
	switch {
	case m.called != 1:
		t.Fatalf("a function behind signal %d was called %d times", m.behind, m.called)
	case m.vague:
	case m.last != last && m.last != max(last, untold):
		t.Fatalf("behind signal %d Last is %d, want %d", m.behind, m.last, last)
	case errors.Is(m.err, link.ErrClosed): // by a Close between a signal's outcome and this
	case m.err != nil && (m.behind == 0 || gaveUp(r.sent[m.behind-1]) == nil):
		t.Fatalf("behind signal %d, which was settled: %v", m.behind, m.err)
	}
}

func (r *road) mustNotSay(t *rapid.T, err error) {
	for _, s := range r.sent {
		if errors.Is(s.out.Err, err) {
			t.Fatalf("signal %d: %v", s.seq, err)
		}
	}
	for _, m := range r.marks {
		if errors.Is(m.err, err) {
			t.Fatalf("a function behind signal %d: %v", m.behind, err)
		}
	}
}

// TestLinks_properties: whatever a filter does to their entries, links settle
// each signal once and in order, and what they say of it is true.
func TestLinks_properties(t *testing.T) {
	b := newBench(t, -1)
	f := newFilter(t, b)
	rapid.Check(t, func(t *rapid.T) {
		x := newTrial(t, b, f)
		defer x.links.Close()
		t.Repeat(map[string]func(*rapid.T){
			"send": x.send, "send 2": x.send, "send 3": x.send, "spoil": x.spoil, "spoil 2": x.spoil,
			"hold": x.hold, "release": x.release, "gate": x.turn, "wait": x.wait,
			"after": func(t *rapid.T) { x.road(t).after() },
		})
		x.finish(t)
	})
}
