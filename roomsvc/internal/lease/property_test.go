package lease_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/parley-rtc/parley/roomsvc/internal/lease"
	"github.com/parley-rtc/parley/services/contract"
)

// site has an edge that renews its lease, NATS between, and an observer, each on
// the bubble's clock and each able to stand still.
type site struct {
	edge     contract.Token
	observer *lease.Observer
	wg       sync.WaitGroup
	stop     chan struct{}

	mu        sync.Mutex
	nats      bool
	running   bool // the observer's process isn't stopped
	thaw      chan struct{}
	dead      bool // the edge
	revision  uint64
	unseen    []uint64 // renewals that the observer's watch has to bring
	died      time.Time
	fine      time.Time // since when nothing keeps the observer from counting
	foundOut  time.Time // when the observer first took the edge for out
	falsely   bool      // that was while the edge renewed
	renewedAt time.Time
}

func newSite(edge contract.Token) *site {
	s := &site{
		edge: edge, observer: lease.New(stall, timeout), nats: true, running: true,
		thaw: make(chan struct{}), stop: make(chan struct{}), fine: time.Now(),
	}
	s.every(s.renew, time.Millisecond)
	s.every(s.watch, 2*time.Millisecond)
	s.every(s.look, 3*time.Millisecond)
	return s
}

// every calls fn once a tick until the site is closed, at a time of the second
// at which nothing else happens.
func (s *site) every(fn func(), phase time.Duration) {
	s.wg.Go(func() {
		select {
		case <-time.After(phase):
		case <-s.stop:
			return
		}
		ticker := time.NewTicker(tick)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				fn()
			case <-s.stop:
				return
			}
		}
	})
}

// renew is the edge's.
func (s *site) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.nats || s.dead {
		return
	}
	s.revision++
	s.renewedAt = time.Now()
	s.unseen = append(s.unseen, s.revision)
}

// watch brings renewals to the observer, up to a tick late. It brings the last
// one again, as a watch does that was made anew.
func (s *site) watch() {
	s.awake()
	defer s.mu.Unlock()
	if !s.nats {
		return
	}
	for _, revision := range s.unseen {
		s.observer.Saw(s.edge, revision, time.Now())
	}
	s.unseen = s.unseen[max(0, len(s.unseen)-1):]
}

// look is the observer's tick.
func (s *site) look() {
	s.awake()
	defer s.mu.Unlock()
	now := time.Now()
	s.observer.Named(s.edge, now)
	s.observer.Tick(now, s.nats)
	if s.foundOut.IsZero() && s.observer.IsOut(s.edge, now, timeout) {
		s.foundOut, s.falsely = now, !s.dead
	}
}

// awake locks mu as soon as the observer's process isn't stopped.
func (s *site) awake() {
	s.mu.Lock()
	for !s.running {
		thaw := s.thaw
		s.mu.Unlock()
		<-thaw
		s.mu.Lock()
	}
}

// set changes what works, and notes since when all of it does.
func (s *site) set(nats, running bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if running && !s.running {
		close(s.thaw)
	}
	if !running && s.running {
		s.thaw = make(chan struct{})
	}
	if nats && running && (!s.nats || !s.running) {
		s.fine = time.Now()
	}
	s.nats, s.running = nats, running
}

func (s *site) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dead, s.died = true, time.Now()
}

func (s *site) close() {
	s.set(true, true)
	close(s.stop)
	s.wg.Wait()
}

// fault is something that goes wrong for a while.
type fault struct {
	nats, running bool // what still works
	kill          bool
	after, lasts  time.Duration
}

func faults(t *rapid.T) []fault {
	long := rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.IntRange(1, 300).Draw(t, "tenths")) * 100 * time.Millisecond
	})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) fault {
		return fault{
			nats: rapid.Bool().Draw(t, "nats"), running: rapid.Bool().Draw(t, "running"),
			kill:  rapid.IntRange(0, 3).Draw(t, "kill") == 0,
			after: long.Draw(t, "after"), lasts: long.Draw(t, "lasts"),
		}
	}), 1, 6).Draw(t, "faults")
}

// TestObserver_properties: whatever NATS and the observer itself do, an edge that
// renews is never out, and one that died is out in time once both are fine.
func TestObserver_properties(t *testing.T) {
	edge := contract.ID("edge-1").Token()
	rapid.Check(t, func(t *rapid.T) {
		plan := faults(t)
		rapid.SyncTest(t, func(t *rapid.T) {
			s := newSite(edge)
			defer s.close()
			for _, f := range plan {
				time.Sleep(f.after)
				s.set(f.nats, f.running)
				time.Sleep(f.lasts / 2)
				if f.kill && !s.dead {
					s.kill()
				}
				time.Sleep(f.lasts / 2)
				s.set(true, true)
			}
			if !s.dead {
				time.Sleep(timeout)
				s.kill()
			}
			calm := s.fine
			if s.died.After(calm) {
				calm = s.died
			}
			// A renewal may come, or a standstill be found out, a tick later,
			// and the look that finds the edge out is on a tick too.
			latest := calm.Add(timeout + 2*tick + tick/10)
			time.Sleep(time.Until(latest))
			synctest.Wait()
			s.mu.Lock()
			defer s.mu.Unlock()
			switch {
			case s.falsely:
				t.Fatalf("the edge was taken for out while it renewed: %+v", plan)
			case s.foundOut.IsZero():
				t.Fatalf("the edge isn't out %v after it died and all was fine: %+v", latest.Sub(calm), plan)
			case s.foundOut.Sub(s.renewedAt) < timeout:
				t.Fatalf("the edge was out %v after its last renewal: %+v", s.foundOut.Sub(s.renewedAt), plan)
			}
		})
	})
}
