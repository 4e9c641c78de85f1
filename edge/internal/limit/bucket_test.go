package limit

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"
)

func TestBucket_is_small(t *testing.T) {
	if got, want := unsafe.Sizeof(Bucket{}), uintptr(16); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}

func TestBucket_Take(t *testing.T) {
	type step struct {
		now               time.Duration
		cost, rate, burst int
		wait              time.Duration
		ok                bool
	}
	const ms = time.Millisecond
	for _, test := range []struct {
		name  string
		steps []step
	}{
		{"the burst passes exactly", []step{
			{0, 199, 50, 200, 0, true}, {0, 1, 50, 200, 0, true}, {0, 1, 50, 200, 20 * ms, false},
		}},
		{"a token comes back to the nanosecond", []step{
			{0, 200, 50, 200, 0, true}, {20*ms - 1, 1, 50, 200, 1, false}, {20 * ms, 1, 50, 200, 0, true}, {20 * ms, 1, 50, 200, 20 * ms, false},
		}},
		{"a refused cost takes nothing", []step{
			{0, 3, 1, 4, 0, true}, {0, 2, 1, 4, time.Second, false}, {0, 1, 1, 4, 0, true},
		}},
		{"an old bucket is full and no more", []step{
			{0, 4, 1, 4, 0, true}, {time.Duration(math.MaxInt64), 5, 1, 4, Never, false}, {time.Duration(math.MaxInt64), 4, 1, 4, 0, true},
		}},
		{"the first use may come late", []step{{time.Hour, 4, 1, 4, 0, true}, {time.Hour, 1, 1, 4, time.Second, false}}},
		{"a wait is rounded up", []step{{0, 1, 3, 1, 0, true}, {0, 1, 3, 1, 333_333_334, false}, {333_333_333, 1, 3, 1, 1, false}, {333_333_334, 1, 3, 1, 0, true}}},
		{"a cost over the burst never passes", []step{{0, 5, 1, 4, Never, false}, {0, math.MaxInt, 1, 4, Never, false}, {0, 4, 1, 4, 0, true}}},
		{"huge numbers don't overflow", []step{
			{0, math.MaxInt, math.MaxInt, math.MaxInt, Never, false},
			{0, maxBurst, math.MaxInt, math.MaxInt, 0, true},
			{0, maxBurst, math.MaxInt, math.MaxInt, 1, false},
			{1, maxBurst, math.MaxInt, math.MaxInt, 0, true},
		}},
		{"nothing costs nothing", []step{{0, 1, 1, 1, 0, true}, {0, 0, 1, 1, 0, true}, {0, -5, 1, 1, 0, true}, {0, 1, 1, 1, time.Second, false}}},
		{"without a rate nothing comes back", []step{{0, 1, 0, 1, 0, true}, {time.Hour, 1, 0, 1, Never, false}, {time.Hour, 1, -1, 1, Never, false}}},
		{"without a burst nothing passes", []step{{0, 1, 1, 0, Never, false}, {0, 1, 1, -1, Never, false}}},
		{"a higher rate brings back faster from now on", []step{{0, 10, 1, 10, 0, true}, {time.Second, 2, 1, 10, time.Second, false}, {1100 * ms, 2, 10, 10, 0, true}}},
		{"a smaller burst keeps what was spent", []step{{0, 8, 1, 10, 0, true}, {0, 1, 1, 5, 4 * time.Second, false}, {4 * time.Second, 1, 1, 5, 0, true}}},
		{"time that goes back is no time", []step{{time.Second, 1, 1, 1, 0, true}, {0, 1, 1, 1, time.Second, false}, {2 * time.Second, 1, 1, 1, 0, true}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b Bucket
			for i, s := range test.steps {
				wait, ok := b.Take(s.now, s.cost, s.rate, s.burst)
				if wait != s.wait || ok != s.ok {
					t.Fatalf("step %d: wait %v, ok %v, want %v, %v", i, wait, ok, s.wait, s.ok)
				}
			}
		})
	}
}

// Whatever is asked and when: over any time the bucket lets through at most the
// burst and what came back, and after the wait it tells, but not sooner, the
// same cost passes.
func TestBucket_Take_keeps_its_rate(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rate, burst := 1+random.IntN(100_000), 1+random.IntN(1_000_000)
		var b Bucket
		var now time.Duration
		passed := 0.0
		for range 500 {
			now += time.Duration(random.Int64N(int64(time.Second)))
			cost := 1 + random.IntN(burst)
			wait, ok := b.Take(now, cost, rate, burst)
			if !ok {
				early := b
				if _, ok := early.Take(now+wait-1, cost, rate, burst); ok {
					t.Fatalf("rate %d burst %d: %d passed before the wait of %v", rate, burst, cost, wait)
				}
				now += wait
				if _, ok = b.Take(now, cost, rate, burst); !ok {
					t.Fatalf("rate %d burst %d: %d didn't pass after the wait of %v", rate, burst, cost, wait)
				}
			}
			passed += float64(cost)
			if most := float64(burst) + now.Seconds()*float64(rate); passed > most*(1+1e-12) {
				t.Fatalf("rate %d burst %d: %v passed in %v, at most %v may", rate, burst, passed, now, most)
			}
		}
	}
}

func TestBucket_Take_allocates_nothing(t *testing.T) {
	var b Bucket
	var now time.Duration
	got := testing.AllocsPerRun(1000, func() {
		now += time.Millisecond
		b.Take(now, 1, 50, 200)
	})
	if got != 0 {
		t.Errorf("%v allocations, want none", got)
	}
}
