package edge

import (
	"errors"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// TestReader_run_endsWhenTheLogIsMadeAnew: revisions of the old log mean nothing
// in the new one, so that an edge that read on would skip signals.
func TestReader_run_endsWhenTheLogIsMadeAnew(t *testing.T) {
	y := newYard(t)
	follows, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		ended <- y.r.e.reader.run(t.Context(), func(err error) {
			if err == nil {
				select {
				case follows <- struct{}{}:
				default:
				}
			}
		})
	}()
	<-follows
	name := contract.StreamOf(contract.SignalsBucket(0))
	stream, err := y.js.Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := y.js.DeleteStream(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	if _, err := y.js.CreateStream(t.Context(), stream.CachedInfo().Config); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, errLogReplaced) {
		t.Errorf("the reader ended with %v, want %v", err, errLogReplaced)
	}
}

// TestReader_look_doesNotCountTheTimeOfAnEntry: a consumer isn't stuck because the edge
// is busy with an entry for long, as it is with one for a room of a thousand.
func TestReader_look_doesNotCountTheTimeOfAnEntry(t *testing.T) {
	y := newYard(t)
	y.open.Store(true)
	y.send(y.r.e.id, 1, 1)
	y.wait.Wait()
	r := y.r.e.reader
	l := look{r: r, filter: contract.SignalsFor(r.e.log.Shard(r.e.id), r.e.id)}
	r.mu.Lock() // as who hands one on
	looked := make(chan error, 1)
	go func() { looked <- l.look(t.Context()) }()
	<-time.After(overdue + 4*lookStep) // nothing is waited for: that is how long it takes
	r.mu.Unlock()
	if err := <-looked; err != nil {
		t.Error(err)
	}
	if len(r.stuck) > 0 {
		t.Error("the consumer is taken for stuck")
	}
	if got := r.position.Load(); got != 1 {
		t.Errorf("the position is %d, want 1", got)
	}
}
