package link_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/embednats"
	"github.com/parley-rtc/parley/services/link"
	"github.com/parley-rtc/parley/services/natstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a NATS server with a signal log of one shard, and links into it.
type bench struct {
	t      *testing.T
	server *embednats.Server
	nc     *nats.Conn
	js     jetstream.JetStream
	log    *link.Log
	from   contract.Token
	to     contract.Token
}

func newBench(t *testing.T, maxBytes int64) *bench {
	t.Helper()
	b := &bench{t: t, server: natstest.Start(t)}
	b.nc = natstest.Connect(t, b.server)
	var err error
	if b.js, err = jetstream.New(b.nc); err != nil {
		t.Fatal(err)
	}
	bucket := contract.SignalsBucket(0)
	_, err = b.js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: contract.StreamOf(bucket), Subjects: []string{"$KV." + bucket + ".>"},
		MaxMsgsPerSubject: -1, MaxBytes: maxBytes, Discard: jetstream.DiscardNew,
		Metadata: map[string]string{contract.ShardsMetadata: "1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if b.log, err = link.OpenLog(t.Context(), b.js); err != nil {
		t.Fatal(err)
	}
	b.from, _ = contract.NewProcessID("from")
	b.to, _ = contract.NewProcessID("to")
	return b
}

func (b *bench) links(change func(*link.Options)) *link.Links {
	o := link.DefaultOptions()
	o.From = b.from
	o.Subject = func(to contract.Token) string { return b.log.Subject(b.from, to) }
	if change != nil {
		change(&o)
	}
	l, err := link.New(b.nc, b.log, o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(l.Close)
	return l
}

func signal(seq uint64) *contract.Signal {
	return &contract.Signal{
		Kind: contract.KindMessage, App: []byte("app"), Room: []byte("room"), From: []byte("peer"),
		Seq: seq, Body: []byte(`{"data":` + strconv.FormatUint(seq, 10) + `}`),
	}
}

// collector is a Waiter that keeps what it hears.
type collector struct {
	mu   sync.Mutex
	seqs []uint64
	outs []link.Outcome
	left sync.WaitGroup
}

func (c *collector) Settled(seq uint64, o link.Outcome) {
	c.mu.Lock()
	c.seqs, c.outs = append(c.seqs, seq), append(c.outs, o)
	c.mu.Unlock()
	c.left.Done()
}

func (c *collector) wait(t *testing.T) {
	t.Helper()
	done := make(chan struct{})
	go func() { c.left.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(60 * time.Second):
		t.Fatal("signals stayed unsettled")
	}
}

// logged reads the seqs of all signals of the log, in the log's order.
func (b *bench) logged() (seqs []uint64, entries int) {
	b.t.Helper()
	all := b.entries(b.t, 1)
	for _, one := range all {
		seqs = append(seqs, one.seqs...)
	}
	return seqs, len(all)
}

// head is the revision of the log's last entry.
func (b *bench) head() uint64 {
	info, err := b.log.Stream(b.to).Info(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return info.State.LastSeq
}

// logEntry is an entry of the log.
type logEntry struct {
	subject string
	bytes   int
	seqs    []uint64 // of its signals
}

// entries reads the log from a revision on.
func (b *bench) entries(t failer, first uint64) (all []logEntry) {
	t.Helper()
	for revision, head := first, b.head(); revision <= head; revision++ {
		m, err := b.log.Stream(b.to).GetMsg(b.t.Context(), revision)
		if err != nil {
			t.Fatal(err)
		}
		items, err := contract.ReadEntry(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		one := logEntry{subject: m.Subject, bytes: len(m.Data)}
		for {
			more, err := items.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			var s contract.Signal
			if items.IsSignal() {
				if err := items.Signal(&s); err != nil {
					t.Fatal(err)
				}
				one.seqs = append(one.seqs, s.Seq)
			}
		}
		all = append(all, one)
	}
	return all
}

// failer is a test or a rapid check.
type failer interface {
	Helper()
	Fatal(args ...any)
}

func TestLinks_Send_commitsOnceAndInOrderOverARestartOfNATS(t *testing.T) {
	b := newBench(t, -1)
	links := b.links(nil)
	const count = 20_000
	var c collector
	c.left.Add(count)
	for seq := uint64(1); seq <= count; seq++ {
		for !links.Send(b.to, signal(seq), &c) {
			time.Sleep(time.Millisecond)
		}
		if seq == count/2 {
			b.server = natstest.Restart(t, b.server)
		}
	}
	c.wait(t)
	seqs, entries := b.logged()
	if len(seqs) != count {
		t.Fatalf("the log holds %d signals, want %d", len(seqs), count)
	}
	for i := range seqs {
		if seqs[i] != uint64(i+1) || c.seqs[i] != uint64(i+1) || c.outs[i].Err != nil {
			t.Fatalf("place %d: logged %d, settled %d (%v), want %d", i, seqs[i], c.seqs[i], c.outs[i].Err, i+1)
		}
	}
	if entries*4 > count {
		t.Errorf("%d signals took %d entries: signals of a busy link don't travel together", count, entries)
	}
}

func TestLinks_Send_readsTheVerdictsOfACommitWhoseAnswerWasLost(t *testing.T) {
	b := newBench(t, -1)
	want := contract.Verdict{From: "peer", Seq: 1, Rule: contract.RulePrivateAddress, Count: 2}
	var attempts atomic.Int32
	filter, err := b.nc.Subscribe(contract.SubjectFilterAll, func(m *nats.Msg) {
		out := nats.NewMsg(b.log.Subject(b.from, b.to))
		out.Header = m.Header
		if attempts.Add(1) == 1 {
			out.Data = contract.AppendVerdict(m.Data, &want) // and nobody is told
		} else {
			out.Data, out.Reply = m.Data, m.Reply
		}
		if err := b.nc.PublishMsg(out); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer filter.Unsubscribe() //nolint:errcheck // the server ends with the test
	links := b.links(func(o *link.Options) {
		o.Subject = func(to contract.Token) string { return contract.FilterSubject(b.from, to) }
		o.AttemptTimeout = 200 * time.Millisecond
	})
	var c collector
	c.left.Add(2)
	links.Send(b.to, signal(1), &c)
	links.Send(b.to, signal(2), &c)
	c.wait(t)
	if got := c.outs[0].Verdicts; len(got) != 1 || got[0] != want {
		t.Errorf("verdicts of signal 1: %+v, want %+v", got, want)
	}
	if got := c.outs[1].Verdicts; len(got) != 0 {
		t.Errorf("verdicts of signal 2: %+v, want none", got)
	}
	if seqs, _ := b.logged(); fmt.Sprint(seqs) != "[1 2]" {
		t.Errorf("the log holds %v, want [1 2]", seqs)
	}
}

func TestLinks_Send_takesTheFiltersOwnAnswer(t *testing.T) {
	b := newBench(t, -1)
	want := contract.Verdict{From: "peer", Seq: 7, Refused: true, Code: contract.CodeBadCandidate, Rule: contract.RuleBadCandidate}
	filter, err := b.nc.Subscribe(contract.SubjectFilterAll, func(m *nats.Msg) {
		answer, err := json.Marshal(contract.FilterAnswer{Filter: true, Verdicts: []contract.Verdict{want}})
		if err == nil {
			err = m.Respond(answer)
		}
		if err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer filter.Unsubscribe() //nolint:errcheck // the server ends with the test
	links := b.links(func(o *link.Options) {
		o.Subject = func(to contract.Token) string { return contract.FilterSubject(b.from, to) }
	})
	var c collector
	c.left.Add(1)
	links.Send(b.to, signal(7), &c)
	c.wait(t)
	if o := c.outs[0]; o.Err != nil || o.Revision != 0 || len(o.Verdicts) != 1 || o.Verdicts[0] != want {
		t.Errorf("outcome %+v, want only the verdict %+v", o, want)
	}
}

func TestLinks_Send_saysThatTheLogIsFull(t *testing.T) {
	b := newBench(t, 16<<10)
	links := b.links(nil)
	full := false
	for seq := uint64(1); seq <= 100 && !full; seq++ {
		s := signal(seq)
		s.Body = make([]byte, 1<<10)
		var c collector
		c.left.Add(1)
		links.Send(b.to, s, &c)
		c.wait(t)
		if err := c.outs[0].Err; err != nil && !errors.Is(err, link.ErrFull) {
			t.Fatalf("signal %d: %v, want ErrFull", seq, err)
		}
		full = c.outs[0].Err != nil
	}
	if !full {
		t.Error("a log of 16 KiB took 100 KiB")
	}
}

func TestLinks_Send_givesUpWhenTheBudgetIsOver(t *testing.T) {
	b := newBench(t, -1)
	links := b.links(func(o *link.Options) {
		o.Subject = func(contract.Token) string { return "nobody.listens" }
		o.Budget = 300 * time.Millisecond
		o.BackoffMin = 10 * time.Millisecond
	})
	var c collector
	c.left.Add(3)
	for seq := uint64(1); seq <= 3; seq++ {
		links.Send(b.to, signal(seq), &c)
	}
	c.wait(t)
	for i, o := range c.outs {
		if !errors.Is(o.Err, link.ErrUnknown) || c.seqs[i] != uint64(i+1) {
			t.Errorf("signal %d: %v, want ErrUnknown for all, in order", c.seqs[i], o.Err)
		}
	}
}

func TestLinks_Send_refusesWhatTheQueueCantHold(t *testing.T) {
	tests := []struct {
		name   string
		change func(*link.Options)
	}{
		{"signals", func(o *link.Options) { o.MaxQueueSignals = 5 }},
		{"bytes", func(o *link.Options) { o.MaxQueueBytes = 5 * len(contract.AppendSignal(nil, signal(1))) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBench(t, -1)
			links := b.links(func(o *link.Options) {
				tt.change(o)
				o.Gate = func() bool { return false }
			})
			var c collector
			took := 0
			for seq := uint64(1); seq <= 10; seq++ {
				c.left.Add(1)
				if !links.Send(b.to, signal(seq), &c) {
					c.left.Done()
					break
				}
				took++
			}
			if took != 5 {
				t.Errorf("the queue took %d signals, want 5", took)
			}
			if other, _ := contract.NewProcessID("other"); links.CanTake(b.to, len(signal(6).Body)) || !links.CanTake(other, 1) {
				t.Error("CanTake is true of a full link, or false of an empty one")
			}
			links.Close()
			c.wait(t)
		})
	}
}

func TestLinks_Gate_nothingIsCutWhileItIsClosed(t *testing.T) {
	b := newBench(t, -1)
	var open atomic.Bool
	links := b.links(func(o *link.Options) { o.Gate = open.Load })
	var c collector
	c.left.Add(1)
	links.Send(b.to, signal(1), &c)
	if seqs, _ := b.logged(); len(seqs) != 0 {
		t.Errorf("the log holds %v behind a closed gate", seqs)
	}
	open.Store(true)
	c.wait(t)
	if seqs, _ := b.logged(); len(seqs) != 1 {
		t.Errorf("the log holds %v, want one signal", seqs)
	}
}

func TestLinks_AfterSettled(t *testing.T) {
	b := newBench(t, -1)
	var open atomic.Bool
	links := b.links(func(o *link.Options) { o.Gate = open.Load })
	called := false
	links.AfterSettled(b.to, func(error) { called = true })
	if !called {
		t.Error("an idle link did not call at once")
	}
	var c collector
	c.left.Add(1)
	links.Send(b.to, signal(1), &c)
	settledBefore := make(chan int, 1)
	links.AfterSettled(b.to, func(error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		settledBefore <- len(c.seqs)
	})
	c.left.Add(1)
	links.Send(b.to, signal(2), &c)
	open.Store(true)
	if got := <-settledBefore; got < 1 {
		t.Errorf("called when %d signals were settled, want after the first", got)
	}
	c.wait(t)
}

// TestLinks_AfterSettled_knowsTheLastRevision has signals wait before and behind
// the call: Last must be the revision of those before it.
func TestLinks_AfterSettled_knowsTheLastRevision(t *testing.T) {
	b := newBench(t, -1)
	var open atomic.Bool
	links := b.links(func(o *link.Options) { o.Gate = open.Load })
	var c collector
	ends := make(chan uint64, 3)
	for seq := uint64(1); seq <= 3; seq++ {
		c.left.Add(1)
		links.Send(b.to, signal(seq), &c)
		links.AfterSettled(b.to, func(error) { ends <- links.Last(b.to) })
	}
	open.Store(true)
	c.wait(t)
	for i := range c.outs {
		if got := <-ends; got != c.outs[i].Revision || i > 0 && got == c.outs[i-1].Revision {
			t.Errorf("behind signal %d: Last is %d, want %d, of that signal alone", i+1, got, c.outs[i].Revision)
		}
	}
}

func TestLinks_AfterSettled_tellsThatTheOutcomeIsUnknown(t *testing.T) {
	b := newBench(t, -1)
	var open atomic.Bool
	links := b.links(func(o *link.Options) {
		o.Subject = func(contract.Token) string { return "nobody.listens" }
		o.Budget = 100 * time.Millisecond
		o.Gate = open.Load
	})
	var c collector
	c.left.Add(1)
	links.Send(b.to, signal(1), &c)
	told := make(chan error, 1)
	links.AfterSettled(b.to, func(err error) { told <- err })
	open.Store(true) // the budget begins now, with the function behind the signal
	if err := <-told; !errors.Is(err, link.ErrUnknown) {
		t.Errorf("got %v, want ErrUnknown", err)
	}
	c.wait(t)
}

func TestLinks_Close_settlesEverything(t *testing.T) {
	b := newBench(t, -1)
	links := b.links(func(o *link.Options) {
		o.Subject = func(contract.Token) string { return "nobody.listens" }
	})
	var c collector
	for seq := uint64(1); seq <= 100; seq++ {
		c.left.Add(1)
		links.Send(b.to, signal(seq), &c)
	}
	links.Close()
	c.wait(t)
	for _, o := range c.outs {
		if !errors.Is(o.Err, link.ErrClosed) {
			t.Fatalf("outcome %v, want ErrClosed", o.Err)
		}
	}
	if links.Send(b.to, signal(101), &c) {
		t.Error("a closed link took a signal")
	}
}

func TestOpenLog_waitsForTheShardsAndEndsWithItsContext(t *testing.T) {
	server := natstest.Start(t)
	js, err := jetstream.New(natstest.Connect(t, server))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := link.OpenLog(ctx, js); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("OpenLog without a log: %v, want the context's error", err)
	}
}
