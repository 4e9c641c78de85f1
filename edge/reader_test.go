package edge

import (
	"errors"
	"testing"

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
