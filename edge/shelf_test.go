package edge

import (
	"errors"
	"sync"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

// TestShelf_read fills a log with more than is read one by one, and has many read
// it at once from different places.
func TestShelf_read(t *testing.T) {
	y := newYard(t)
	y.open.Store(true)
	there := process(t, "there")
	const count = 5 * singles
	for seq := uint64(1); seq <= count; seq++ {
		y.send(there, seq, seq)
		y.wait.Wait() // an entry for each
	}
	k := y.r.e.shelves.of(there)
	check := func(after uint64) {
		signals, reached, err := k.read(t.Context(), y.r.key, after, 0)
		if err != nil || reached < count || len(signals) != int(count-after) {
			t.Errorf("after %d: %d signals up to %d, %v; want %d", after, len(signals), reached, err, count-after)
			return
		}
		for i := range signals {
			if got := signals[i].signal.Seq; got != after+uint64(i)+1 {
				t.Errorf("after %d: signal %d at place %d", after, got, i)
				return
			}
		}
	}
	check(count - 2) // what is older comes later
	var readers sync.WaitGroup
	for after := range uint64(20) {
		readers.Go(func() { check(5 * after) })
	}
	readers.Wait()
	y.send(there, count+1, count+1)
	y.wait.Wait()
	signals, _, err := k.read(t.Context(), y.r.key, count, count+1)
	if err != nil || len(signals) != 1 {
		t.Errorf("a new signal: %d, %v", len(signals), err)
	}
	if _, _, err := k.read(t.Context(), y.r.key, 0, count+1000); err == nil {
		t.Error("a log that is behind what was committed was read without an error")
	}
	k.mu.Lock()
	k.most = k.bytes // what is read from now on finds no place, but for what was read before
	k.mu.Unlock()
	y.send(there, count+2, count+2)
	y.wait.Wait()
	if signals, _, err := k.read(t.Context(), y.r.key, count, count+2); err != nil || len(signals) != 2 {
		t.Errorf("two signals of a shelf that was full: %d, %v", len(signals), err)
	}
	if _, _, err := k.read(t.Context(), y.r.key, 0, count+2); !errors.Is(err, errShelfFull) {
		t.Errorf("more than a shelf holds: %v, want %v", err, errShelfFull)
	}
	k.mu.Lock()
	k.most = maxShelfBytes
	k.mu.Unlock()
	if signals, _, err := k.read(t.Context(), contract.RoomKey(y.r.app, y.r.app), 0, 0); err != nil || len(signals) != 0 {
		t.Errorf("another room: %d signals, %v", len(signals), err)
	}
}
