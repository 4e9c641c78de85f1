package edge

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"
)

// errDraining is why a stopping edge isn't ready.
var errDraining = errors.New("draining")

const (
	// drainPoll is how often a draining edge looks who is still there.
	drainPoll = 50 * time.Millisecond
	// drainPace is the time between two clients that are asked to go, unless there
	// are more than half of the drain time has room for: then it is shorter.
	drainPace = 10 * time.Millisecond
	// drainLook is how often it looks whether there is another edge at all.
	drainLook = 200 * time.Millisecond
)

// drain has the clients go to other edges, each at its own moment of the first half
// of the drain time: the second half is for those who are slow to find a place.
// Everything else goes on meanwhile, so that who moves can be told what it missed. It
// returns when nobody is left and nothing is on its way, when there is no other edge
// and all is settled, or when the drain time is over.
func (e *Edge) drain(ctx context.Context) {
	e.draining.Store(true)
	close(e.lease.draining)
	ctx, cancel := context.WithTimeout(ctx, e.cfg.DrainTimeout)
	defer cancel()
	d := &drain{e: e, began: time.Now(), asked: map[*clientSession]bool{}}
	e.wg.Go(func() { d.lookElsewhere(ctx) })
	ticker := time.NewTicker(drainPoll)
	defer ticker.Stop()
	for !d.step() {
		select {
		case <-ctx.Done():
			slog.WarnContext(ctx, "the drain time is over", "clients", d.present)
			return
		case <-ticker.C:
		}
	}
}

// drain is one run of Edge.drain, whose goroutine owns it.
type drain struct {
	e       *Edge
	began   time.Time
	asked   map[*clientSession]bool
	due     float64 // clients that should have been asked by now
	last    time.Time
	present int         // clients with a socket, at the last step
	alone   atomic.Bool // there is no other edge
}

// step asks those whose turn it is and reports whether the edge may end.
func (d *drain) step() (over bool) {
	var waiting []*clientSession
	d.present = 0
	unsettled := 0
	d.e.eachSession(func(s *clientSession) {
		frames, connected := s.standing()
		unsettled += frames
		if connected {
			d.present++
			if !d.asked[s] {
				waiting = append(waiting, s)
			}
		}
	})
	for _, s := range waiting[:d.turns(len(waiting))] {
		d.asked[s] = true
		s.goaway(d.e.cfg.DrainTimeout/20, "the edge stops; reconnect to another one")
	}
	return unsettled == 0 && (d.present == 0 && d.e.links.Idle() || d.alone.Load())
}

// turns is how many of those that wait are asked now. When there is no other edge
// they are asked at once, since the edge ends soon.
func (d *drain) turns(waiting int) int {
	if d.alone.Load() {
		return waiting
	}
	now := time.Now()
	left := d.began.Add(d.e.cfg.DrainTimeout / 2).Sub(now)
	if d.last.IsZero() {
		d.due, d.last = 1, now
	}
	if left <= 0 {
		return waiting
	}
	pace := min(drainPace, left/time.Duration(waiting+1))
	d.due += float64(now.Sub(d.last)) / float64(max(1, pace))
	d.last = now
	n := min(waiting, int(d.due))
	d.due = min(d.due-float64(n), 1)
	return n
}

// lookElsewhere looks, again and again, whether another edge takes clients.
func (d *drain) lookElsewhere(ctx context.Context) {
	for ctx.Err() == nil {
		others, err := d.e.lease.elsewhere(ctx)
		if err == nil {
			d.alone.Store(!others)
		}
		pause(ctx, drainLook)
	}
}

// standing is how many frames of the session aren't settled, and whether its client
// is there.
func (s *clientSession) standing() (unsettled int, connected bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	unsettled, _ = s.seq.Unsettled()
	return unsettled, s.conn != nil
}
