package candidatefilter

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/link"
	"github.com/parley-rtc/parley/services/natstest"
)

// links are the edge's, into the filter.
func (b *bench) links(change func(*link.Options)) *link.Links {
	o := link.DefaultOptions()
	o.From = b.from
	o.Subject = func(to contract.Token) string { return contract.FilterSubject(b.from, to) }
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

// outcomes is a waiter that keeps what it hears.
type outcomes struct {
	mu   sync.Mutex
	seqs []uint64
	all  []link.Outcome
}

func (o *outcomes) Settled(seq uint64, outcome link.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seqs, o.all = append(o.seqs, seq), append(o.all, outcome)
}

func (o *outcomes) await(t *testing.T, count int) {
	t.Helper()
	await(t, strconv.Itoa(count)+" signals are settled", func() bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		return len(o.all) >= count
	})
}

// traffic is signal seq of a long run: clean, with something to take out, or
// with nothing left, in turn.
func traffic(seq uint64) *contract.Signal {
	switch seq % 4 {
	case 0:
		return signal(contract.KindCandidate, seq, candidateBody(srflx))
	case 1:
		return signal(contract.KindCandidate, seq, candidateBody(privateHost))
	case 2:
		return signal(contract.KindOffer, seq, offerBody(cleanSDP))
	default:
		return signal(contract.KindMessage, seq, `{"data":`+strconv.FormatUint(seq, 10)+`}`)
	}
}

// wantTraffic checks that all of the run is settled and stored, once and in order.
func (b *bench) wantTraffic(o *outcomes, count uint64) {
	b.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, out := range o.all {
		seq := uint64(i + 1)
		wantVerdicts := 0
		if seq%4 < 2 {
			wantVerdicts = 1
		}
		if o.seqs[i] != seq || out.Err != nil || len(out.Verdicts) != wantVerdicts {
			b.t.Fatalf("place %d is signal %d with %+v, want signal %d with %d verdicts", i, o.seqs[i], out, seq, wantVerdicts)
		}
	}
	want := uint64(0)
	for _, data := range b.stored() {
		if bytes.Contains(data, []byte("192.168.7.8")) {
			b.t.Fatalf("a private address is in the log: %q", data)
		}
		signals, _ := read(b.t, data)
		for _, s := range signals {
			if want++; want%4 == 1 {
				want++ // nothing of it is left
			}
			if s.Seq != want {
				b.t.Fatalf("the log holds signal %d where %d must be", s.Seq, want)
			}
		}
	}
	if left := count - want; left > 1 {
		b.t.Fatalf("the log ends with signal %d, want %d", want, count)
	}
}

func TestFilter_restartsInTheMiddleOfALongRunLoseAndRepeatNothing(t *testing.T) {
	b := newBench(t, 1, -1)
	links := b.links(nil)
	stop := b.start(DefaultConfig())
	const count, restarts, waiting = 10_000, 5, 200
	var o outcomes
	for seq := uint64(1); seq <= count; seq++ {
		if !links.Send(b.to, traffic(seq), &o) {
			t.Fatalf("the link didn't take signal %d", seq)
		}
		if seq%(waiting/2) == 0 && seq > waiting {
			o.await(t, int(seq-waiting)) // so that the run is many entries
		}
		if seq%(count/restarts) == count/restarts/2 {
			stop()
			stop = b.start(DefaultConfig())
		}
	}
	o.await(t, count)
	b.wantTraffic(&o, count)
}

func TestFilter_severalShareTheWorkAndStoreAnEntryOnce(t *testing.T) {
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	b.start(DefaultConfig())
	// A third one takes its share and never answers, as one that was stopped
	// by the system does: its entries are sent again and end up elsewhere.
	silent, err := natstest.Connect(t, b.server).QueueSubscribeSync(contract.SubjectFilterAll, contract.QueueFilter)
	if err != nil {
		t.Fatal(err)
	}
	links := b.links(func(o *link.Options) {
		o.Gather = 0
		o.AttemptTimeout, o.BackoffMin, o.BackoffMax = 20*time.Millisecond, time.Millisecond, time.Millisecond
	})
	const count = 160
	var o outcomes
	for seq := uint64(1); seq <= count; seq++ {
		links.Send(b.to, traffic(seq), &o)
		o.await(t, int(seq)) // an entry each
	}
	b.wantTraffic(&o, count)
	if lost, _, err := silent.Pending(); err != nil || lost < count/10 {
		t.Errorf("the silent one got %d messages, %v, want about a third of all", lost, err)
	}
}

