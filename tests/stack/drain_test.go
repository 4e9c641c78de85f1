package stack

import (
	"context"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/services/contract"
)

// TestDrain_membersMoveWhileSignalsFlow stops one edge after the other, and starts each
// again: every member goes on elsewhere with the same session, nobody is seen away, and
// no edge takes the whole drain time.
func TestDrain_membersMoveWhileSignalsFlow(t *testing.T) {
	s := Processes(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	members := s.party(t, 6, "drained")
	x := startExchange(ctx, t, members.rooms, 3*time.Millisecond)
	for _, name := range []string{"edge-1", "edge-2"} {
		wait(ctx, time.Second)
		p := s.Process(t, name)
		began := time.Now()
		p.Stop(t)
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("%s took %v to stop although all its clients can go", name, took)
		}
		t.Logf("%s stopped after %v", name, time.Since(began).Round(time.Millisecond))
		p.Start(t)
		p.WaitReady(t)
	}
	t.Logf("%d signals", x.end(t))
	if x.aways > 0 {
		t.Errorf("members were seen away %d times", x.aways)
	}
	for i, c := range members.clients {
		if got := c.Stats(); got.Losses > 0 || got.Resumes == 0 {
			t.Errorf("client %d: %d resumes, %d sessions lost, want some and none", i, got.Resumes, got.Losses)
		}
	}
}

// TestDrain_waitsForAClientThatStays has a client that doesn't heed goaway: it is told
// once, hears every signal until the drain time is over, and is closed with 1012. The
// edge isn't ready meanwhile, and lets nobody in.
func TestDrain_waitsForAClientThatStays(t *testing.T) {
	t.Parallel()
	const drain = 4 * time.Second
	s := Processes(t, Options{Environ: []string{"PARLEY_EDGE__DRAIN_TIMEOUT=" + drain.String()}})
	stays := newBystander(t, s, 0, "stubborn")
	waitFor(t, stays.joined, "the client that stays to join")
	ada := Join(t, s.Dial(t, 1, "ada"), "stubborn")
	waitPeers(t, ada, 1)
	p := s.Process(t, "edge-1")
	began := time.Now()
	p.Terminate(t)
	for p.ready(t) {
		if time.Since(began) > drain {
			t.Fatal("the edge is still ready")
		}
		wait(t.Context(), 10*time.Millisecond)
	}
	if _, _, _, err := (ws.Dialer{Protocols: []string{contract.Subprotocol}}).Dial(t.Context(), s.Edges[0]); err == nil {
		t.Error("a draining edge let a client in")
	}
	if err := ada.Broadcast(t.Context(), "to who stays"); err != nil {
		t.Error(err)
	}
	waitFor(t, stays.heard, "the signal that was sent during the drain")
	if time.Since(began) > drain {
		t.Error("the signal came when the drain time was over")
	}
	p.Wait(t)
	if took := time.Since(began); took < drain || took > drain+5*time.Second {
		t.Errorf("the edge ended after %v, want its drain time of %v", took, drain)
	}
	<-stays.ended
	if stays.code != contract.CloseRestart {
		t.Errorf("the client was closed with %d, want %d", stays.code, contract.CloseRestart)
	}
	for kind, want := range map[string]int{`{"type":"goaway"`: 1, `{"type":"message"`: 1} {
		if got := stays.counts[kind]; got != want {
			t.Errorf("%d frames of %s}, want %d", got, kind, want)
		}
	}
}
