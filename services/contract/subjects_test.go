package contract_test

import (
	"errors"
	"hash/fnv"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func TestSubjects(t *testing.T) {
	from, to := mustToken(t, "edge-1-aaaa"), mustToken(t, "edge-2-bbbb")
	app, room, peer := mustToken(t, "demo"), mustID(t, "*").Token(), mustToken(t, "p1")
	tests := []struct{ name, got, want string }{
		{"filter", contract.FilterSubject(from, to), "filter.edge-1.edge-1-aaaa.edge-2-bbbb"},
		{"filter of an id without a name", contract.FilterSubject(peer, to), "filter.p1.p1.edge-2-bbbb"},
		{"signal of shard 0", contract.SignalSubject(0, from, to), "$KV.signals-0.edge-1-aaaa.edge-2-bbbb"},
		{"signal of shard 12", contract.SignalSubject(12, from, to), "$KV.signals-12.edge-1-aaaa.edge-2-bbbb"},
		{"signals for one edge", contract.SignalsFor(2, to), "$KV.signals-2.*.edge-2-bbbb"},
		{"event", contract.EventSubject(to, from), "evt.edge-2-bbbb.edge-1-aaaa"},
		{"events for one process", contract.EventsFor(to), "evt.edge-2-bbbb.*"},
		{"message id", contract.MessageID(from, to, 18446744073709551615), "edge-1-aaaa.edge-2-bbbb.18446744073709551615"},
		{"bucket of a shard", contract.SignalsBucket(3), "signals-3"},
		{"stream of a bucket", contract.StreamOf(contract.SignalsBucket(3)), "KV_signals-3"},
		{"stream of rooms", contract.StreamOf(contract.BucketRooms), "KV_rooms"},
		{"room key", contract.RoomKey(app, room), "demo.=Kg"},
		{"member key", contract.MemberKey(app, room, peer), "demo.=Kg.p1"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

func TestParseFilterSubject(t *testing.T) {
	for _, bad := range []string{
		"", "filter", "filter.a", "filter.a.a", "filter.a.a.b.c", "filter.a..b", "filter.a.a.", "Filter.a.a.b", "filter.a.*.b", "filter.a.a.>",
		"filter.a b.a b.c", "filter.a.a.=K\ng", "$KV.signals-0.a.b", " filter.a.a.b", "filter..a.b", "filter.*.a.b",
		"filter.edge-2.edge-1-aaaa.edge-2-bbbb", "filter.edge-1-aaaa.edge-1-aaaa.edge-2-bbbb", "filter.edge.edge-1-aaaa.edge-2-bbbb",
	} {
		if from, to, err := contract.ParseFilterSubject(bad); err == nil {
			t.Errorf("%q was read as the link %s -> %s", bad, from, to)
		}
	}
	if _, _, err := contract.ParseFilterSubject("evt.a.a.b"); !errors.Is(err, contract.ErrBadSubject) {
		t.Errorf("another subject: got %v, want ErrBadSubject", err)
	}
	if _, _, err := contract.ParseFilterSubject("filter.a.a.*"); !errors.Is(err, contract.ErrBadID) {
		t.Errorf("a wildcard: got %v, want ErrBadID", err)
	}
}

func TestParseEventSubject(t *testing.T) {
	from, to := mustToken(t, "roomsvc-1-aaaa"), mustToken(t, "edge-2-bbbb")
	if got, err := contract.ParseEventSubject(contract.EventSubject(to, from)); err != nil || got != from {
		t.Errorf("got %s, %v; want %s", got, err, from)
	}
	for _, bad := range []string{"", "evt", "evt.a", "evt.a.b.c", "evt.a.", "evt..b", "evt.a.*", "Evt.a.b", "filter.a.b"} {
		if got, err := contract.ParseEventSubject(bad); err == nil {
			t.Errorf("%q was read as of %s", bad, got)
		}
	}
}

func TestParseSignalSubject(t *testing.T) {
	for _, bad := range []string{
		"", "$KV.signals-0.a", "$KV.signals-0.a.b.c", "$KV.signals.a.b", "$KV.rooms.a.b", "$kv.signals-0.a.b",
		"$KV.signals-0.*.b", "$KV.signals-0.a.>", "filter.a.b",
	} {
		if from, to, err := contract.ParseSignalSubject(bad); err == nil {
			t.Errorf("%q was read as the link %s -> %s", bad, from, to)
		}
	}
}

// FuzzSubjects writes the link between any two names and reads it back.
func FuzzSubjects(f *testing.F) {
	f.Add("edge-1", "edge-2", 0)
	f.Add("*", ">", 3)
	f.Add("a.b", "🎉", 255)
	f.Fuzz(func(t *testing.T, a, b string, shard int) {
		one, err := contract.ParseID(a)
		if err != nil {
			return
		}
		two, err := contract.ParseID(b)
		if err != nil || shard < 0 {
			return
		}
		from, to := one.Token(), two.Token()
		if gotFrom, gotTo, err := contract.ParseFilterSubject(contract.FilterSubject(from, to)); err != nil || gotFrom != from || gotTo != to {
			t.Fatalf("filter link %q -> %q came back as %q -> %q, %v", from, to, gotFrom, gotTo, err)
		}
		if gotFrom, gotTo, err := contract.ParseSignalSubject(contract.SignalSubject(shard, from, to)); err != nil || gotFrom != from || gotTo != to {
			t.Fatalf("log link %q -> %q came back as %q -> %q, %v", from, to, gotFrom, gotTo, err)
		}
	})
}

func TestShard(t *testing.T) {
	// Whoever computes a shard in another language must find these.
	for _, tt := range []struct {
		to       string
		n, shard int
	}{
		{"edge-1-aaaa", 1, 0},
		{"edge-1-aaaa", 3, 0},
		{"edge-2-bbbb", 3, 1},
		{"=Kg", 3, 1},
		{"a", 16, 12},
	} {
		if got := contract.Shard(mustToken(t, tt.to), tt.n); got != tt.shard {
			t.Errorf("shard of %q among %d is %d, want %d", tt.to, tt.n, got, tt.shard)
		}
	}
	counts := make([]int, 3)
	for range 3000 {
		to := contract.NewPeerID()
		got := contract.Shard(to, 3)
		h := fnv.New32a()
		h.Write([]byte(to.String()))
		if want := int(h.Sum32() % 3); got != want {
			t.Fatalf("shard of %q is %d, FNV-1a says %d", to, got, want)
		}
		counts[got]++
	}
	for shard, count := range counts {
		if count < 800 || count > 1200 {
			t.Errorf("shard %d got %d of 3,000 ids", shard, count)
		}
	}
}

func TestSettledSubject(t *testing.T) {
	process, err := contract.ParseToken("roomsvc-a2b3c4d5e6f7")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := contract.SettledSubject(process), "room.settled.roomsvc-a2b3c4d5e6f7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
