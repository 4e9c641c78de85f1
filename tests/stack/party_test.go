package stack

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
)

// party are the members of one room. Each knows all edges.
type party struct {
	clients []*client.Client
	rooms   []*client.Room
	wires   []*cutter
}

// party joins clients to a room. They begin on the edges in turn, and come back to the
// next one each time.
func (s *Stack) party(t *testing.T, count int, room string) *party {
	t.Helper()
	p := &party{}
	for i := range count {
		var others []string
		for n := 1; n < len(s.Edges); n++ {
			others = append(others, s.Edges[(i+n)%len(s.Edges)])
		}
		wire := &cutter{}
		c := s.Dial(t, i%len(s.Edges), fmt.Sprintf("member-%d", i), client.WithURLs(others...),
			client.WithDialer(wire.dial), client.WithBackoff(time.Millisecond, 50*time.Millisecond))
		p.clients, p.rooms, p.wires = append(p.clients, c), append(p.rooms, Join(t, c, room)), append(p.wires, wire)
	}
	return p
}

// page asks a program's admin listener.
func (p *Process) page(t *testing.T, path string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Admin+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	_, _ = body.ReadFrom(resp.Body) // what came is only shown
	return resp.StatusCode, body.String()
}

// ready reports whether a program says that it is ready.
func (p *Process) ready(t *testing.T) bool {
	t.Helper()
	status, _ := p.page(t, "/readyz")
	return status == http.StatusOK
}

// metric is the value of a metric of a program, "" if it has none.
func (p *Process) metric(t *testing.T, name string) string {
	t.Helper()
	_, text := p.page(t, "/metrics")
	for line := range strings.Lines(text) {
		if value, is := strings.CutPrefix(line, name+" "); is {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
