package edge

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/natstest"
)

// Clients are asked to go a hundred in a second, and faster only if half of the drain
// time is too short for that.
func TestDrain_turns(t *testing.T) {
	for _, tt := range []struct {
		clients int
		most    int           // in one second
		over    time.Duration // by then all are asked
	}{{1, 1, 0}, {20, 20, 300 * time.Millisecond}, {300, 105, 3100 * time.Millisecond}, {15_000, 3_200, 5 * time.Second}} {
		t.Run(fmt.Sprintf("%d clients", tt.clients), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &drain{e: &Edge{cfg: DefaultConfig()}, began: time.Now()}
				left, second := tt.clients, 0
				for step := 0; ; step++ {
					if step%int(time.Second/drainPoll) == 0 {
						second = 0
					}
					n := d.turns(left)
					left -= n
					if second += n; second > tt.most {
						t.Fatalf("%d clients were asked within a second, want at most %d", second, tt.most)
					}
					if left == 0 {
						break
					}
					time.Sleep(drainPoll)
				}
				if took := time.Since(d.began); took > tt.over {
					t.Errorf("the last one was asked after %v, want %v", took, tt.over)
				}
			})
		})
	}
}

// Where there is nowhere to go the edge ends soon, and says so to all.
func TestDrain_turns_ofALonelyEdge(t *testing.T) {
	d := &drain{e: &Edge{cfg: DefaultConfig()}, began: time.Now()}
	d.alone.Store(true)
	if got := d.turns(15_000); got != 15_000 {
		t.Errorf("%d of 15,000 are asked at once, want all", got)
	}
}

func TestLease_elsewhere(t *testing.T) {
	js, err := jetstream.New(natstest.Connect(t, natstest.Start(t)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: contract.BucketEdges}); err != nil {
		t.Fatal(err)
	}
	kv, err := bus.OpenBucket(t.Context(), js, contract.BucketEdges)
	if err != nil {
		t.Fatal(err)
	}
	self := newLease(kv, process(t, "self"), "")
	renew := func(edge contract.Token, drain bool) {
		t.Helper()
		value, err := json.Marshal(contract.EdgeLease{Edge: edge, Drain: drain})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Put(t.Context(), edge.String(), value); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want bool, when string) {
		t.Helper()
		if got, err := self.elsewhere(t.Context()); got != want || err != nil {
			t.Errorf("%s: elsewhere is %v (%v), want %v", when, got, err, want)
		}
	}
	expect(false, "without any lease")
	renew(self.record.Edge, false)
	expect(false, "alone")
	gone := process(t, "gone")
	renew(gone, false)
	expect(true, "with another one")
	draining := process(t, "draining")
	renew(draining, true)
	expect(true, "with another one and one that drains")
	renew(gone, true)
	expect(false, "with two that drain")
	renew(gone, false)
	for began := time.Now(); time.Since(began) < takesAfter+contract.LeaseInterval; time.Sleep(contract.LeaseInterval / 4) {
		renew(self.record.Edge, true) // time passes for the server, too
	}
	expect(false, "with one that doesn't renew its lease any more")
}
