package link_test

import (
	"errors"
	"strings"
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

// blocker is a Waiter that holds up whoever tells it, which is who looks at answers.
type blocker struct{ reached, goOn chan struct{} }

func (w *blocker) Settled(uint64, link.Outcome) {
	close(w.reached)
	<-w.goOn
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
	first := &blocker{reached: make(chan struct{}), goOn: make(chan struct{})}
	f := &filter{b: b, nc: natstest.Connect(t, b.server), t: t}
	var attempts atomic.Int32
	serve(t, f, func(m *nats.Msg) {
		if _, to, err := contract.ParseFilterSubject(m.Subject); err != nil || to == b.to {
			f.check(err)
			f.commit(m)
			return
		}
		attempt := attempts.Add(1)
		if attempt == 1 {
			inbox := m.Reply[:strings.LastIndexByte(m.Reply, '.')+1]
			for range flood {
				f.check(f.nc.Publish(inbox+"none", nil))
			}
			<-dropping
		}
		f.commit(m)
		if attempt == 2 {
			close(first.goOn)
		}
	})
	links := b.links(func(o *link.Options) {
		o.Subject = func(to contract.Token) string { return contract.FilterSubject(b.from, to) }
		o.AttemptTimeout = 200 * time.Millisecond
	})
	links.Send(b.to, signal(1), first)
	<-first.reached
	var c collector
	c.left.Add(1)
	stripped := signal(2)
	stripped.Negotiation = []byte(asksStrip)
	links.Send(other, stripped, &c)
	c.wait(t)
	if o, want := c.outs[0], stripOf(2); o.Err != nil || o.Revision != 2 || len(o.Verdicts) != 1 || o.Verdicts[0] != want {
		t.Errorf("outcome %+v, want entry 2 with the verdict %+v", o, want)
	}
	if attempts := attempts.Load(); attempts < 2 {
		t.Errorf("%d attempts, want another one", attempts)
	}
	if seqs, entries := b.logged(); entries != 2 {
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
