package backend

import (
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	one, two := HashOf("one"), HashOf("two")
	l := NewLimits(10, 3)
	take := func(want time.Duration, key Hash, after time.Duration) {
		t.Helper()
		if got := l.Take(key, now.Add(after)); got != want {
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
	l.Forget([]Hash{one})
	if len(l.byKey) != 1 {
		t.Errorf("%d keys are remembered, want 1", len(l.byKey))
	}
	take(0, one, 100*time.Millisecond)
}
