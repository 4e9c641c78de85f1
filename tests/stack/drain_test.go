package stack

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// ready is what /readyz of a program answers: whether it is ready and its checks.
func ready(t *testing.T, p *Process) (ok bool, checks string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Admin+"/readyz", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err.Error()
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	_, _ = body.ReadFrom(resp.Body) // what came is only shown
	return resp.StatusCode == http.StatusOK, body.String()
}

// TestDrain_membersMoveWhileSignalsFlow stops one edge after the other, and starts each
// again: every member goes on elsewhere with the same session, nobody is seen away, and
// no edge takes the whole drain time.
func TestDrain_membersMoveWhileSignalsFlow(t *testing.T) {
	s := Processes(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	clients, rooms := s.crowdOf(t, 6, "drained")
	x := startExchange(ctx, t, rooms, 3*time.Millisecond)
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
	for i, c := range clients {
		if got := c.Stats(); got.Losses > 0 || got.Resumes == 0 {
			t.Errorf("client %d: %d resumes, %d sessions lost, want some and none", i, got.Resumes, got.Losses)
		}
	}
}

// crowdOf joins clients that know all edges to one room; the n-th begins on edge n.
func (s *Stack) crowdOf(t *testing.T, count int, room string) (clients []*client.Client, rooms []*client.Room) {
	t.Helper()
	for i := range count {
		var others []string
		for n := 1; n < len(s.Edges); n++ {
			others = append(others, s.Edges[(i+n)%len(s.Edges)])
		}
		c := s.Dial(t, i%len(s.Edges), fmt.Sprintf("member-%d", i), client.WithURLs(others...),
			client.WithBackoff(time.Millisecond, 50*time.Millisecond))
		clients, rooms = append(clients, c), append(rooms, Join(t, c, room))
	}
	return clients, rooms
}

// TestDrain_waitsForAClientThatStays has a client that doesn't heed goaway: it is told
// once, hears every signal until the drain time is over, and is closed with 1012. The
// edge isn't ready meanwhile, and lets nobody in.
func TestDrain_waitsForAClientThatStays(t *testing.T) {
	const drain = 4 * time.Second
	s := Processes(t, Options{Environ: []string{"PARLEY_EDGE__DRAIN_TIMEOUT=" + drain.String()}})
	stays := newBystander(t, s, 0, "stubborn")
	waitFor(t, stays.joined, "the client that stays to join")
	ada := Join(t, s.Dial(t, 1, "ada"), "stubborn")
	waitPeers(t, ada, 1)
	p := s.Process(t, "edge-1")
	began := time.Now()
	p.Terminate(t)
	for ok, checks := true, ""; ok; ok, checks = ready(t, p) {
		if time.Since(began) > drain {
			t.Fatalf("the edge is still ready: %s", checks)
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
