package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// streamsEvery is the time between two looks at the streams that are open, besides
	// those after each reconnect: somebody may delete one while NATS runs.
	streamsEvery = 30 * time.Second
	// streamsSoon is the time to the second look when the first found one missing: a
	// roomsvc may be making it.
	streamsSoon = 100 * time.Millisecond
	// streamsAgain is the same for as long as one is missing, or nobody can say.
	streamsAgain = time.Second
	// streamsGone is how long one must be missing before it is made anew. By then all
	// who have come back to NATS know that it was missing.
	streamsGone = 2 * time.Second
)

// ErrRemade is wrapped when a stream is no more the one that was opened: NATS has
// lost its data. What a process knows of the old one, above all its revisions, means
// nothing in the new one, so the process must begin anew.
var ErrRemade = errors.New("NATS has lost its data")

// Streams are those that a process has opened, by [OpenStream] and [OpenBucket] with
// a context from [WithStreams].
type Streams struct {
	maker atomic.Bool
	lost  atomic.Bool

	mu      sync.Mutex
	created map[string]time.Time // by name
}

type streamsKey struct{}

// WithStreams returns ctx with s.
func WithStreams(ctx context.Context, s *Streams) context.Context {
	return context.WithValue(ctx, streamsKey{}, s)
}

// StreamsFrom returns ctx's Streams; without any, new ones that nobody watches.
func StreamsFrom(ctx context.Context) *Streams {
	if s, ok := ctx.Value(streamsKey{}).(*Streams); ok {
		return s
	}
	return &Streams{}
}

// Make says that this process makes the streams when it begins: Watch ends also for
// one that is gone. Others wait until it was made anew.
func (s *Streams) Make() { s.maker.Store(true) }

// Lost reports whether the last look found that a stream is gone or another one.
func (s *Streams) Lost() bool { return s.lost.Load() }

func (s *Streams) opened(info *jetstream.StreamInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.created == nil {
		s.created = map[string]time.Time{}
	}
	if _, had := s.created[info.Config.Name]; !had {
		s.created[info.Config.Name] = info.Created
	}
}

// Watch looks after the streams until ctx ends, and then returns nil; or until the
// process must begin anew, with an error that wraps ErrRemade. report hears of one that
// is missing, and with nil that all are there again.
func (s *Streams) Watch(ctx context.Context, nc *nats.Conn, report func(error)) error {
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("open JetStream: %w", err)
	}
	back := nc.StatusChanged(nats.CONNECTED)
	defer nc.RemoveStatusListener(back)
	var since time.Time // when the first look found one missing
	for {
		err := s.look(ctx, js)
		step := streamsEvery
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, ErrRemade):
			return err
		case missing(err) && since.IsZero():
			since, step = time.Now(), streamsSoon
			slog.ErrorContext(ctx, "a stream is gone, which roomsvc makes anew", "error", advised(err))
			report(fmt.Errorf("%w: %w", ErrRemade, advised(err)))
		case missing(err) && s.maker.Load() && time.Since(since) >= streamsGone:
			return fmt.Errorf("%w: %w", ErrRemade, err)
		case err != nil:
			step = streamsAgain
		case !since.IsZero():
			since = time.Time{}
			report(nil)
		}
		timer := time.NewTimer(step)
		select {
		case <-ctx.Done():
		case <-back:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// look asks for each stream. Of what it finds a stream that was made anew is told
// first, then one that is missing, then one of which nothing is known.
func (s *Streams) look(ctx context.Context, js jetstream.JetStream) error {
	s.mu.Lock()
	created := make(map[string]time.Time, len(s.created))
	for name, then := range s.created {
		created[name] = then
	}
	s.mu.Unlock()
	var gone, unknown error
	for name, then := range created {
		stream, err := openOnce(ctx, func(ctx context.Context) (jetstream.Stream, error) { return js.Stream(ctx, name) })
		switch {
		case err == nil && !stream.CachedInfo().Created.Equal(then):
			s.lost.Store(true)
			return fmt.Errorf("%w: stream %s was made anew", ErrRemade, name)
		case missing(err):
			gone = fmt.Errorf("stream %s: %w", name, err)
		case err != nil:
			unknown = fmt.Errorf("stream %s: %w", name, err)
		}
	}
	if gone != nil || unknown == nil {
		s.lost.Store(gone != nil)
	}
	return errors.Join(gone, unknown)
}
