package link_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/link"
)

func TestLinks_Hold_letsSignalsTravelTogether(t *testing.T) {
	b := newBench(t, -1)
	links := b.links(func(o *link.Options) { o.Gather = time.Hour })
	const count = 10
	var c collector
	c.left.Add(count)
	links.Hold()
	for seq := uint64(1); seq <= count; seq++ {
		links.Send(b.to, signal(seq), &c)
	}
	if seqs, _ := b.logged(); len(seqs) != 0 {
		t.Errorf("the log holds %v during the hold", seqs)
	}
	links.Release()
	c.wait(t)
	if seqs, entries := b.logged(); len(seqs) != count || entries != 1 {
		t.Errorf("%d signals in %d entries, want %d in one", len(seqs), entries, count)
	}
}

func TestLinks_Hold_isNoLongerThanTheGathering(t *testing.T) {
	b := newBench(t, -1)
	links := b.links(func(o *link.Options) { o.Gather = 5 * time.Millisecond })
	var c collector
	c.left.Add(1)
	links.Hold()
	defer links.Release()
	links.Send(b.to, signal(1), &c)
	c.wait(t)
	if seqs, _ := b.logged(); len(seqs) != 1 {
		t.Errorf("the log holds %v, want the signal that was held too long", seqs)
	}
}

func TestLinks_Release_ofOneHoldIsEnough(t *testing.T) {
	b := newBench(t, -1)
	links := b.links(func(o *link.Options) { o.Gather = time.Hour })
	var c collector
	c.left.Add(1)
	links.Hold()
	links.Hold()
	links.Send(b.to, signal(1), &c)
	links.Release()
	c.wait(t)
	links.Release()
}

func TestLinks_Settled_isCalledOnceAfterAnEntry(t *testing.T) {
	b := newBench(t, -1)
	const count = 10
	var c collector
	heard := make(chan int, count)
	links := b.links(func(o *link.Options) {
		o.Gather = time.Hour
		o.Settled = func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			heard <- len(c.seqs)
		}
	})
	c.left.Add(count)
	links.Hold()
	for seq := uint64(1); seq <= count; seq++ {
		links.Send(b.to, signal(seq), &c)
	}
	links.Release()
	if got := <-heard; got != count {
		t.Errorf("it was called after %d signals of %d", got, count)
	}
	links.Close()
	if len(heard) != 0 {
		t.Error("it was called more than once")
	}
}

func TestLinks_Idle(t *testing.T) {
	b := newBench(t, -1)
	var open atomic.Bool
	links := b.links(func(o *link.Options) { o.Gate = open.Load })
	if !links.Idle() {
		t.Error("links without a signal aren't idle")
	}
	var c collector
	c.left.Add(1)
	links.Send(b.to, signal(1), &c)
	if links.Idle() {
		t.Error("links are idle with a signal that waits")
	}
	open.Store(true)
	c.wait(t)
	for deadline := time.Now().Add(time.Minute); !links.Idle(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("links aren't idle although all is settled")
		}
	}
}
