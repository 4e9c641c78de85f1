package trace

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/tests/netns"
	"github.com/parley-rtc/parley/tests/stack"
)

// TestCollector_inTrouble records every trace with a collector that takes none, or too
// few: signals and joins go on, spans are lost, or aren't recorded where nobody can take
// them, each program says so in one line with what to do, and ends in time.
func TestCollector_inTrouble(t *testing.T) {
	netns.Run(t, func(t *testing.T) {
		netns.IP(t, "link set lo up")
		Resolve(t)
		for _, one := range []struct {
			name     string
			endpoint func(t *testing.T) string
			says     string
			losses   int // lines about lost spans
		}{
			{"hangs", hangs, "doesn't answer in time", 1},
			{"is slow", isSlow, "takes spans more slowly than they are made", 1},
			{"isn't there", func(t *testing.T) string { return stack.FreeAddress(t) }, "connection refused: start the collector", 1},
			{"has no address", func(*testing.T) string { return "collector.example:4318" }, "no traces are recorded until there is a collector", 0},
		} {
			t.Run(one.name, func(t *testing.T) { checkTrouble(t, one.endpoint(t), one.says, one.losses) })
		}
	})
}

// hangs is a collector that takes connections and never answers.
func hangs(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close() // all of them at the end
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close() // which ends the goroutine
		<-ended
	})
	return listener.Addr().String()
}

// isSlow is a collector that needs half a second for a batch.
func isSlow(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a client that ends meanwhile is none of ours
		select {
		case <-time.After(500 * time.Millisecond):
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func checkTrouble(t *testing.T, endpoint, says string, losses int) {
	s := stack.Processes(t, stack.Options{Environ: []string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://" + endpoint, "OTEL_BSP_MAX_QUEUE_SIZE=200", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=100",
		"OTEL_BSP_SCHEDULE_DELAY=50", "OTEL_BSP_EXPORT_TIMEOUT=1000", // by default it is known after 30 s that one hangs
	}})
	ada, _ := enter(t, s, 0, "ada")
	bob, _ := enter(t, s, 1, "bob")
	ada.sees(t, 1)
	for range 500 { // far more spans than a queue holds
		ada.send(t, client.MessageTo(bob.peer(), "hi"))
		bob.hears(t)
	}
	carol, _ := enter(t, s, 1, "carol")
	ada.knows(t, carol)
	for _, name := range []string{"edge-1", "edge-2", "candidatefilter"} {
		eventually(t, func(context.Context) (bool, string) {
			ada.send(t, client.MessageTo(bob.peer(), "hi"))
			bob.hears(t)
			logs := s.Process(t, name).Logs()
			return strings.Contains(logs, says), fmt.Sprintf("%s doesn't say %q:\n%s", name, says, logs)
		})
	}
	for _, name := range []string{"edge-1", "edge-2", "candidatefilter"} {
		if got := strings.Count(s.Process(t, name).Logs(), "traces are lost"); got != losses {
			t.Errorf("%s says %d times that spans are lost, want %d", name, got, losses)
		}
	}
	for _, c := range []*person{ada, bob, carol} {
		if err := c.client.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	began := time.Now()
	stopAll(t, s) // reports another exit code than 0, and a stop that takes too long
	t.Logf("six programs ended one after the other in %v", time.Since(began).Round(100*time.Millisecond))
}
