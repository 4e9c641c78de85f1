package stack

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

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
