package edge

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
	"github.com/parley-rtc/parley/services/natstest"
)

// TestEdge_fences has an edge renew its lease too late: meanwhile others may have
// taken its member for gone, or over. What that sent must not be acknowledged.
func TestEdge_fences(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(*contract.MemberRecord)
		rooms   int // that its session has in the end
		settled int // frames of it that are acknowledged
	}{
		{"its member is still there", func(*contract.MemberRecord) {}, 1, 1},
		{"its member is gone", func(r *contract.MemberRecord) {
			r.State, r.Reason = contract.StateGone, contract.ReasonExpired
		}, 0, 0},
		{"its member is elsewhere", func(r *contract.MemberRecord) { r.Edge, r.Incarnation = process(t, "b"), 2 }, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			y, m := newOpeningYard(t)
			y.commit(contract.Member{Peer: m.peer, Identity: "ada", Epoch: 1, Edge: y.r.e.id})
			js, err := jetstream.New(natstest.Connect(t, natstest.Start(t)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: contract.BucketEdges}); err != nil {
				t.Fatal(err)
			}
			edges, err := bus.OpenBucket(t.Context(), js, contract.BucketEdges)
			if err != nil {
				t.Fatal(err)
			}
			e := y.r.e
			e.lease = newLease(edges, e.id, "")
			renew := func() {
				t.Helper()
				if err := e.lease.renew(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			renew()
			if !e.lease.held() {
				t.Fatal("the first lease isn't held")
			}
			m.s.mu.Lock()
			m.s.seq.Accept(1, 1)
			l := m.s.life
			m.s.mu.Unlock()
			record := m.recorder.record
			tt.change(&record)
			value, err := json.Marshal(record)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.members.Put(t.Context(), m.recorder.key, value); err != nil {
				t.Fatal(err)
			}
			e.lease.renewed.Add(-int64(contract.FenceAfter))
			renew()
			if e.lease.held() {
				t.Fatal("the lease is held before the records were read")
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- e.fences(ctx) }()
			for !e.lease.held() {
				pause(t.Context(), time.Millisecond)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			l.Settled(1, link.Outcome{})
			m.s.mu.Lock()
			settled, rooms := int(m.s.seq.Acked()), len(m.s.rooms)
			m.s.mu.Unlock()
			if rooms != tt.rooms || settled != tt.settled {
				t.Errorf("%d rooms and %d frames settled, want %d and %d", rooms, settled, tt.rooms, tt.settled)
			}
		})
	}
}
