package stack

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// TestHangingEdge_wakesForThoseWhoWaited stops an edge for longer than its lease, and its
// clients notice nothing: they stay on it, and go on sending. Those to whom they send move
// again and again meanwhile, and the edge answers none of them. So what waits in its
// sockets and links is addressed to where nobody is any more, and must be read from there
// until it answers. Nothing is lost, nothing comes twice or out of order.
func TestHangingEdge_wakesForThoseWhoWaited(t *testing.T) {
	t.Parallel()
	s := Processes(t, Options{Edges: 3, Environ: []string{"PARLEY_EDGE__PING_INTERVAL=40s"}})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	const members = 6 // two on each edge
	var wires [members]cutter
	var clients [members]*client.Client
	var rooms []*client.Room
	for i := range clients {
		elsewhere := s.Edges[2]
		if i%3 == 2 {
			elsewhere = s.Edges[1]
		}
		clients[i] = s.Dial(t, i%3, fmt.Sprintf("member-%d", i), client.WithURLs(elsewhere), client.WithDialer(wires[i].dial),
			client.WithBackoff(time.Millisecond, 50*time.Millisecond))
		rooms = append(rooms, Join(t, clients[i], "waits"))
	}
	hanging := clients[0].Edge()
	x := startExchange(ctx, t, rooms, 10*time.Millisecond)
	edge := s.Process(t, "edge-1")
	wait(ctx, 300*time.Millisecond)
	edge.Pause(t)
	began, moves := time.Now(), 0
	for i := 0; time.Since(began) < contract.FenceAfter+5*time.Second; i = (i + 1) % members {
		if i%3 == 0 {
			continue // on the hanging edge
		}
		before := clients[i].Stats().Resumes
		wires[i].cut()
		for clients[i].Stats().Resumes == before && ctx.Err() == nil {
			wait(ctx, 20*time.Millisecond)
		}
		wait(ctx, 100*time.Millisecond)
		moves++
	}
	edge.Continue(t)
	edge.WaitReady(t)
	t.Logf("%d signals, %d moves", x.end(t), moves)
	for i, c := range clients {
		stayed := c.Edge() == hanging && c.Stats().Resumes == 0
		if got := c.Stats(); got.Losses > 0 || stayed != (i%3 == 0) {
			t.Errorf("client %d has resumed %d times and lost its session %d times; it is on %s", i, got.Resumes, got.Losses, c.Edge())
		}
	}
}