func TestFilter_aFullLogIsToldToTheEdge(t *testing.T) {
	for name, body := range map[string]string{
		"clean entries":         candidatesBody(publicHost),
		"entries with verdicts": candidatesBody(publicHost, privateHost),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, 1, 16<<10)
			b.start(DefaultConfig())
			links := b.links(nil)
			var o outcomes
			for seq := uint64(1); seq <= 200; seq++ {
				links.Send(b.to, signal(contract.KindCandidate, seq, body), &o)
				o.await(t, int(seq))
				if err := o.all[seq-1].Err; err != nil {
					if !errors.Is(err, link.ErrFull) {
						t.Errorf("signal %d: %v, want ErrFull", seq, err)
					}
					if got := len(b.stored()); got != int(seq)-1 {
						t.Errorf("the log holds %d entries, want the %d before", got, seq-1)
					}
					return
				}
			}
			t.Error("a log of 16 KiB took 200 entries")
		})
	}
}

// hold stops the filter's log: what is published to its first shard reaches
// nobody who answers.
func (b *bench) hold(shard int) {
	b.t.Helper()
	bucket := contract.SignalsBucket(shard)
	if err := b.js.DeleteStream(b.t.Context(), contract.StreamOf(bucket)); err != nil {
		b.t.Fatal(err)
	}
	silent := natstest.Connect(b.t, b.server)
	if _, err := silent.SubscribeSync("$KV." + bucket + ".>"); err != nil {
		b.t.Fatal(err)
	}
	if err := silent.Flush(); err != nil {
		b.t.Fatal(err)
	}
}

// publish sends an entry as ask does and returns what will hear the answer.
func (b *bench) publish(to contract.Token, n uint64, data []byte) *nats.Subscription {
	b.t.Helper()
	inbox := b.nc.NewInbox()
	sub, err := b.nc.SubscribeSync(inbox)
	if err != nil {
		b.t.Fatal(err)
	}
	m := nats.NewMsg(contract.FilterSubject(b.from, to))
	m.Header[contract.HeaderMessageID] = []string{contract.MessageID(b.from, to, n)}
	m.Reply, m.Data = inbox, data
	if err := b.nc.PublishMsg(m); err != nil {
		b.t.Fatal(err)
	}
	return sub
}

