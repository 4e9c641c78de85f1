package link_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
	"github.com/parley-rtc/parley/services/natstest"
)

// flood is more answers than may wait to be looked at.
const flood = 5_000

// barrier is a gate that holds up one who looks whether it is open, and with that the
// link that asks: who has an answer to it waits, too.
type barrier struct {
	set           atomic.Bool
	reached, goOn chan struct{}
	lift          func()
}

func newBarrier() *barrier {
	g := &barrier{reached: make(chan struct{}), goOn: make(chan struct{})}
	g.lift = sync.OnceFunc(func() { close(g.goOn) })
	return g
}

func (g *barrier) open() bool {
	if g.set.CompareAndSwap(true, false) {
		close(g.reached)
		<-g.goOn
	}
	return true
}

// TestLinks_Send_asksAgainForAnAnswerThatWasDropped has so many answers wait that the
// NATS client drops the one to an entry from which the filter took something. The entry
// is stored once, and what was taken out is read from it.
func TestLinks_Send_asksAgainForAnAnswerThatWasDropped(t *testing.T) {
	b := newBench(t, -1)
	dropping := make(chan struct{}, 100)
	b.nc.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		if errors.Is(err, nats.ErrSlowConsumer) {
			dropping <- struct{}{}
		}
	})
	other, err := contract.NewProcessID("other")
	if err != nil {
		t.Fatal(err)
	}
	f := &filter{b: b, nc: natstest.Connect(t, b.server), t: t}
	gate := newBarrier()
	var attempts atomic.Int32
	var toFirst string // where the answer to the first entry went
	serve(t, f, func(m *nats.Msg) {
		if _, to, err := contract.ParseFilterSubject(m.Subject); err != nil || to == b.to {
			f.check(err)
			if toFirst == "" {
				toFirst = m.Reply
			}
			f.commit(m)
			return
		}
		attempt := attempts.Add(1)
		if attempt == 1 {
			f.check(f.nc.Publish(toFirst, nil)) // who looks at answers waits with this one
			inbox := m.Reply[:strings.LastIndexByte(m.Reply, '.')+1]
			for range flood {
				f.check(f.nc.Publish(inbox+"none", nil))
			}
			<-dropping
		}
		f.commit(m)
		if attempt == 2 {
			gate.lift()
		}
	})
	links := b.links(func(o *link.Options) {
		o.Subject = func(to contract.Token) string { return contract.FilterSubject(b.from, to) }
		o.AttemptTimeout = 200 * time.Millisecond
		o.Gate = gate.open
	})
	t.Cleanup(gate.lift) // before the links close
	var c collector
	send := func(to contract.Token, one *contract.Signal) {
		c.left.Add(1)
		links.Send(to, one, &c)
	}
	send(b.to, signal(1))
	c.wait(t)
	gate.set.Store(true)
	send(b.to, signal(2))
	<-gate.reached
	stripped := signal(3)
	stripped.Negotiation = []byte(asksStrip)
	send(other, stripped)
	c.wait(t)
	at := slices.Index(c.seqs, 3)
	if o, want := c.outs[at], stripOf(3); o.Err != nil || o.Revision != 2 || len(o.Verdicts) != 1 || o.Verdicts[0] != want {
		t.Errorf("outcome %+v, want entry 2 with the verdict %+v", o, want)
	}
	if attempts := attempts.Load(); attempts < 2 {
		t.Errorf("%d attempts, want another one", attempts)
	}
	if seqs, entries := b.logged(); entries != 3 {
		t.Errorf("the log holds %v in %d entries, want each once", seqs, entries)
	}
}

// serve has a function answer all entries until the test ends.
func serve(t *testing.T, f *filter, answer func(*nats.Msg)) {
	t.Helper()
	if _, err := f.nc.Subscribe(contract.SubjectFilterAll, answer); err != nil {
		t.Fatal(err)
	}
	if err := f.nc.Flush(); err != nil {
		t.Fatal(err)
	}
}
