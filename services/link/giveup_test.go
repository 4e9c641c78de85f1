package link_test

import (
	"errors"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// straggler sends its next signal while it hears what became of the one before, as a
// session does that isn't told of it yet.
type straggler struct {
	links *link.Links
	to    contract.Token
	last  uint64
	ends  chan link.Outcome
}

// Settled implements link.Waiter.
func (s *straggler) Settled(seq uint64, o link.Outcome) {
	if seq < s.last && !s.links.Send(s.to, signal(seq+1), s) {
		panic("the link took nothing more")
	}
	s.ends <- o
}

// TestLinks_Send_givesUpWhatComesWhileItTellsOfIt has signals come when the link
// tells that their forerunner is unknown, and the log is back: it must not take
// them, for the forerunner will be sent again, and would come behind them.
func TestLinks_Send_givesUpWhatComesWhileItTellsOfIt(t *testing.T) {
	b := newBench(t, -1)
	f := newFilter(t, b)
	links := b.links(func(o *link.Options) {
		o.Subject = func(to contract.Token) string { return contract.FilterSubject(b.from, to) }
		o.AttemptTimeout, o.Budget = 50*time.Millisecond, 50*time.Millisecond
	})
	f.expect(contract.FilterSubject(b.from, b.to), lost)
	s := &straggler{links: links, to: b.to, last: 3, ends: make(chan link.Outcome, 3)}
	links.Send(b.to, signal(1), s)
	for seq := range s.last {
		if o := <-s.ends; !errors.Is(o.Err, link.ErrUnknown) {
			t.Errorf("signal %d: %v, want ErrUnknown", seq+1, o.Err)
		}
	}
	if seqs, _ := b.logged(); len(seqs) != 0 {
		t.Errorf("the log holds %v, want nothing", seqs)
	}
}

// TestLinks_AfterSettled_ofClosedLinks: what came before may be unknown, so
// nothing that must come behind it may go on.
func TestLinks_AfterSettled_ofClosedLinks(t *testing.T) {
	b := newBench(t, -1)
	links := b.links(func(*link.Options) {})
	var c collector
	c.left.Add(1)
	links.Send(b.to, signal(1), &c)
	c.wait(t)
	links.Close()
	told := errors.New("nothing")
	links.AfterSettled(b.to, func(err error) { told = err })
	if !errors.Is(told, link.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", told)
	}
	if got, want := links.Last(b.to), c.outs[0].Revision; got != want {
		t.Errorf("Last is %d after Close, want %d", got, want)
	}
}
