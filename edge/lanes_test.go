package edge

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/embednats"
	"github.com/parley-rtc/parley/services/link"
	"github.com/parley-rtc/parley/services/natstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// yard is a room whose signals go straight to a real log, through links whose
// gate the test opens.
type yard struct {
	t      *testing.T
	server *embednats.Server
	r      *room
	js     jetstream.JetStream
	log    *link.Log
	mute   contract.Token // nobody answers for entries to it
	open   atomic.Bool
	wait   settledSignals
}

// settledSignals is a link.Waiter that counts.
type settledSignals struct {
	sync.WaitGroup
	t *testing.T
}

func (s *settledSignals) Settled(seq uint64, o link.Outcome) {
	if o.Err != nil {
		s.t.Errorf("signal %d: %v", seq, o.Err)
	}
	s.Done()
}

func newYard(t *testing.T) *yard {
	t.Helper()
	return newYardWithin(t, link.DefaultOptions().Budget)
}

// newYardWithin is a yard whose links give up after a time.
func newYardWithin(t *testing.T, budget time.Duration) *yard {
	t.Helper()
	server := natstest.Start(t)
	nc := natstest.Connect(t, server)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	bucket := contract.SignalsBucket(0)
	_, err = js.CreateStream(t.Context(), jetstream.StreamConfig{
		Name: contract.StreamOf(bucket), Subjects: []string{"$KV." + bucket + ".>"}, MaxMsgsPerSubject: -1,
		Metadata: map[string]string{contract.ShardsMetadata: "1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	y := &yard{t: t, server: server, js: js}
	y.wait.t = t
	if y.log, err = link.OpenLog(t.Context(), js); err != nil {
		t.Fatal(err)
	}
	self := process(t, "self")
	o := link.DefaultOptions()
	o.From, o.Gate = self, y.open.Load
	y.mute = process(t, "mute")
	o.Budget = budget
	o.Subject = func(to contract.Token) string {
		if to == y.mute {
			return "nobody.listens"
		}
		return y.log.Subject(self, to)
	}
	links, err := link.New(nc, y.log, o)
	if err != nil {
		t.Fatal(err)
	}
	e := &Edge{
		cfg: DefaultConfig(), id: self, nc: nc, js: js, log: y.log, links: links, byRoom: map[string]*room{},
		sessions: map[string]*clientSession{}, bySecret: map[secretHash]*clientSession{},
	}
	e.movers.e, e.shelves.e, e.reader, e.lease = e, e, newReader(e), newLease(nil, self, "")
	e.work, e.stopWork = context.WithCancel(context.Background())
	t.Cleanup(func() {
		e.stopWork()
		e.links.Close()
		e.wg.Wait()
	})
	y.r = e.enter(contract.ID("app").Token(), contract.ID("room").Token())
	return y
}

func process(t *testing.T, name string) contract.Token {
	t.Helper()
	id, err := contract.NewProcessID(name)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// send sends signals with these numbers to an edge.
func (y *yard) send(to contract.Token, first, last uint64) {
	y.r.mu.Lock()
	defer y.r.mu.Unlock()
	for seq := first; seq <= last; seq++ {
		y.wait.Add(1)
		s := contract.Signal{
			Kind: contract.KindMessage, App: []byte("app"), Room: []byte("room"), From: []byte("sender"), Seq: seq, Body: []byte("{}"),
		}
		if !y.r.send(to, &s, &y.wait) {
			y.t.Errorf("signal %d was not taken", seq)
			y.wait.Done()
		}
	}
}

func (y *yard) move(from, to contract.Token) {
	y.r.mu.Lock()
	defer y.r.mu.Unlock()
	y.r.moved(from, to)
}

// logged waits until all is settled and reads the seqs in the log's order.
func (y *yard) logged() (seqs []uint64) {
	y.t.Helper()
	y.wait.Wait()
	info, err := y.log.Stream(y.r.e.id).Info(y.t.Context())
	if err != nil {
		y.t.Fatal(err)
	}
	for revision := uint64(1); revision <= info.State.LastSeq; revision++ {
		data, err := y.log.Entry(y.t.Context(), y.r.e.id, revision)
		if err != nil {
			y.t.Fatal(err)
		}
		items, err := contract.ReadEntry(data)
		for more := true; err == nil && more; {
			var s contract.Signal
			if more, err = items.Next(); more && err == nil {
				err = items.Signal(&s)
				seqs = append(seqs, s.Seq)
			}
		}
		if err != nil {
			y.t.Fatal(err)
		}
	}
	return seqs
}

func checkRising(t *testing.T, seqs []uint64, count int) {
	t.Helper()
	if len(seqs) != count {
		t.Errorf("the log holds %v, want %d signals", seqs, count)
	}
	for i := 1; i < len(seqs); i++ {
		if seqs[i] <= seqs[i-1] {
			t.Errorf("the log holds %v, want them in the order of sending", seqs)
			return
		}
	}
}

func TestRoom_Send_keepsTheOrderWhenTheReceiverMoves(t *testing.T) {
	y := newYard(t)
	b, c := process(t, "b"), process(t, "c")
	y.send(b, 1, 50)
	y.move(b, c)
	y.send(c, 51, 100)
	y.r.mu.Lock()
	held := len(y.r.lanes[c].signals)
	y.r.mu.Unlock()
	if held != 50 {
		t.Errorf("the lane holds %d signals while the old link isn't settled, want 50", held)
	}
	y.open.Store(true)
	checkRising(t, y.logged(), 100)
	y.r.mu.Lock()
	defer y.r.mu.Unlock()
	if len(y.r.lanes) != 0 {
		t.Errorf("%d lanes are left when all is settled", len(y.r.lanes))
	}
}

func TestRoom_Send_keepsTheOrderWhenTheReceiverMovesTwiceQuickly(t *testing.T) {
	y := newYard(t)
	b, c, d := process(t, "b"), process(t, "c"), process(t, "d")
	y.send(b, 1, 20)
	y.move(b, c)
	y.send(c, 21, 40)
	y.move(c, d)
	y.send(d, 41, 60)
	y.open.Store(true)
	checkRising(t, y.logged(), 60)
}

func TestRoom_Send_keepsTheOrderWhenTheReceiverGoesBackAndForth(t *testing.T) {
	y := newYard(t)
	places := []contract.Token{process(t, "b"), process(t, "c")}
	for n := range uint64(5) {
		if n > 0 {
			y.move(places[(n+1)%2], places[n%2])
		}
		y.send(places[n%2], 20*n+1, 20*n+20)
	}
	y.open.Store(true)
	checkRising(t, y.logged(), 100)
}

// TestRoom_Send_givesUpWhatWouldOvertake has the commit to the old edge stay
// unknown: its signal will be sent again, so those behind it must not go on.
func TestRoom_Send_givesUpWhatWouldOvertake(t *testing.T) {
	y := newYardWithin(t, 2*time.Second) // signal 3 may take as long
	b, c := process(t, "b"), process(t, "c")
	y.open.Store(true)
	var ends outcomes
	ends.Add(2)
	for i, to := range []contract.Token{y.mute, c} {
		y.r.mu.Lock()
		if i == 1 {
			y.r.moved(y.mute, c)
		}
		s := contract.Signal{Kind: contract.KindMessage, App: []byte("app"), Room: []byte("room"), From: []byte("sender"), Seq: uint64(i + 1), Body: []byte("{}")}
		y.r.send(to, &s, &ends)
		y.r.mu.Unlock()
	}
	ends.Wait()
	for seq, err := range ends.errs {
		if !errors.Is(err, link.ErrUnknown) {
			t.Errorf("signal %d: %v, want both to be unknown", seq+1, err)
		}
	}
	y.send(b, 3, 3)
	if got := y.logged(); len(got) != 1 {
		t.Errorf("the log holds %v, want signal 3 alone", got)
	}
}

// outcomes is a link.Waiter that keeps the errors.
type outcomes struct {
	sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

func (o *outcomes) Settled(_ uint64, out link.Outcome) {
	o.mu.Lock()
	o.errs = append(o.errs, out.Err)
	o.mu.Unlock()
	o.Done()
}

func TestRoom_Send_isNotHeldUpForOthers(t *testing.T) {
	y := newYard(t)
	b, c, other := process(t, "b"), process(t, "c"), process(t, "other")
	y.send(b, 1, 1)
	y.move(b, c)
	y.send(other, 2, 2)
	y.r.mu.Lock()
	held := y.r.lanes[other] != nil
	y.r.mu.Unlock()
	if held {
		t.Error("a move to one edge holds up the signals to another")
	}
	y.open.Store(true)
	if got := y.logged(); len(got) != 2 {
		t.Errorf("the log holds %v, want both signals", got)
	}
}

func TestRoom_Send_refusesWhatALaneCantHold(t *testing.T) {
	y := newYard(t)
	b, c := process(t, "b"), process(t, "c")
	y.send(b, 1, 1)
	y.move(b, c)
	y.send(c, 2, maxLane+1)
	y.r.mu.Lock()
	s := contract.Signal{Kind: contract.KindMessage, App: []byte("app"), Room: []byte("room"), From: []byte("sender"), Body: []byte("{}")}
	took := y.r.send(c, &s, &y.wait)
	can, other := y.r.canSend(c, 1), y.r.canSend(b, 1)
	y.r.mu.Unlock()
	if took || can {
		t.Errorf("a lane took, or says it could take, more than %d signals", maxLane)
	}
	if !other {
		t.Error("an edge without a lane can't be sent to")
	}
	y.open.Store(true)
	done := make(chan struct{})
	go func() { y.wait.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Error("the lane was not released")
	}
}
