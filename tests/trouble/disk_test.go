package trouble

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/stack"
)

// pair are two members of a room, on two edges.
type pair struct{ ada, bob *client.Room }

func newPair(t *testing.T, s *stack.Stack) pair {
	t.Helper()
	p := pair{stack.Join(t, s.Dial(t, 0, "ada"), "room"), stack.Join(t, s.Dial(t, 1, "bob"), "room")}
	awaitPeer(t.Context(), t, p.ada, p.bob.Self().Peer)
	return p
}

// fill sends numbered messages of 16 KiB until one isn't acknowledged, and returns
// how many were and why the next one wasn't.
func (p pair) fill(ctx context.Context, from int) (acked int, err error) {
	for n := from; ; n++ {
		if err := p.send(ctx, n); err != nil {
			return n, err
		}
	}
}

func (p pair) send(ctx context.Context, n int) error {
	return p.ada.Send(ctx, p.bob.Self().Peer, strconv.Itoa(n)+" "+strings.Repeat("x", 16<<10))
}

// got checks that bob has the messages from one number to before another, each
// once and in order.
func (p pair) got(ctx context.Context, t *testing.T, from, before int) {
	t.Helper()
	for n := from; n < before; {
		event, err := p.bob.Next(ctx)
		if err != nil {
			t.Fatalf("of %d messages that were acknowledged bob has %d: %v", before, n, err)
		}
		m, is := event.(client.Message)
		if !is {
			continue
		}
		var text string
		if err := json.Unmarshal(m.Data, &text); err != nil {
			t.Fatal(err)
		}
		if number, _, _ := strings.Cut(text, " "); number != strconv.Itoa(n) {
			t.Fatalf("bob got message %s, want %d", number, n)
		}
		n++
	}
}

// TestLog_isFull fills the signal log: frames are refused with unavailable and can
// be sent again later, the edge says what to do, and what was acknowledged arrives.
func TestLog_isFull(t *testing.T) {
	s := stack.Processes(t, stack.Options{Environ: []string{
		"PARLEY_ROOMSVC__SIGNALS_BYTES_PER_SECOND=4096", "PARLEY_ROOMSVC__SIGNALS_MAX_BYTES=600000",
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	p := newPair(t, s)
	acked, err := p.fill(ctx, 0)
	if !errors.Is(err, contract.CodeUnavailable) || acked == 0 {
		t.Fatalf("after %d messages: %v, want %s", acked, err, contract.CodeUnavailable)
	}
	p.got(ctx, t, 0, acked)
	until(t, "the edge says it", func() (bool, string) {
		text := s.Process(t, "edge-1").Logs()
		return containsAll(text, []string{"the signal log is full", "roomsvc.signals_max_bytes"}), text
	})
	if status, text := get(t, s.Process(t, "edge-1").Admin, "/healthz"); status != 200 {
		t.Errorf("/healthz answers %d: %s", status, text)
	}
}
