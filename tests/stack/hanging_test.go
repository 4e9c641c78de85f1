package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// TestHangingEdge_wakesUp stops an edge until it has fenced itself, and lets it go on.
// Its members have moved meanwhile and stay where they are; sockets that it still has of
// them it closes with 4509.
func TestHangingEdge_wakesUp(t *testing.T) {
	t.Parallel()
	s := Processes(t, Options{Environ: []string{"PARLEY_EDGE__PING_INTERVAL=1s"}})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	members := s.party(t, 4, "hangs")
	old := &halfOpen{}
	c := s.Dial(t, 0, "half-open", client.WithURLs(s.Edges[1]), client.WithDialer(old.dial))
	Join(t, c, "hangs too")
	before := c.Edge()
	x := startExchange(ctx, t, members.rooms, 10*time.Millisecond)
	edge := s.Process(t, "edge-1")
	wait(ctx, 300*time.Millisecond)
	edge.Pause(t)
	began := time.Now()
	for c.Edge() == before && ctx.Err() == nil {
		wait(ctx, 20*time.Millisecond)
	}
	moved := time.Since(began)
	wait(ctx, contract.FenceAfter+2*time.Second-moved)
	edge.Continue(t)
	if code, err := old.closeCode(ctx); err != nil || code != contract.CloseReplaced {
		t.Errorf("the old socket ended with %d (%v), want %d", code, err, contract.CloseReplaced)
	}
	for edge.metric(t, "parley_edge_connections") != "0" && ctx.Err() == nil {
		wait(ctx, 20*time.Millisecond)
	}
	t.Logf("%d signals; a client went elsewhere after %v", x.end(t), moved.Round(time.Millisecond))
	for i, c := range append(members.clients, c) {
		if got := c.Stats(); got.Losses > 0 || c.Edge() == before {
			t.Errorf("client %d is on %s and has lost its session %d times; edge-1 was %s", i, c.Edge(), got.Losses, before)
		}
	}
}

// hang is how long an edge hangs: far past the self-fence, and shorter than the resume
// window of a minute.
const hang = 50 * time.Second

// TestHangingEdge_wakesWithStalePlacements stops an edge where it is, in mid-stream, for
// 50 s. Its members go on elsewhere, and everybody moves again meanwhile, so what it knows
// of places when it wakes up is wrong of all: of those who were on it, and of those to
// whom it still has something to send. Nothing is lost, nothing comes twice or out of
// order, nobody is seen to leave. The sockets that it still has end.
func TestHangingEdge_wakesWithStalePlacements(t *testing.T) {
	t.Parallel()
	s := Processes(t, Options{Edges: 3, Environ: []string{"PARLEY_EDGE__PING_INTERVAL=1s"}})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	const members = 6 // two on each edge
	var wires [members]halfOpen
	var clients [members]*client.Client
	var rooms []*client.Room
	for i := range clients {
		dial := wires[i].later.dial
		if i%3 == 0 {
			dial = wires[i].dial // whose first connection stays open
		}
		clients[i] = s.Dial(t, i%3, fmt.Sprintf("member-%d", i), client.WithURLs(s.Edges[(i+1)%3], s.Edges[(i+2)%3]),
			client.WithDialer(dial), client.WithBackoff(time.Millisecond, 50*time.Millisecond), client.WithConnectTimeout(2*time.Second))
		rooms = append(rooms, Join(t, clients[i], "hangs"))
	}
	hanging := clients[0].Edge()
	x := startExchange(ctx, t, rooms, 10*time.Millisecond)
	edge := s.Process(t, "edge-1")
	wait(ctx, 300*time.Millisecond)
	edge.Pause(t)
	began := time.Now()
	for _, c := range clients {
		for c.Edge() == hanging && ctx.Err() == nil {
			wait(ctx, 20*time.Millisecond)
		}
	}
	moved := time.Since(began)
	const moves = 2 * members // everybody's second and third, in the rest of the time
	for i := range moves {
		wait(ctx, moved+(hang-moved)/(moves+1)*time.Duration(i+1)-time.Since(began))
		before := clients[i%members].Stats().Resumes
		wires[i%members].later.cut()
		for clients[i%members].Stats().Resumes == before && ctx.Err() == nil {
			wait(ctx, 20*time.Millisecond)
		}
	}
	wait(ctx, hang-time.Since(began))
	edge.Continue(t)
	slept := time.Since(began)
	for i := 0; i < members; i += 3 {
		if code, err := wires[i].closeCode(ctx); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the old socket of member %d is open, and got %d", i, code)
		}
	}
	edge.WaitReady(t)
	for edge.metric(t, "parley_edge_connections") != "0" && ctx.Err() == nil {
		wait(ctx, 20*time.Millisecond)
	}
	for i := range clients { // whatever is left of the old places would show now
		wires[i].later.cut()
	}
	if slept >= time.Minute {
		t.Errorf("the edge was to sleep for %v, and slept for %v: that is another test", hang, slept)
	}
	t.Logf("%d signals; all were elsewhere after %v, and the edge woke up after %v", x.end(t),
		moved.Round(time.Millisecond), slept.Round(time.Millisecond))
	for i, c := range clients {
		if got := c.Stats(); got.Losses > 0 || got.Resumes < 3 {
			t.Errorf("client %d has resumed %d times and lost its session %d times, want at least 3 and none", i, got.Resumes, got.Losses)
		}
	}
}

// halfOpen dials for a client, and keeps the first connection open at this end when the
// client closes it. Later ones can be cut.
type halfOpen struct {
	mu    sync.Mutex
	first net.Conn
	later cutter
}

func (h *halfOpen) dial(ctx context.Context, network, address string) (net.Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.first != nil {
		return h.later.dial(ctx, network, address)
	}
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	h.first = c
	return &keptConn{c}, nil
}

// keptConn ends for who uses it, and nobody else.
type keptConn struct{ net.Conn }

func (c *keptConn) Close() error { return c.SetDeadline(time.Now()) }

// closeCode reads the first connection to its end, which the edge must tell.
func (h *halfOpen) closeCode(ctx context.Context) (contract.CloseCode, error) {
	defer h.first.Close()
	deadline, _ := ctx.Deadline()
	if err := h.first.SetDeadline(deadline); err != nil {
		return 0, err
	}
	for {
		header, err := ws.ReadHeader(h.first)
		if err != nil {
			return 0, err
		}
		payload := make([]byte, min(header.Length, int64(contract.DefaultLimits().MessageBytes)))
		if _, err := io.ReadFull(h.first, payload); err != nil {
			return 0, err
		}
		if header.OpCode == ws.OpClose {
			code, _ := ws.ParseCloseFrameData(payload)
			return contract.CloseCode(code), nil
		}
	}
}
