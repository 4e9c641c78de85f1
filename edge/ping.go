package edge

import (
	"context"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// sweepInterval is how often the edge looks at its sessions' clocks.
const sweepInterval = time.Second

// sweep pings sessions whose turn it is and closes those without a room.
func (e *Edge) sweep(ctx context.Context) error {
	ticker := time.NewTicker(min(sweepInterval, e.cfg.PingInterval/2, e.cfg.RoomTimeout/2))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			e.eachSession((*clientSession).tick)
			e.shelves.sweep()
			e.rewounds.sweep()
		}
	}
}

func (s *clientSession) tick() {
	cursors := s.cursors()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return
	}
	s.refreshRecords()
	for _, m := range s.rooms {
		m.renewICE()
	}
	if len(s.rooms) == 0 && time.Since(s.since) > s.e.cfg.RoomTimeout {
		s.drop(contract.CloseTooLate, "no room in time")
		return
	}
	if now := time.Since(s.e.started); now-s.pinged >= s.e.cfg.PingInterval {
		s.pinged = now
		if s.replaying {
			cursors = nil
		}
		s.send(marshal(contract.Ping{Type: contract.TypePing, Cursors: cursors}))
	}
}

// refreshRecords writes the members' records again before their bucket forgets
// them; s.mu is held.
func (s *clientSession) refreshRecords() {
	for _, m := range s.rooms {
		if time.Since(m.refreshed) > s.e.cfg.RecordRefresh {
			m.refreshed = time.Now()
			m.recorder.want(func(w *wanted) { w.state = contract.StateHere })
		}
	}
}

// cursors is the position of each room: the reader's, or before the first
// signal that the room still holds.
func (s *clientSession) cursors() map[string]string {
	rooms := s.memberships()
	cursors := make(map[string]string, len(rooms))
	for _, m := range rooms {
		position := s.e.reader.position.Load()
		m.r.mu.Lock()
		if len(m.r.held) > 0 {
			position = min(position, m.r.held[0].origin.revision-1)
		}
		if m.epoch != 0 {
			cursors[m.roomName] = m.cursor(position)
		}
		m.r.mu.Unlock()
	}
	return cursors
}

// handlePing answers a ping. A pong needs nothing: that it came shows life.
func (s *clientSession) handlePing(p *contract.Ping) {
	if p.Type == contract.TypePing {
		s.sendAny(marshal(contract.Ping{Type: contract.TypePong, T: p.T}))
	}
}
