package stack

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/parley-rtc/parley/services/contract"
)

// TestNATS_cutsOffWhoReadsTooSlowly stops programs where they are until so much waits for
// them that the NATS server closes their connections as slow consumers'. They come back,
// and what it threw away with the connection is made good.
func TestNATS_cutsOffWhoReadsTooSlowly(t *testing.T) {
	t.Parallel()
	s := Processes(t, Options{})
	l := s.startLoad(t)
	edge, err := contract.ParseToken(l.clients[1].Edge())
	if err != nil {
		t.Fatal(err)
	}
	nc, err := nats.Connect(s.natsURL)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for _, one := range []struct {
		names   []string
		subject string // that they hear, on which they find nothing that makes sense
	}{
		{[]string{"edge-2"}, contract.EventSubject(edge, edge)},
		{[]string{"candidatefilter"}, contract.FilterSubject(edge, edge)},
		{[]string{"roomsvc-1", "roomsvc-2"}, contract.SubjectRoomChange},
	} {
		wait(l.ctx, 300*time.Millisecond)
		before := s.slowConsumers(t)
		for _, name := range one.names {
			s.Process(t, name).Pause(t)
		}
		junk := make([]byte, 1<<20)
		for n := 0; s.slowConsumers(t) < before+len(one.names); n++ {
			if l.ctx.Err() != nil {
				t.Fatalf("%v: not cut off after %d MiB", one.names, n)
			}
			if err := nc.Publish(one.subject, junk); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range one.names {
			s.Process(t, name).Continue(t)
		}
		for _, name := range one.names {
			p := s.Process(t, name)
			for p.metric(t, "parley_bus_reconnects_total") != "1" && l.ctx.Err() == nil {
				wait(l.ctx, 10*time.Millisecond)
			}
			p.WaitReady(t)
		}
	}
	l.end(t)
}

// slowConsumers is how many connections the NATS server has closed because they didn't
// read.
func (s *Stack) slowConsumers(t *testing.T) int {
	t.Helper()
	var stats struct {
		SlowConsumers int `json:"slow_consumers"`
	}
	_, text := s.Process(t, NATS).page(t, "/varz")
	if err := json.Unmarshal([]byte(text), &stats); err != nil {
		t.Fatalf("the NATS server says %q: %v", text, err)
	}
	return stats.SlowConsumers
}
