package driver

import (
	"testing"
	"time"
)

// TestSchedule finds the due time of every message again by its sender's number.
func TestSchedule(t *testing.T) {
	for _, test := range []struct{ senders, rate, burst int }{{2, 10, 1}, {20, 200, 8}, {2000, 20_000, 1}, {2000, 1000, 8}, {14, 7, 3}} {
		base := make([]int, test.senders)
		for i := range base {
			base[i] = i * 3 // they have sent before, not all as much
		}
		s := NewSchedule(test.senders, test.rate, test.burst, base)
		next := append([]int(nil), base...)
		for j := range 3 * test.senders {
			sender := s.Sender(j)
			for range test.burst {
				if got, want := s.DueOf(sender, next[sender]), s.Due(j); got != want {
					t.Fatalf("%+v: message %d of sender %d is due after %s, want %s", test, next[sender], sender, got, want)
				}
				next[sender]++
			}
		}
		for sender := range next {
			if got, want := next[sender]-base[sender], 3*test.burst; got != want {
				t.Fatalf("%+v: sender %d sends %d, want %d like everybody", test, sender, got, want)
			}
		}
	}
}

func TestSchedule_Slots(t *testing.T) {
	for _, test := range []struct{ rate, burst, want int }{{1000, 1, 2000}, {1000, 8, 250}, {20_000, 1, 40_000}, {3, 1, 6}} {
		s := NewSchedule(10, test.rate, test.burst, make([]int, 10))
		got := s.Slots(2 * time.Second)
		// An interval is in whole nanoseconds, so that one slot more may fit.
		if got < test.want || got > test.want+1 {
			t.Errorf("%d/s in bursts of %d: got %d slots in 2 s, want %d", test.rate, test.burst, got, test.want)
		}
	}
}
