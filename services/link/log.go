package link

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// readTimeout bounds one attempt to read an entry back.
const readTimeout = time.Second

// Log is the signal log: all its shards, opened once.
type Log struct {
	streams []jetstream.Stream
	epochs  []uint64
}

// OpenLog waits until roomsvc has made the shards. Their number is what the
// log's own metadata says, so that no two processes can disagree about it.
func OpenLog(ctx context.Context, js jetstream.JetStream) (*Log, error) {
	first, err := bus.OpenStream(ctx, js, contract.StreamOf(contract.SignalsBucket(0)))
	if err != nil {
		return nil, fmt.Errorf("open signal log: %w", err)
	}
	config := first.CachedInfo().Config
	shards, err := strconv.Atoi(config.Metadata[contract.ShardsMetadata])
	if err != nil || shards < 1 {
		return nil, fmt.Errorf("open signal log: stream %s has no valid %q in its metadata: was it made by roomsvc?",
			config.Name, contract.ShardsMetadata)
	}
	l := &Log{}
	for i := range shards {
		stream, err := bus.OpenStream(ctx, js, contract.StreamOf(contract.SignalsBucket(i)))
		if err != nil {
			return nil, fmt.Errorf("open signal log, shard %d: %w", i, err)
		}
		l.streams = append(l.streams, stream)
		l.epochs = append(l.epochs, uint64(stream.CachedInfo().Created.UnixNano()))
	}
	return l, nil
}

// Shards is the number of shards.
func (l *Log) Shards() int { return len(l.streams) }

// Shard is the shard that holds the links into `to`.
func (l *Log) Shard(to contract.Token) int { return contract.Shard(to, len(l.streams)) }

// Subject is where the entries of a link stand in the log.
func (l *Log) Subject(from, to contract.Token) string {
	return contract.SignalSubject(l.Shard(to), from, to)
}

// Stream is the shard that holds the links into `to`.
func (l *Log) Stream(to contract.Token) jetstream.Stream { return l.streams[l.Shard(to)] }

// Epoch tells one life of that shard from another: a log made anew has another.
func (l *Log) Epoch(to contract.Token) uint64 { return l.epochs[l.Shard(to)] }

// fullInterval is the least time between two lines about a full log.
const fullInterval = 10 * time.Second

// tellFull says what to do about a full log, for all links at once.
func (l *Links) tellFull(now time.Time) {
	last := l.toldFull.Load()
	if now.UnixNano()-last < int64(fullInterval) || !l.toldFull.CompareAndSwap(last, now.UnixNano()) {
		return
	}
	slog.Error("the signal log is full: signals are refused until the oldest are out; for more room raise roomsvc.signals_max_bytes",
		"bytes_a_shard", l.log.streams[0].CachedInfo().Config.MaxBytes)
}

// Entry reads an entry of a link into `to` from the shard's leader.
func (l *Log) Entry(ctx context.Context, to contract.Token, revision uint64) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	msg, err := l.Stream(to).GetMsg(ctx, revision)
	if err != nil {
		return nil, fmt.Errorf("read entry %d: %w", revision, err)
	}
	return msg.Data, nil
}
