package roomsvc

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/contract"
)

// BenchmarkJoin measures joins per second through NATS, the document, and the
// events in the log of every edge: all that stands between a client and its
// "joined" but the edge. Each iteration is one filling of the rooms.
func BenchmarkJoin(b *testing.B) {
	slog.SetLogLoggerLevel(slog.LevelError)
	for _, c := range []struct{ edges, rooms, members, ops int }{
		{5, 1, 1000, 1}, {5, 1, 1000, 25}, {50, 1, 1000, 1}, {5, 100, 10, 1}, {5, 500, 2, 1},
	} {
		b.Run(fmt.Sprintf("edges=%d/rooms=%d/members=%d/ops=%d", c.edges, c.rooms, c.members, c.ops), func(b *testing.B) {
			s := newStand(b)
			s.run(testConfig())
			joins := 0
			begin := time.Now()
			for i := 0; b.Loop(); i++ {
				fill(s, i, c.edges, c.rooms, c.members, c.ops)
				joins += c.rooms * c.members
			}
			b.ReportMetric(float64(joins)/time.Since(begin).Seconds(), "joins/s")
		})
	}
}

// fill lets every edge bring its share of the members into every room, with one
// request in flight for each room, all rooms at once.
func fill(s *stand, round, edges, rooms, members, ops int) {
	var wg sync.WaitGroup
	for e := range edges {
		for r := range rooms {
			first, last := e*members/edges, (e+1)*members/edges
			ref := room.Ref{App: app, Room: token(fmt.Sprintf("room-%d-%d", round, r))}
			wg.Go(func() {
				d := s.door(fmt.Sprintf("edge-%d", e))
				for at := first; at < last; at += ops {
					var batch []contract.RoomOp
					for i := at; i < min(at+ops, last); i++ {
						batch = append(batch, join(fmt.Sprintf("peer%016d", i), fmt.Sprintf("user-%d", i)))
					}
					d.change(ref, batch...)
				}
			})
		}
	}
	wg.Wait()
}
