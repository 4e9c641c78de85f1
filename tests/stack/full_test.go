package stack

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/contract"
)

// TestLog_isFull sends until the signal log takes nothing more: what comes then is
// refused, as something to be sent again later, and all that was acknowledged before is
// delivered.
func TestLog_isFull(t *testing.T) {
	const room, most = "full", 512 << 10
	s := InProcess(t, Options{Rooms: func(c *roomsvc.Config) {
		c.SignalsMaxBytes, c.SignalsBytesPerSecond = most, 1<<10
	}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ada, bob := Join(t, s.Dial(t, 0, "ada"), room), Join(t, s.Dial(t, 1, "bob", client.WithEventBuffer(1000, 8<<20)), room)
	waitPeers(t, ada, 1)
	text := make([]byte, 8<<10)
	for i := range text {
		text[i] = 'x'
	}
	acknowledged := 0
	for ; ; acknowledged++ {
		err := ada.Send(ctx, bob.Self().Peer, []any{acknowledged, string(text)})
		if isCode(err, contract.CodeUnavailable) {
			break
		}
		if err != nil {
			t.Fatalf("signal %d: %v, want %s", acknowledged, err, contract.CodeUnavailable)
		}
		if acknowledged*len(text) > 2*most {
			t.Fatalf("a log of %d bytes took %d signals of %d", most, acknowledged, len(text))
		}
	}
	if acknowledged == 0 {
		t.Fatal("the log took nothing at all")
	}
	for want := range acknowledged {
		m, err := nextMessage(ctx, bob)
		if err != nil {
			t.Fatalf("of %d signals that were acknowledged %d came: %v", acknowledged, want, err)
		}
		var got []any
		if err := json.Unmarshal(m.Data, &got); err != nil || len(got) == 0 || got[0] != float64(want) {
			t.Fatalf("place %d: got %.20s", want, m.Data)
		}
	}
	if err := ada.Send(ctx, bob.Self().Peer, []any{"still", string(text)}); !isCode(err, contract.CodeUnavailable) {
		t.Errorf("the log is still full: %v, want %s", err, contract.CodeUnavailable)
	}
}
