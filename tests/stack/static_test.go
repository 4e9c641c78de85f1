package stack

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// TestStatic_withoutRoomsvcAndAuthsvc takes the whole control plane away: members go on
// signaling, and resume on another edge; who wants to join is told to try later, and can
// when it is back.
func TestStatic_withoutRoomsvcAndAuthsvc(t *testing.T) {
	s := Processes(t, Options{Environ: []string{"PARLEY_EDGE__REQUEST_TIMEOUT=2s"}})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	members := s.party(t, 4, "alone")
	late := s.Dial(t, 0, "late", client.WithToken(func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
		return s.sign(room, "late")
	}))
	x := startExchange(ctx, t, members.rooms, 5*time.Millisecond)
	control := []string{"roomsvc-1", "roomsvc-2", "authsvc"}
	for _, name := range control {
		s.Process(t, name).Kill(t)
	}
	for i, c := range members.clients {
		before := c.Edge()
		members.wires[i].cut()
		for c.Edge() == before && ctx.Err() == nil {
			wait(ctx, 10*time.Millisecond)
		}
	}
	if _, err := late.Join(ctx, "alone"); !isCode(err, contract.CodeUnavailable) {
		t.Errorf("a join without any roomsvc: %v, want %s", err, contract.CodeUnavailable)
	}
	t.Logf("%d signals", x.end(t))
	for i, c := range members.clients {
		if got := c.Stats(); got.Resumes == 0 || got.Losses > 0 {
			t.Errorf("client %d: %d resumes, %d sessions lost, want some and none", i, got.Resumes, got.Losses)
		}
	}
	for _, name := range control {
		s.Process(t, name).Start(t)
		s.Process(t, name).WaitReady(t)
	}
	if _, err := late.Join(ctx, "alone"); err != nil {
		t.Errorf("a join when roomsvc is back: %v", err)
	}
}

// TestStatic_withoutFilter kills the only filter. Nothing passes it by: signals wait, for
// 30 s; then the sender's socket is closed with 1013, it resumes and sends them again.
// With a filter they arrive once, in order, and filtered.
func TestStatic_withoutFilter(t *testing.T) {
	t.Parallel()
	s := Processes(t, Options{Policy: contract.PolicyPublic})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c := s.Dial(t, 0, "ada")
	ada, bob := Join(t, c, "unfiltered"), Join(t, s.Dial(t, 1, "bob"), "unfiltered")
	waitPeers(t, ada, 1)
	filter := s.Process(t, "candidatefilter")
	filter.Kill(t)
	began := time.Now()
	var pending []*client.Pending
	for n := range 3 {
		p, err := ada.Post(client.MessageTo(bob.Self().Peer, n))
		if err != nil {
			t.Fatal(err)
		}
		pending = append(pending, p)
	}
	const private = "candidate:1 1 udp 2122260223 192.168.7.7 50000 typ host"
	line := "0"
	secret, err := ada.Post(client.CandidatesTo(bob.Self().Peer, "n", contract.ICECandidate{Candidate: private, SDPMid: &line}))
	if err != nil {
		t.Fatal(err)
	}
	for resumed := false; !resumed; {
		e, err := ada.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		_, resumed = e.(client.Resumed)
	}
	if waited := time.Since(began); waited < contract.EntryBudget-time.Second {
		t.Errorf("the socket was closed after %v, want after %v", waited, contract.EntryBudget)
	}
	if closed := s.Process(t, "edge-1").metric(t, `parley_edge_closed_total{code="1013"}`); closed != "1" {
		t.Errorf("%s sockets were closed with 1013, want one", closed)
	}
	for n, p := range pending {
		select {
		case <-p.Done():
			t.Errorf("signal %d ended without a filter: %v", n, p.Wait(ctx))
		default:
		}
	}
	filter.Start(t)
	for n, p := range append(pending, secret) {
		if err := p.Wait(ctx); err != nil {
			t.Errorf("signal %d: %v", n, err)
		}
	}
	if err := ada.Send(ctx, bob.Self().Peer, "end"); err != nil {
		t.Fatal(err)
	}
	var got []string
	for len(got) == 0 || got[len(got)-1] != `"end"` {
		e, err := bob.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		switch e := e.(type) {
		case client.Message:
			got = append(got, string(e.Data))
		case client.Candidate:
			t.Errorf("bob got %+v, which no policy but `all` lets pass", e.Candidates)
		}
	}
	if want := `0 1 2 "end"`; strings.Join(got, " ") != want {
		t.Errorf("bob got %q, want %q", got, want)
	}
}

// TestNATS_nodesOfThreeAreKilled kills each node of a cluster, one after the other:
// nothing that was acknowledged is lost, and nothing else but time.
func TestNATS_nodesOfThreeAreKilled(t *testing.T) {
	t.Parallel()
	s := Processes(t, Options{Nodes: 3, Shards: 3})
	l := s.startLoad(t)
	for i := range 3 {
		wait(l.ctx, 500*time.Millisecond)
		p := s.Process(t, numbered(NATS, i))
		p.Kill(t)
		wait(l.ctx, time.Second)
		p.Start(t)
		p.WaitReady(t)
	}
	l.end(t)
}

// TestNATS_allOfItIsAway kills the only server for some seconds: every socket stays open
// and every frame waits; the processes aren't ready, but alive.
func TestNATS_allOfItIsAway(t *testing.T) {
	t.Parallel()
	s := Processes(t, Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	members := s.party(t, 4, "away")
	x := startExchange(ctx, t, members.rooms, 20*time.Millisecond)
	nats := s.Process(t, NATS)
	nats.Kill(t)
	for _, name := range s.services() {
		p := s.Process(t, name)
		for p.ready(t) && ctx.Err() == nil {
			wait(ctx, 20*time.Millisecond)
		}
		if status, text := p.page(t, "/healthz"); status != http.StatusOK {
			t.Errorf("%s says of its life %q", name, text)
		}
	}
	wait(ctx, 4*time.Second)
	nats.Start(t)
	for _, name := range s.services() {
		s.Process(t, name).WaitReady(t)
	}
	t.Logf("%d signals", x.end(t))
	for i, c := range members.clients {
		if got := c.Stats().Connects; got != 1 {
			t.Errorf("client %d connected %d times, want once: sockets stay open", i, got)
		}
	}
}
