package roomsvc

import (
	"context"
	"log/slog"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/roomsvc/internal/index"
	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/roomsvc/internal/tail"
	"github.com/parley-rtc/parley/services/contract"
)

// rememberedLines is how many of the last lines a stream recognises when they
// come again: what goes to several edges stands in the log several times.
const rememberedLines = 4096

// streamer gives the signals of rooms to those who watch them. It follows the
// signal log only while somebody does.
type streamer struct {
	// Static after construction.
	js     jetstream.JetStream
	shards int
	index  *index.Index
	most   int // streams
	queue  int // lines a stream

	mu      sync.Mutex
	stopped bool
	streams map[room.Ref]map[*stream]struct{}
	open    int
	feed    *feed // nil while nobody watches
}

// stream is one who watches a room.
type stream struct {
	ref   room.Ref
	lines chan tail.Line
	over  chan struct{} // closed when the service stops

	// Guarded by streamer.mu.
	dropped int // lines that found the queue full, since the last one that was told
	seen    map[string]struct{}
	order   []string // keys of seen, oldest first
}

func newStreamer(cfg Config, js jetstream.JetStream, shards int, x *index.Index) *streamer {
	return &streamer{
		js: js, shards: shards, index: x, most: cfg.Streams, queue: cfg.StreamQueue,
		streams: map[room.Ref]map[*stream]struct{}{},
	}
}

// run ends the streams when ctx ends.
func (s *streamer) run(ctx context.Context) error {
	<-ctx.Done()
	s.mu.Lock()
	s.stopped = true
	for _, some := range s.streams {
		for one := range some {
			close(one.over)
		}
	}
	f := s.feed
	s.feed = nil
	s.mu.Unlock()
	f.stop()
	return ctx.Err()
}

// join begins a stream; what is committed after it returns is told. It must be
// followed by leave.
func (s *streamer) join(ctx context.Context, ref room.Ref) (*stream, error) {
	one := &stream{
		ref: ref, lines: make(chan tail.Line, s.queue), over: make(chan struct{}), seen: map[string]struct{}{},
	}
	s.mu.Lock()
	switch {
	case s.stopped:
		s.mu.Unlock()
		return nil, unavailable("this roomsvc stops: ask again")
	case s.open >= s.most:
		s.mu.Unlock()
		return nil, unavailable("as many event streams are open as may be (roomsvc.streams): close one")
	}
	s.open++
	streams.Inc()
	if s.streams[ref] == nil {
		s.streams[ref] = map[*stream]struct{}{}
	}
	s.streams[ref][one] = struct{}{}
	if s.feed == nil {
		s.feed = startFeed(s.js, s.shards, s.take)
	}
	ready := s.feed.ready
	s.mu.Unlock()
	select {
	case <-ready:
		return one, nil
	case <-one.over:
	case <-ctx.Done():
	}
	s.leave(one)
	return nil, unavailable("the signal log can't be read now: ask again")
}

// leave ends a stream.
func (s *streamer) leave(one *stream) {
	s.mu.Lock()
	delete(s.streams[one.ref], one)
	if len(s.streams[one.ref]) == 0 {
		delete(s.streams, one.ref)
	}
	s.open--
	streams.Dec()
	var last *feed
	if s.open == 0 {
		last, s.feed = s.feed, nil
	}
	s.mu.Unlock()
	last.stop()
}

// take gives what stands in an entry to those who watch the rooms.
func (s *streamer) take(m jetstream.Msg) {
	meta, err := m.Metadata()
	if err != nil {
		return // no message of a stream
	}
	from, to, err := contract.ParseSignalSubject(m.Subject())
	if err != nil {
		return // the edges complain
	}
	told, err := tail.Read(m.Data(), from, to, meta.Timestamp.UnixMilli())
	if err != nil {
		slog.Warn("an entry can't be read to its end", "revision", meta.Sequence.Stream, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range told {
		if told[i].Room != "" {
			s.tell(refOf(&told[i]), &told[i])
			continue
		}
		for ref := range s.streams {
			if peer, err := contract.ParseToken(told[i].Line.From); err == nil && s.index.Identity(ref, peer) != "" {
				s.tell(ref, &told[i])
			}
		}
	}
}

func refOf(t *tail.Told) room.Ref {
	app, err := contract.ParseToken(t.App)
	if err != nil {
		return room.Ref{}
	}
	name, err := contract.ParseToken(t.Room)
	if err != nil {
		return room.Ref{}
	}
	return room.Ref{App: app, Room: name}
}

// tell gives a line to every stream of a room that hasn't had it; s.mu is held.
func (s *streamer) tell(ref room.Ref, t *tail.Told) {
	for one := range s.streams[ref] {
		if !one.news(t.Key) {
			continue
		}
		select {
		case one.lines <- t.Line:
			streamLines.Inc()
		default:
			one.dropped++
			streamDropped.WithLabelValues(reasonSlowReader).Inc()
		}
	}
}

// news reports whether a key is new, and remembers it.
func (one *stream) news(key string) bool {
	if _, had := one.seen[key]; had {
		return false
	}
	one.seen[key] = struct{}{}
	one.order = append(one.order, key)
	if len(one.order) > rememberedLines {
		delete(one.seen, one.order[0])
		one.order = one.order[1:]
	}
	return true
}

// takeDropped returns how many lines were dropped since it was asked last.
func (s *streamer) takeDropped(one *stream) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := one.dropped
	one.dropped = 0
	return n
}
