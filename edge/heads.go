package edge

import (
	"context"
	"sync"
	"time"

	"github.com/parley-rtc/parley/services/contract"
)

// logHeads remember for a moment where the heads of the log's shards are: a
// takeover wants one from before it, and thousands can share it.
type logHeads struct {
	mu      sync.Mutex
	byShard map[int]logHead
}

type logHead struct {
	at       time.Time
	revision uint64
}

const (
	// headGood is how old a head may be.
	headGood = 100 * time.Millisecond
	// headTimeout bounds one question for it.
	headTimeout = time.Second
)

// head is a revision that the log of an edge had reached a moment ago, 0 if nobody
// tells.
func (e *Edge) head(ctx context.Context, edge contract.Token) uint64 {
	h, shard := &e.heads, e.log.Shard(edge)
	h.mu.Lock()
	defer h.mu.Unlock() // one asks for all
	if known := h.byShard[shard]; time.Since(known.at) < headGood {
		return known.revision
	}
	ctx, cancel := context.WithTimeout(ctx, headTimeout)
	defer cancel()
	at := time.Now()
	info, err := e.log.Stream(edge).Info(ctx)
	if err != nil {
		return 0
	}
	if h.byShard == nil {
		h.byShard = map[int]logHead{}
	}
	h.byShard[shard] = logHead{at, info.State.LastSeq}
	return info.State.LastSeq
}

// readerReaches waits until the reader has handed on what the edge's own log has
// at this moment.
func (e *Edge) readerReaches(ctx context.Context) error {
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
