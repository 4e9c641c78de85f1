package poll

import (
	"testing"
	"time"
)

// TestPace_note feeds a steady rate and asks how long the poller waits.
func TestPace_note(t *testing.T) {
	const tick = 5 * time.Millisecond
	for _, tt := range []struct {
		name        string
		tick        time.Duration
		every       time.Duration
		sockets     int
		least, most time.Duration
	}{
		{"a socket now and then", tick, 10 * time.Millisecond, 1, 0, 0},
		{"less than two in the wait", tick, 1200 * time.Microsecond, 1, 0, 0},
		{"more than two in half a tick", tick, time.Millisecond, 1, 2 * time.Millisecond, 3 * time.Millisecond},
		{"enough for a whole tick", tick, 400 * time.Microsecond, 1, tick, tick},
		{"many at once", tick, tick, 50, tick, tick},
		{"many, but no tick", 0, 400 * time.Microsecond, 1, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := pace{tick: tt.tick}
			var got time.Duration
			for now := time.Duration(0); now < time.Second; now += tt.every {
				got = p.note(now, tt.sockets)
			}
			if got < tt.least || got > tt.most {
				t.Errorf("after a second of it the poller waits %v, want %v to %v", got, tt.least, tt.most)
			}
		})
	}
}

func TestPace_note_forgetsABurst(t *testing.T) {
	p := pace{tick: 5 * time.Millisecond}
	if p.note(time.Second, 1000) == 0 {
		t.Fatal("a thousand sockets at once don't make it wait")
	}
	if wait := p.note(time.Second+rateWindow, 1); wait != 0 {
		t.Errorf("it waits %v when the burst is out of the window", wait)
	}
}
