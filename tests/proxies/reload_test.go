package proxies

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/tests/stack"
)

// delay is the line of Caddy's snippet that reloads need.
const delay = "stream_close_delay 5m"

// pair is two clients that talk through a proxy.
type pair struct {
	ada, bob *client.Client
	from, to *client.Room
}

// TestSnippets_reload gives each proxy another configuration while two clients talk: they don't notice.
func TestSnippets_reload(t *testing.T) {
	s := stack.Processes(t, stack.Options{})
	for i := range kinds {
		k := &kinds[i]
		t.Run(k.name, func(t *testing.T) {
			addresses, _ := doors(t, s, i)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			p := reload(t, ctx, s, k.run(t, snippet(t, k.name), addresses))
			if a, b := p.ada.Stats().Connects, p.bob.Stats().Connects; a != 1 || b != 1 {
				t.Errorf("the clients connected %d and %d times, want once", a, b)
			}
		})
	}
}

// TestSnippets_closed is what clients notice when Caddy closes their WebSockets: after
// its delay, or at once without that line, which shows what the line is for.
func TestSnippets_closed(t *testing.T) {
	s := stack.Processes(t, stack.Options{})
	i := len(kinds) - 1
	for name, line := range map[string]string{"at once": "", "later": "stream_close_delay 500ms"} {
		t.Run(name, func(t *testing.T) {
			addresses, _ := doors(t, s, i)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			text := replaced(t, snippet(t, kinds[i].name), delay, line)
			p := reload(t, ctx, s, kinds[i].run(t, text, addresses))
			for n := 0; p.ada.Stats().Resumes == 0 || p.bob.Stats().Resumes == 0; n++ {
				exchange(t, ctx, p.from, p.to, fmt.Sprintf("message %d.", n))
			}
			exchange(t, ctx, p.from, p.to, "resumed")
			if a, b := p.ada.Stats().Losses, p.bob.Stats().Losses; a != 0 || b != 0 {
				t.Errorf("the clients lost their sessions %d and %d times", a, b)
			}
		})
	}
}

// reload has two clients talk through a proxy before and after it reloads, and a third come by its new address.
func reload(t *testing.T, ctx context.Context, s *stack.Stack, p *proxy) pair {
	t.Helper()
	dial := func(address, name string) *client.Client {
		return through(t, ctx, s, address, name, client.WithOrigin("http://"+address))
	}
	ada, bob := dial(p.address, "ada"), dial(p.address, "bob")
	room := t.Name()
	to, from := stack.Join(t, bob, room), stack.Join(t, ada, room)
	exchange(t, ctx, from, to, "before the reload")
	added := stack.FreeAddress(t)
	p.reloadWith(t, added)
	exchange(t, ctx, from, to, "after the reload")
	eve := stack.Join(t, dial(added, "eve"), room)
	exchange(t, ctx, eve, to, "by the new address")
	exchange(t, ctx, from, eve, "to the new address")
	return pair{ada, bob, from, to}
}
