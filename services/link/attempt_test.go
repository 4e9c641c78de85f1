package link_test

import (
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// patient are links that wait for an hour unless they know better.
func (b *bench) patient() *link.Links {
	return b.links(func(o *link.Options) {
		o.Subject = func(to contract.Token) string { return contract.FilterSubject(b.from, to) }
		o.AttemptTimeout, o.Budget = time.Hour, 3*time.Hour
	})
}

func TestLinks_Send_waitsLittleLongerThanCommitsLast(t *testing.T) {
	b := newBench(t, -1)
	f := newFilter(t, b)
	f.expect(contract.FilterSubject(b.from, b.to), passes, passes, passes, lost)
	links := b.patient()
	for seq := range uint64(4) {
		var c collector
		c.left.Add(1)
		links.Send(b.to, signal(seq+1), &c)
		c.wait(t)
	}
	if seqs, _ := b.logged(); len(seqs) != 4 {
		t.Errorf("the log holds %v, want 1 to 4", seqs)
	}
}

func TestLinks_Send_isRepeatedWhenTheConnectionIsBack(t *testing.T) {
	b := newBench(t, -1)
	f, subject := newFilter(t, b), contract.FilterSubject(b.from, b.to)
	f.expect(subject, lost)
	links := b.patient()
	var c collector
	c.left.Add(1)
	links.Send(b.to, signal(1), &c)
	f.awaitFates(subject)
	if err := b.nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	c.wait(t)
	if seqs, _ := b.logged(); len(seqs) != 1 || c.outs[0].Err != nil {
		t.Errorf("the log holds %v, and the outcome is %+v", seqs, c.outs[0])
	}
}
