package poll

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
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

// seen is what happened on the sockets, for bounds of their rate.
type seen struct {
	at      time.Duration
	sockets int
}

// rateBounds are what the rate of late can be said to be: each look counts for
// the less the older it is, at least linearly over the window and at most as an
// exponential of it.
func rateBounds(all []seen, now time.Duration) (least, most float64) {
	for _, s := range all {
		age := float64(now-s.at) / float64(rateWindow)
		least += float64(s.sockets) * max(0, 1-age)
		most += float64(s.sockets) * math.Exp(-age)
	}
	return least / rateWindow.Seconds(), most / rateWindow.Seconds()
}

// TestPace_properties: the poller never waits longer than a tick, waits for less
// only in proportion to the rate, and only if enough is to be expected meanwhile.
func TestPace_properties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tick := time.Duration(rapid.IntRange(0, 10_000).Draw(t, "tick")) * time.Microsecond
		p, busier := pace{tick: tick}, pace{tick: tick}
		var all []seen
		now := time.Duration(0)
		const rounding = 1e-6
		t.Repeat(map[string]func(*rapid.T){"look": func(t *rapid.T) {
			now += time.Duration(rapid.OneOf(rapid.IntRange(0, 2000), rapid.IntRange(0, 60_000)).Draw(t, "passed")) * time.Microsecond
			sockets := rapid.OneOf(rapid.IntRange(0, 3), rapid.IntRange(0, 600)).Draw(t, "sockets")
			all = append(all, seen{now, sockets})
			least, most := rateBounds(all, now)
			wait := p.note(now, sockets)
			share := wait.Seconds() / max(tick.Seconds(), rounding)
			switch {
			case wait < 0 || wait > tick:
				t.Fatalf("it waits %v of a tick of %v", wait, tick)
			case wait > 0 && most*wait.Seconds() < busyReads-rounding:
				t.Fatalf("it waits %v for %.1f sockets a second", wait, most)
			case wait > 0 && share > most/fullRate+rounding:
				t.Fatalf("it waits %v of %v for %.0f sockets a second", wait, tick, most)
			case wait > 0 && share < min(1, least/fullRate)-rounding-1/float64(tick):
				t.Fatalf("it waits only %v of %v for %.0f sockets a second", wait, tick, least)
			case wait == 0 && least*tick.Seconds()*min(1, least/fullRate) > busyReads+rounding:
				t.Fatalf("it doesn't wait for %.0f sockets a second", least)
			}
			if more := busier.note(now, sockets+rapid.IntRange(0, 20).Draw(t, "more")); more < wait {
				t.Fatalf("it waits %v, and %v when there is more", wait, more)
			}
		}})
	})
}
