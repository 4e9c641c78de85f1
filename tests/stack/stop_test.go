package stack

import (
	"testing"
	"time"

	"github.com/parley-rtc/parley/edge/client"
)

// TestStop_withoutNATS stops every service while NATS is away and frames wait for it:
// nothing that can't be finished keeps a process from ending in time, and well.
func TestStop_withoutNATS(t *testing.T) {
	t.Parallel()
	s := Processes(t, Options{Environ: []string{"PARLEY_EDGE__DRAIN_TIMEOUT=3s"}})
	ada, err := client.Dial(t.Context(), s.Edges[0], client.WithToken(s.tokens("ada")))
	if err != nil {
		t.Fatal(err)
	}
	room := Join(t, ada, "stops")
	stays := newBystander(t, s, 1, "stops")
	waitFor(t, stays.joined, "the client that stays to join")
	waitPeers(t, room, 1)
	s.Process(t, NATS).Kill(t)
	pending, err := room.Post(client.ToAll("to nobody"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range s.services() {
		s.Process(t, name).Terminate(t)
	}
	for _, name := range s.services() {
		began := time.Now()
		s.Process(t, name).Wait(t) // reports another exit code than 0, and a stop that takes too long
		t.Logf("%s ended after %v more", name, time.Since(began).Round(time.Millisecond))
	}
	select {
	case <-pending.Done():
		t.Errorf("a frame that nobody took ended with %v", pending.Err())
	default:
	}
	<-stays.ended
	_ = ada.Close() // nobody hears the bye
}
