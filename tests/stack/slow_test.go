package stack

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
)

// TestSlowClient_isClosedAndNobodyElseNotices has a member that stops reading, as a
// machine that is stopped does, in a room full of talk. Its socket is closed with 4440
// when its queue is full; the others miss nothing meanwhile.
func TestSlowClient_isClosedAndNobodyElseNotices(t *testing.T) {
	t.Parallel() // a close frame that nobody reads is waited for
	limits := GenerousLimits()
	limits.OutboundFrames, limits.OutboundBytes = contract.DefaultLimits().OutboundFrames, contract.DefaultLimits().OutboundBytes
	s := Processes(t, Options{Limits: limits})
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	slow := &stalled{}
	c := s.Dial(t, 0, "slow", client.WithDialer(slow.dial), client.WithBackoff(time.Millisecond, 50*time.Millisecond),
		client.WithEventBuffer(20_000, 256<<20)) // its application takes everything
	Join(t, c, "talk")
	ada, bob := Join(t, s.Dial(t, 0, "ada"), "talk"), Join(t, s.Dial(t, 1, "bob"), "talk")
	waitPeers(t, ada, 2)
	slow.stall()
	defer slow.release()

	edge := s.Process(t, "edge-1")
	text := make([]byte, 40<<10)
	for i := range text {
		text[i] = 'x'
	}
	var longest time.Duration
	for n := 0; n%10 != 0 || edge.metric(t, `parley_edge_closed_total{code="4440"}`) != "1"; n++ {
		began := time.Now()
		if err := ada.Broadcast(ctx, fmt.Sprintf("%d %s", n, text)); err != nil {
			t.Fatalf("broadcast %d: %v", n, err)
		}
		m, err := nextMessage(ctx, bob)
		if err != nil {
			t.Fatalf("broadcast %d doesn't come: %v", n, err)
		}
		if m.Seq != uint64(n+2) { // the join has the first
			t.Fatalf("bob got signal %d, want %d", m.Seq, n+2)
		}
		longest = max(longest, time.Since(began))
	}
	if longest > 5*time.Second {
		t.Errorf("a broadcast took %v because one member didn't read", longest)
	}
	slow.release()
	for c.Stats().Connects < 2 && ctx.Err() == nil {
		wait(ctx, 10*time.Millisecond)
	}
	if got := c.Stats(); got.Resumes != 1 {
		t.Errorf("the slow client, reading again: %+v, want that it has resumed", got)
	}
}

// stalled dials for a client and can keep it from reading.
type stalled struct {
	mu  sync.Mutex
	on  bool
	end chan struct{}
}

func (s *stalled) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := c.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil { // else the kernel reads for it
		return nil, err
	}
	return &stalledConn{Conn: c, by: s}, nil
}

func (s *stalled) stall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on, s.end = true, make(chan struct{})
}

func (s *stalled) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.on {
		s.on = false
		close(s.end)
	}
}

type stalledConn struct {
	net.Conn
	by *stalled
}

func (c *stalledConn) Read(b []byte) (int, error) {
	c.by.mu.Lock()
	on, end := c.by.on, c.by.end
	c.by.mu.Unlock()
	if on {
		<-end
	}
	return c.Conn.Read(b)
}

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

// halfOpen dials for a client, and keeps the first connection open at this end when the
// client closes it.
type halfOpen struct {
	mu    sync.Mutex
	first net.Conn
}

func (h *halfOpen) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil || h.first != nil {
		return c, err
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
