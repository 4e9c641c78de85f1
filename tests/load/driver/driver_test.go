//go:build linux

package driver

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/load/dialect"
)

const (
	// enough is a patience that no scheduler uses up.
	enough = 10 * time.Second
	// little is for who waits in vain.
	little = 300 * time.Millisecond
)

// meet is a crowd of four in two rooms of a relay.
func meet(t *testing.T, r *relay, patience time.Duration) *Crowd {
	t.Helper()
	const size = 4
	c, err := NewCrowd(Options{
		Dialect: dialect.Raw{}, Bases: []string{"ws://" + r.address}, Size: size, Room: "room-", Patience: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Open(ctx, size); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Join(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if err := c.Describe(ctx); err != nil {
		t.Fatal(err)
	}
	return c
}

// short is 100 messages in half a second.
var short = Load{Rate: 200, Burst: 1, Length: 500 * time.Millisecond}

func TestCrowd_Run(t *testing.T) {
	for _, burst := range []int{1, 8} {
		c := meet(t, newRelay(t), enough)
		load := short
		load.Burst, load.Rate = burst, 400
		marks := atomic.Int32{}
		load.Mark = func() { marks.Add(1) }
		w, err := c.Run(t.Context(), load)
		if err != nil {
			t.Fatalf("bursts of %d: %v", burst, err)
		}
		if got, want := w.Latency.TotalCount(), int64(200); got != want {
			t.Errorf("bursts of %d: got %d latencies, want %d", burst, got, want)
		}
		if w.Saturated || marks.Load() != 4 || w.Total != 200 {
			t.Errorf("bursts of %d: got saturated %v and %d marks, want false and 4", burst, w.Saturated, marks.Load())
		}
	}
}

// TestCrowd_Run_findsFaults breaks each part of the promise once.
func TestCrowd_Run_findsFaults(t *testing.T) {
	const victim = 41
	var held []byte // what is delivered late
	for want, breaks := range map[Fault]func(r *relay, text []byte, to *member){
		Dropped: func(*relay, []byte, *member) {},
		Doubled: func(_ *relay, text []byte, to *member) { to.deliver(text); to.deliver(text) },
		Swapped: func(_ *relay, text []byte, _ *member) { held = bytes.Clone(text) },
		Altered: func(_ *relay, text []byte, to *member) {
			to.deliver(bytes.Replace(text, []byte("typ srflx"), []byte("typ prflx"), 1))
		},
		Misaddressed: func(r *relay, text []byte, to *member) { r.partnerless(to).deliver(text) },
		Refused:      func(_ *relay, _ []byte, to *member) { to.deliver([]byte(`{"type":"error","message":"no"}`)) },
		Closed:       func(_ *relay, _ []byte, to *member) { _ = to.conn.Close() },
	} {
		t.Run(string(want), func(t *testing.T) {
			held = nil
			r := newRelay(t)
			var late *member
			r.relayBy(func(n int, text []byte, to *member) {
				switch {
				case n == victim:
					late = to
					breaks(r, text, to)
				case held != nil && to == late:
					to.deliver(text)
					to.deliver(held)
					held = nil
				default:
					to.deliver(text)
				}
			})
			_, err := meet(t, r, little).Run(t.Context(), short)
			var fault *FaultError
			if !errors.As(err, &fault) {
				t.Fatalf("got %v, want a fault", err)
			}
			if fault.Faults[want] == 0 {
				t.Errorf("got %v, want %s among them", fault, want)
			}
		})
	}
}

// TestCrowd_Run_namesForgedSenders has the server say another sender than it was.
func TestCrowd_Run_namesForgedSenders(t *testing.T) {
	r := newRelay(t)
	r.relayBy(func(n int, text []byte, to *member) {
		if n == 7 {
			text = bytes.Replace(text, []byte(`"from":"id`), []byte(`"from":"xx`), 1)
		}
		to.deliver(text)
	})
	_, err := meet(t, r, enough).Run(t.Context(), short)
	var fault *FaultError
	if !errors.As(err, &fault) || fault.Faults[Misaddressed] == 0 {
		t.Errorf("got %v, want it misaddressed", err)
	}
}

// TestCrowd_Run_isOpenLoop lets the server hold everything back until the last
// message has come. A driver that waits for anything never sends it, and one that
// counts from the moment of sending, or leaves out what it didn't send in time,
// finds shorter times.
func TestCrowd_Run_isOpenLoop(t *testing.T) {
	r := newRelay(t)
	const messages = 40
	load := Load{Rate: 100, Burst: 1, Length: messages * 10 * time.Millisecond}
	type delivery struct {
		to   *member
		text []byte
	}
	var held []delivery
	r.relayBy(func(n int, text []byte, to *member) {
		held = append(held, delivery{to, bytes.Clone(text)})
		if n == messages-1 {
			for _, one := range held {
				one.to.deliver(one.text)
			}
		}
	})
	w, err := meet(t, r, enough).Run(t.Context(), load)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.Latency.TotalCount(); got != messages {
		t.Fatalf("got %d latencies, want %d", got, messages)
	}
	// Message n waits for (messages-1-n) intervals of 10 ms.
	if got, want := w.Latency.Max(), int64(390_000); got < want*995/1000 {
		t.Errorf("got at most %d us, want at least %d: the first message waited for all others", got, want)
	}
	if got, want := w.Latency.ValueAtQuantile(50), int64(190_000); got < want*995/1000 {
		t.Errorf("got a median of %d us, want at least %d", got, want)
	}
}

func TestCrowd_Run_saysSaturated(t *testing.T) {
	r := newRelay(t)
	r.relayBy(func(_ int, text []byte, to *member) {
		<-time.After(2 * time.Millisecond) // 500 a second at most
		to.deliver(text)
	})
	w, err := meet(t, r, enough).Run(t.Context(), Load{Rate: 2000, Burst: 1, Length: time.Second})
	if err != nil || !w.Saturated {
		t.Errorf("got saturated %v (%v), want true", w.Saturated, err)
	}
}
