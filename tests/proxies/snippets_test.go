package proxies

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/edge"
	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/tests/stack"
)

// idle closes the connections that HTTP clients keep, before leaks are looked for.
type idle struct{ *testing.M }

func (m idle) Run() int {
	defer http.DefaultClient.CloseIdleConnections()
	return m.M.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(idle{m}) }

// short replaces the 90 s of the snippets: longer than two of the pings of these
// edges, and so short that a connection without pings would be seen to end.
const (
	short = "2s"
	pings = "PARLEY_EDGE__PING_INTERVAL=500ms"
	// pingsAwaited come in twice as long as a proxy leaves a silent connection alone.
	pingsAwaited = 8
)

// TestSnippets has two clients talk through each proxy with the snippet that readers
// copy, stay silent for longer than it allows, and lose the first of two edges.
func TestSnippets(t *testing.T) {
	s := stack.Processes(t, stack.Options{Environ: []string{pings}})
	for i := range kinds {
		k := &kinds[i]
		t.Run(k.name, func(t *testing.T) {
			addresses, first := doors(t, s, i)
			text := snippet(t, k.name)
			if k.silence != nil {
				said := k.silence.FindStringSubmatch(text)
				text = replaced(t, text, said[0], strings.Replace(said[0], said[1], short, 1))
			}
			talk(t, s, k.run(t, text, addresses).address, first)
		})
	}
}

// doors opens the snippets' hosts for one of the proxies: addresses by name, and those to the first edge.
func doors(t *testing.T, s *stack.Stack, nth int) (addresses map[string]string, first []*door) {
	t.Helper()
	admin := s.Admin[len(s.Admin)-2:] // those of the edges are the last
	addresses = map[string]string{}
	for n, name := range hosts {
		addresses[name] = fmt.Sprintf("127.%d.%d.%d", 64+os.Getpid()%128, 1+nth, 1+n)
	}
	for n, url := range s.Edges {
		ip := addresses[hosts[n]]
		pair := []*door{
			openDoor(t, ip+":7420", strings.TrimSuffix(strings.TrimPrefix(url, "ws://"), "/v1/ws")), openDoor(t, ip+":7421", admin[n]),
		}
		if n == 0 {
			first = pair
		}
	}
	return addresses, first
}

// talk is what clients do through a proxy.
func talk(t *testing.T, s *stack.Stack, address string, first []*door) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	heard := &listener{pings: make(chan struct{}, 1024)}
	dial := func(name string, opts ...client.Option) *client.Client {
		// An edge compares the origin with the host and the port that the proxy passes on.
		return through(t, ctx, s, address, name, append(opts, client.WithOrigin("http://"+address))...)
	}
	ada := dial("ada", client.WithDialer(heard.dial))
	bob := dial("bob")
	to, from := stack.Join(t, bob, "proxied"), stack.Join(t, ada, "proxied")
	exchange(t, ctx, from, to, "at once")
	for range pingsAwaited {
		select {
		case <-heard.pings:
		case <-ctx.Done():
			t.Fatal("the edge's pings don't come through")
		}
	}
	exchange(t, ctx, from, to, "after a silence")
	if a, b := ada.Stats().Connects, bob.Stats().Connects; a != 1 || b != 1 {
		t.Fatalf("silent clients connected %d and %d times, want once", a, b)
	}
	for _, d := range first {
		d.close()
	}
	exchange(t, ctx, from, to, "with one edge")
	for n := range 4 { // in turn, half of them would meet the edge that is away
		dial(fmt.Sprintf("late %d", n))
	}
}

// through connects a client by a proxy; it is closed when the test ends. A proxy that
// asks whether edges are ready has to find one first.
func through(t *testing.T, ctx context.Context, s *stack.Stack, address, name string, opts ...client.Option) *client.Client {
	t.Helper()
	opts = append(opts, client.WithToken(func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
		return s.Token(ctx, room, name)
	}), client.WithBackoff(10*time.Millisecond, 100*time.Millisecond))
	for {
		c, err := client.Dial(ctx, "ws://"+address+"/v1/ws", opts...)
		if err == nil {
			t.Cleanup(func() { _ = c.Close() }) // nothing is under way any more
			return c
		}
		select {
		case <-ctx.Done():
			t.Fatalf("connect %s: %v", name, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// exchange sends a text and waits for it at the other.
func exchange(t *testing.T, ctx context.Context, from, to *client.Room, text string) {
	t.Helper()
	if err := from.Broadcast(ctx, text); err != nil {
		t.Fatalf("send %q: %v", text, err)
	}
	for {
		event, err := to.Next(ctx)
		if err != nil {
			t.Fatalf("%q doesn't come: %v", text, err)
		}
		if m, ok := event.(client.Message); ok && strings.Contains(string(m.Data), text) {
			return
		}
	}
}

// listener dials for a client and tells of the pings that it gets.
type listener struct{ pings chan struct{} }

type overheard struct {
	net.Conn
	pings chan struct{}
}

func (l *listener) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	return overheard{c, l.pings}, err
}

func (c overheard) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if bytes.Contains(p[:n], []byte(`"type":"ping"`)) {
		select {
		case c.pings <- struct{}{}:
		default: // nobody waits for so many
		}
	}
	return n, err
}

// TestSnippets_waitLongerThanTwoPings is what the 90 s are for.
func TestSnippets_waitLongerThanTwoPings(t *testing.T) {
	for i := range kinds {
		k := &kinds[i]
		if k.silence == nil {
			continue // it has no limit
		}
		found := k.silence.FindStringSubmatch(snippet(t, k.name))
		if found == nil {
			t.Errorf("%s: the snippet doesn't say %s", k.name, k.silence)
			continue
		}
		allowed, err := time.ParseDuration(found[1])
		if least := 2 * edge.DefaultConfig().PingInterval; err != nil || allowed <= least {
			t.Errorf("%s cuts a silent WebSocket after %s (%v), want more than %v", k.name, found[1], err, least)
		}
	}
}
