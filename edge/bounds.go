package edge

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// logBounds remember for a moment where the log's shards begin and end: a takeover
// wants an end from before it, and thousands can share one.
type logBounds struct {
	mu      sync.Mutex
	byShard map[int]bounds
}

type bounds struct {
	at          time.Time
	first, head uint64
}

const (
	// boundsGood is how old they may be.
	boundsGood = 100 * time.Millisecond
	// boundsTimeout bounds one question for them.
	boundsTimeout = time.Second
)

// bounds are the first revision and the head of an edge's log, of a moment ago.
func (e *Edge) bounds(ctx context.Context, edge contract.Token) (bounds, error) {
	l, shard := &e.logs, e.log.Shard(edge)
	l.mu.Lock()
	defer l.mu.Unlock() // one asks for all
	if known := l.byShard[shard]; time.Since(known.at) < boundsGood {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(ctx, boundsTimeout)
	defer cancel()
	now := bounds{at: time.Now()}
	info, err := e.log.Stream(edge).Info(ctx)
	if err != nil {
		return now, fmt.Errorf("find the log's bounds: %w", err)
	}
	now.first, now.head = info.State.FirstSeq, info.State.LastSeq
	if l.byShard == nil {
		l.byShard = map[int]bounds{}
	}
	l.byShard[shard] = now
	return now, nil
}

// headOf is the head of an edge's log a moment ago; 0, which is as good, if nobody
// tells.
func (e *Edge) headOf(ctx context.Context, edge contract.Token) uint64 {
	at, err := e.bounds(ctx, edge)
	if err != nil {
		return 0
	}
	return at.head
}

// readerReaches waits until the reader has handed on what the edge's own log has
// at this moment, or had at a later one.
func (e *Edge) readerReaches(ctx context.Context) error {
	return e.reaches.join(ctx, e, e.reachHead)
}

func (e *Edge) reachHead(ctx context.Context) error {
	stream := e.log.Stream(e.id)
	filter := contract.SignalsFor(e.log.Shard(e.id), e.id)
	info, err := stream.Info(ctx)
	if err != nil {
		return err
	}
	for head := info.State.LastSeq; e.reader.position.Load() < head; {
		msg, err := readNext(ctx, stream, e.reader.position.Load()+1, filter)
		if isNoEntry(err) || err == nil && msg.Sequence > head {
			return nil
		}
		if err != nil {
			return err
		}
		for e.reader.position.Load() < msg.Sequence {
			pause(ctx, readerLook)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

// readerLook is how often somebody looks where the reader is.
const readerLook = 2 * time.Millisecond