func TestFilter_aSilentShardHoldsUpNoOther(t *testing.T) {
	b := newBench(t, 2, -1)
	cfg := DefaultConfig()
	cfg.Workers, cfg.Commits = 1, 20
	b.start(cfg)
	sick := process(t, "sick")
	for b.log.Shard(sick) != 0 {
		sick = process(t, "sick")
	}
	for b.log.Shard(b.to) != 1 {
		b.to = process(t, "to")
	}
	b.hold(0)
	mixed := entryOf(signal(contract.KindCandidate, 1, candidatesBody(publicHost, privateHost)))
	var silent []*nats.Subscription
	for n := range uint64(cfg.Commits - 1) {
		silent = append(silent, b.publish(sick, n+1, mixed))
	}
	// Were the one worker to wait for each of them, this would take 19 s.
	began := time.Now()
	if r := b.ask(1, mixed); r.Revision != 1 || len(r.Verdicts) != 1 {
		t.Errorf("an entry for the other shard: %s, want it stored", r.text)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
	for _, one := range silent {
		if n, _, err := one.Pending(); err != nil || n != 0 {
			t.Errorf("an entry that isn't acknowledged was answered %d times, %v", n, err)
		}
	}
}

func TestFilter_entriesThatWaitForTheLogAreBounded(t *testing.T) {
	b := newBench(t, 1, -1)
	cfg := DefaultConfig()
	cfg.Workers, cfg.Commits = 1, 1
	b.start(cfg)
	b.hold(0)
	mixed := entryOf(signal(contract.KindCandidate, 1, candidatesBody(publicHost, privateHost)))
	full := `parley_candidatefilter_failed_commits_total{reason="full"}`
	timeout := `parley_candidatefilter_failed_commits_total{reason="timeout"}`
	before, timeouts := figure(t, full), figure(t, timeout)
	silent := b.publish(b.to, 1, mixed)
	r := b.ask(2, mixed)
	if r.Error == nil || r.Error.Code != contract.CodeUnavailable {
		t.Errorf("the second entry: %s, want unavailable", r.text)
	}
	if got := figure(t, full) - before; got != 1 {
		t.Errorf("%v were counted as full, want 1", got)
	}
	await(t, "the first one times out", func() bool { return figure(t, timeout)-timeouts == 1 })
	if n, _, err := silent.Pending(); err != nil || n != 0 {
		t.Errorf("the first entry was answered %d times, %v, want never: its edge no longer listens", n, err)
	}
}

// NATS tells nobody but the filter that nobody listens, so of a clean entry the
// edge learns nothing; of one that the filter answers for it must.
func TestFilter_aLogThatIsAwayIsToldAtOnce(t *testing.T) {
	b := newBench(t, 1, -1)
	b.start(DefaultConfig())
	if err := b.js.DeleteStream(t.Context(), contract.StreamOf(contract.SignalsBucket(0))); err != nil {
		t.Fatal(err)
	}
	if r := b.ask(1, entryOf(signal(contract.KindCandidate, 1, candidatesBody(publicHost, privateHost)))); r.Error == nil || r.Error.Code != contract.CodeUnavailable {
		t.Errorf("an entry with verdicts: %s, want unavailable", r.text)
	}
}

func TestFilter_stopsWhenNobodyWaitsForTheLog(t *testing.T) {
	b := newBench(t, 1, -1)
	f := newFilter(DefaultConfig(), natstest.Connect(t, b.server), b.log)
	stop := b.runFilter(f)
	b.hold(0)
	b.publish(b.to, 1, entryOf(signal(contract.KindCandidate, 1, candidatesBody(publicHost, privateHost))))
	await(t, "the entry waits for the log", func() bool { return len(f.commits) == 1 })
	stop()
	if got := len(f.commits); got != 0 {
		t.Errorf("%d entries wait for the log after the end", got)
	}
}

func TestFilter_stopsWhenWhatItHoldsIsDone(t *testing.T) {
	b := newBench(t, 1, -1)
	cfg := DefaultConfig()
	cfg.Workers = 1
	stop := b.start(cfg)
	const count = 300
	var inboxes []*nats.Subscription
	for n := range uint64(count) {
		inboxes = append(inboxes, b.publish(b.to, n+1, entryOf(traffic(4*n), traffic(4*n+3), signal(contract.KindOffer, 1, offerBody(cleanSDP)))))
	}
	if err := b.nc.Flush(); err != nil {
		t.Fatal(err)
	}
	stop()
	stored := 0
	for n, inbox := range inboxes {
		answer, err := inbox.NextMsg(patience)
		if err != nil {
			t.Fatalf("entry %d got no answer: %v", n+1, err)
		}
		if answer.Header.Get("Status") != "503" { // it came when the filter took no more
			stored++
		}
	}
	if got := len(b.stored()); got != stored || stored == 0 {
		t.Errorf("%d entries are stored and %d are acknowledged, want the same number and some", got, stored)
	}
}

func TestRun_waitsForTheLogAndSaysSo(t *testing.T) {
	nc := natstest.Connect(t, natstest.Start(t))
	health := lifecycle.NewHealth()
	ctx, cancel := context.WithCancel(lifecycle.WithHealth(t.Context(), health))
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, DefaultConfig(), nc) }()
	await(t, "the check is there", func() bool { _, checks := health.Ready(); return checks[check] != "" })
	if ready, checks := health.Ready(); ready || checks[check] != lifecycle.ErrStarting.Error() {
		t.Errorf("without a log it says %v, %v", ready, checks)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("asked to stop it ended with %v", err)
	}
}

func TestRun_isReadyUntilItStops(t *testing.T) {
	b := newBench(t, 1, -1)
	nc := natstest.Connect(t, b.server)
	health := lifecycle.NewHealth()
	ctx, cancel := context.WithCancel(lifecycle.WithHealth(t.Context(), health))
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, DefaultConfig(), nc) }()
	await(t, "ready", func() bool { _, checks := health.Ready(); return checks[check] == "ok" })
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("asked to stop it ended with %v", err)
	}
	if ready, checks := health.Ready(); ready {
		t.Errorf("after its end it says %v", checks)
	}
}

func TestRun_refusesAFaultyConfiguration(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Workers = 0
	if err := Run(t.Context(), cfg, natstest.Connect(t, natstest.Start(t))); err == nil || !strings.Contains(err.Error(), "workers") {
		t.Errorf("got %v, want the fault of workers", err)
	}
}

func TestRun_refusesANATSThatTakesTooLittle(t *testing.T) {
	small, err := server.NewServer(&server.Options{Port: server.RANDOM_PORT, MaxPayload: payloadBytes - 1, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	small.Start()
	defer small.Shutdown()
	nc, err := nats.Connect("", nats.InProcessServer(small))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := Run(t.Context(), DefaultConfig(), nc); err == nil || !strings.Contains(err.Error(), "max_payload") {
		t.Errorf("got %v, want a fault that names max_payload", err)
	}
}
