package authsvc

import (
	"testing"
	"time"

	"github.com/parley-rtc/parley/authsvc/internal/directory"
)

func TestLimits(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	one, two := directory.HashOf("one"), directory.HashOf("two")
	l := newLimits(10, 3)
	take := func(want time.Duration, key directory.Hash, after time.Duration) {
		t.Helper()
		if got := l.take(key, now.Add(after)); got != want {
			t.Errorf("after %v: wait %v, want %v", after, got, want)
		}
	}
	for range 3 {
		take(0, one, 0)
	}
	take(100*time.Millisecond, one, 0)
	take(100*time.Millisecond, one, 0) // a refusal costs nothing
	take(0, two, 0)
	take(time.Millisecond, one, 99*time.Millisecond)
	take(0, one, 100*time.Millisecond)
	take(100*time.Millisecond, one, 100*time.Millisecond)
	l.forget([]directory.Hash{one})
	if len(l.byKey) != 1 {
		t.Errorf("%d keys are remembered, want 1", len(l.byKey))
	}
	take(0, one, 100*time.Millisecond)
}
