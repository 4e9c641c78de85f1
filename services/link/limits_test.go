package link_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// queue is what a link must have in its queue, entry by entry.
type queue struct {
	o       link.Options
	entries [][]uint64 // seqs
	room    int        // bytes that the last entry still has for signals
	signals int
	bytes   int
	ended   bool // nothing more goes into the last entry
}

// fits says what Send and CanTake must say of a signal.
func (q *queue) fits(body, encoded int) (can, sends bool) {
	can = q.signals < q.o.MaxQueueSignals && q.bytes+body <= q.o.MaxQueueBytes
	return can, can && encoded <= entryRoom
}

// entryRoom is what an entry has for signals, beside its version.
const entryRoom = contract.MaxEntryBytes - 1

func (q *queue) add(seq uint64, encoded int) {
	last := len(q.entries) - 1
	if q.ended || last < 0 || encoded > q.room || len(q.entries[last]) == contract.MaxEntrySignals {
		q.entries, q.room, q.ended = append(q.entries, nil), entryRoom, false
		last++
	}
	q.entries[last] = append(q.entries[last], seq)
	q.room -= encoded
	q.signals++
	q.bytes += encoded
}

// sized returns a signal that takes so many bytes in an entry, or a few less.
func sized(seq uint64, encoded int) (s *contract.Signal, takes int) {
	s = signal(seq)
	s.Body = nil
	least := len(contract.AppendSignal(nil, s))
	s.Body = make([]byte, max(1, encoded-least))
	for takes = len(contract.AppendSignal(nil, s)); takes > encoded && len(s.Body) > 1; takes = len(contract.AppendSignal(nil, s)) {
		s.Body = s.Body[1:]
	}
	return s, takes
}

// TestLinks_limits_properties fills a link's queue while its gate is closed: it
// takes what the limits allow, and cuts it into as few entries as they allow.
func TestLinks_limits_properties(t *testing.T) {
	b := newBench(t, -1)
	rapid.Check(t, func(t *rapid.T) {
		first := b.head() + 1
		q := &queue{o: link.DefaultOptions()}
		q.o.From = b.from
		q.o.Subject = func(to contract.Token) string { return b.log.Subject(b.from, to) }
		q.o.MaxQueueSignals = rapid.SampledFrom([]int{5, 2500}).Draw(t, "signals")
		q.o.MaxQueueBytes = rapid.SampledFrom([]int{100_000, contract.MaxEntryBytes * 5 / 4}).Draw(t, "bytes")
		var open atomic.Bool
		q.o.Gate = open.Load
		links, err := link.New(b.nc, b.log, q.o)
		if err != nil {
			t.Fatal(err)
		}
		defer links.Close()
		to, err := contract.NewProcessID("to")
		if err != nil {
			t.Fatal(err)
		}
		var c collector
		seq := uint64(0)
		send := func(t *rapid.T, encoded int) {
			s, takes := sized(seq+1, encoded)
			can, sends := q.fits(len(s.Body), takes)
			if got := links.CanTake(to, len(s.Body)); got != can {
				t.Fatalf("CanTake(%d) is %v behind %d signals of %d bytes", len(s.Body), got, q.signals, q.bytes)
			}
			c.left.Add(1)
			if got := links.Send(to, s, &c); got != sends {
				t.Fatalf("Send of %d bytes is %v behind %d signals of %d bytes", takes, got, q.signals, q.bytes)
			}
			if !sends {
				c.left.Done()
				return
			}
			seq++
			q.add(seq, takes)
		}
		t.Repeat(map[string]func(*rapid.T){
			"small": func(t *rapid.T) { send(t, rapid.IntRange(20, 2000).Draw(t, "bytes")) },
			"large": func(t *rapid.T) {
				send(t, entryRoom/rapid.IntRange(1, 4).Draw(t, "part")+rapid.IntRange(-2, 2).Draw(t, "more"))
			},
			"rest": func(t *rapid.T) { send(t, q.room+rapid.IntRange(-1, 1).Draw(t, "more")) },
			"many": func(t *rapid.T) {
				for range rapid.IntRange(990, 1010).Draw(t, "signals") {
					send(t, 0)
				}
			},
			"mark": func(t *rapid.T) {
				links.AfterSettled(to, func(error) {})
				q.ended = true
			},
		})
		open.Store(true)
		c.left.Wait()
		got := b.entries(t, first)
		if len(got) != len(q.entries) {
			t.Fatalf("%d entries, want %d", len(got), len(q.entries))
		}
		for i := range got {
			if got[i].bytes > contract.MaxEntryBytes || !slices.Equal(got[i].seqs, q.entries[i]) {
				t.Fatalf("entry %d: %d bytes, signals %d; want %d", i, got[i].bytes, got[i].seqs, q.entries[i])
			}
		}
	})
}
