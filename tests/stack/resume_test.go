package stack

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
)

// cutter dials for a client and can cut what it dialled.
type cutter struct {
	mu    sync.Mutex
	conns []net.Conn
}

func (c *cutter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err == nil {
		c.mu.Lock()
		c.conns = append(c.conns, conn)
		c.mu.Unlock()
	}
	return conn, err
}

// cut closes every socket without a word.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close() // those cut before are closed already
	}
	c.conns = nil
}

// TestResume_onTheSameEdgeLosesNothing cuts the sockets of both sides again and
// again while signals flow.
func TestResume_onTheSameEdgeLosesNothing(t *testing.T) {
	const cuts = 12
	s := InProcess(t, Options{})
	var wires [2]cutter
	var members [2]*client.Room
	for i := range members {
		c := s.Dial(t, i, []string{"ada", "bob"}[i],
			client.WithDialer(wires[i].dial), client.WithBackoff(time.Millisecond, 20*time.Millisecond))
		members[i] = Join(t, c, "cuts")
	}
	waitPeers(t, members[0], 1)
	peer := members[1].Self().Peer
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	received, sent := make(chan error, 1), make(chan error, 1)
	total, done := make(chan int, 1), make(chan struct{})
	resumes := make(chan client.Event, 1000)
	go func() { received <- receiveCounted(ctx, members[1], total) }()
	go func() { sent <- sendCounted(ctx, members[0], members[1], done, total) }()
	go func() {
		for {
			e, err := members[0].Next(ctx)
			if err != nil {
				close(resumes)
				return
			}
			if _, ok := e.(client.Resumed); ok {
				resumes <- e
			}
		}
	}()
	for i := range cuts {
		wires[i%2].cut()
		if i%2 == 0 { // ada tells when she is back
			select {
			case <-resumes:
			case <-ctx.Done():
				t.Fatal("ada was not resumed")
			}
		}
	}
	close(done)
	if err := <-sent; err != nil {
		t.Errorf("ada: %v", err)
	}
	if err := <-received; err != nil {
		t.Errorf("bob: %v", err)
	}
	if got := members[1].Self().Peer; got != peer {
		t.Errorf("bob is peer %s, was %s: the session was lost", got, peer)
	}
	if peers := members[0].Peers(); len(peers) != 1 || peers[0].Peer != peer {
		t.Errorf("ada sees %+v, want bob as he was", peers)
	}
}
