package stack

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
)

// members joins clients to one room: member i is on edge i%2, and comes back to
// the other one each time.
func (s *Stack) members(t *testing.T, count int, room string) (rooms []*client.Room, wires []*cutter) {
	t.Helper()
	p := s.party(t, count, room)
	return p.rooms, p.wires
}

// TestResume_onTheOtherEdge cuts the sockets of members, alone and together,
// while signals flow: each time they go on on the other edge.
func TestResume_onTheOtherEdge(t *testing.T) {
	for _, count := range []int{2, 5} {
		t.Run(fmt.Sprintf("%d members", count), func(t *testing.T) {
			s := InProcess(t, Options{})
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			rooms, wires := s.members(t, count, "moves")
			x := startExchange(ctx, t, rooms, 2*time.Millisecond)
			for i := range 20 {
				wait(ctx, time.Duration(20+i*7%60)*time.Millisecond)
				wires[i%count].cut()
				if i%3 == 0 {
					wires[(i+1)%count].cut()
				}
			}
			t.Logf("%d signals", x.end(t))
		})
	}
}

// TestResume_afterAnEdgeIsKilled kills an edge in mid-stream.
func TestResume_afterAnEdgeIsKilled(t *testing.T) {
	for _, count := range []int{2, 5} {
		t.Run(fmt.Sprintf("%d members", count), func(t *testing.T) {
			s := Processes(t, Options{})
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
			defer cancel()
			rooms, _ := s.members(t, count, "killed")
			x := startExchange(ctx, t, rooms, 5*time.Millisecond)
			for _, name := range []string{"edge-1", "edge-2"} {
				wait(ctx, 500*time.Millisecond)
				p := s.Process(t, name)
				p.Kill(t)
				wait(ctx, time.Second)
				p.Start(t)
				p.WaitReady(t)
			}
			t.Logf("%d signals", x.end(t))
		})
	}
}
