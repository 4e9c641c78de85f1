package poll

import (
	"testing"
	"time"
)

// TestPace_note feeds a steady rate and asks whether the poller waits for ticks.
func TestPace_note(t *testing.T) {
	const tick = 2 * time.Millisecond
	for _, tt := range []struct {
		name   string
		tick   time.Duration
		every  time.Duration
		events int
		want   bool
	}{
		{"a socket now and then", tick, 10 * time.Millisecond, 1, false},
		{"less than two a tick", tick, 1200 * time.Microsecond, 1, false},
		{"more than two a tick", tick, 800 * time.Microsecond, 1, true},
		{"many at once", tick, tick, 50, true},
		{"many, but no tick", 0, 800 * time.Microsecond, 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := pace{tick: tt.tick}
			got := false
			for now := time.Duration(0); now < time.Second; now += tt.every {
				got = p.note(now, tt.events)
			}
			if got != tt.want {
				t.Errorf("after a second of it the poller is busy: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestPace_note_forgetsABurst(t *testing.T) {
	p := pace{tick: 2 * time.Millisecond}
	if !p.note(time.Second, 1000) {
		t.Fatal("a thousand sockets at once don't make it busy")
	}
	if p.note(time.Second+rateWindow, 1) {
		t.Error("it is still busy when the burst is out of the window")
	}
}
