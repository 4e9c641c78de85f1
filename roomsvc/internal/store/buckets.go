package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

const (
	// documentAge is how long a document or a record outlives its last write;
	// what is still in use is written again every few hours.
	documentAge = 24 * time.Hour
	// leaseAge is how long the lease of an edge that is no more can be seen.
	leaseAge = time.Hour
	// signalHistory is no limit in effect. The server's own word for none, -1,
	// would keep jetstream.KeyValue from opening the bucket.
	signalHistory = 1 << 40
	// duplicateWindow is the server's default; nothing but the signal log uses
	// message ids.
	duplicateWindow = 2 * time.Minute
	// createAttempt bounds one attempt to make a stream. A cluster elects the
	// leader of a new one within it. When two roomsvcs ask for the same stream at
	// once the server may answer neither: each time is this long.
	createAttempt = 2 * time.Second
	// The pauses between two attempts.
	createShortest = 100 * time.Millisecond
	createLongest  = 2 * time.Second
	// appearTries is how often somebody who finds no room looks for the stream.
	appearTries = 5
)

// Codes of JetStream's API that the client library has no name for.
const (
	errNoPeers           jetstream.ErrorCode = 10005 // too few servers of a cluster are there
	errReplicasAlone     jetstream.ErrorCode = 10074 // replicas > 1 on a server without a cluster
	errStorageExceeded   jetstream.ErrorCode = 10047
	errMemoryExceeded    jetstream.ErrorCode = 10028
	errResourcesExceeded jetstream.ErrorCode = 10023
	errUpdateRefused     jetstream.ErrorCode = 10052
)

// Layout is what may differ between deployments.
type Layout struct {
	Shards   int
	Replicas int
	Storage  jetstream.StorageType
	// SignalAge is how long the log keeps a signal: its MaxAge and its
	// duplicate window.
	SignalAge time.Duration
	// SignalBytes is the most that one shard holds.
	SignalBytes int64
}

// ErrShards is wrapped when the log has another number of shards.
var ErrShards = errors.New("the signal log has another number of shards")

// Ensure makes every bucket, and changes those that differ from the layout. It
// may run in several processes at once. While JetStream isn't ready, which a
// cluster that forms isn't, it tries until ctx ends, and tells waiting why.
// What no waiting mends is returned.
func Ensure(ctx context.Context, js jetstream.JetStream, l Layout, waiting func(error)) error {
	for shard := range l.Shards {
		name := contract.StreamOf(contract.SignalsBucket(shard))
		err := persist(ctx, name, waiting, func(ctx context.Context) error { return ensureShard(ctx, js, l, shard) })
		if err != nil {
			return err
		}
	}
	for bucket, age := range map[string]time.Duration{
		contract.BucketRooms: documentAge, contract.BucketMembers: documentAge,
		contract.BucketEdges: leaseAge, contract.BucketKeys: 0, contract.BucketApps: 0,
	} {
		config := l.bucket(bucket, age)
		err := persist(ctx, config.Name, waiting, func(ctx context.Context) error {
			_, err := js.CreateOrUpdateStream(ctx, config)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// bucket is a key-value stream. It has no direct get, since a follower may
// answer it with an old value, and no markers, which come back from the dead.
func (l Layout) bucket(bucket string, age time.Duration) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:              contract.StreamOf(bucket),
		Subjects:          []string{"$KV." + bucket + ".>"},
		MaxMsgsPerSubject: 1,
		MaxMsgs:           -1,
		MaxBytes:          -1,
		MaxMsgSize:        -1,
		MaxConsumers:      -1,
		MaxAge:            age,
		Duplicates:        duplicateWindow,
		Storage:           l.Storage,
		Replicas:          l.Replicas,
		Discard:           jetstream.DiscardNew,
		DenyDelete:        true,
		AllowDirect:       false,
	}
}

func (l Layout) shard(shard int) jetstream.StreamConfig {
	config := l.bucket(contract.SignalsBucket(shard), l.SignalAge)
	config.MaxMsgsPerSubject = signalHistory
	config.MaxBytes = l.SignalBytes
	config.Duplicates = l.SignalAge
	config.Metadata = map[string]string{contract.ShardsMetadata: strconv.Itoa(l.Shards)}
	return config
}

// ensureShard creates before it updates: of two processes with different
// numbers of shards only the first one may write its number.
func ensureShard(ctx context.Context, js jetstream.JetStream, l Layout, shard int) error {
	config := l.shard(shard)
	_, err := js.CreateStream(ctx, config)
	if code(err) == errStorageExceeded && appears(ctx, js, config.Name) {
		err = jetstream.ErrStreamNameAlreadyInUse // it is the stream itself that takes the room
	}
	if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return err
	}
	stream, err := js.Stream(ctx, config.Name)
	if err != nil {
		return err
	}
	if found := stream.CachedInfo().Config.Metadata[contract.ShardsMetadata]; found != strconv.Itoa(l.Shards) {
		return shardsFault(config.Name, found, l.Shards)
	}
	_, err = js.UpdateStream(ctx, config)
	return err
}

// appears reports whether a stream is there, or is there soon since another
// roomsvc makes it just now.
func appears(ctx context.Context, js jetstream.JetStream, name string) bool {
	for range appearTries {
		if _, err := js.Stream(ctx, name); err == nil {
			return true
		}
		select {
		case <-time.After(createShortest):
		case <-ctx.Done():
			return false
		}
	}
	return false
}

func shardsFault(stream, found string, want int) error {
	if found == "" {
		return fmt.Errorf("%w: stream %s has no %q in its metadata, so roomsvc didn't make it: "+
			"remove or rename it, and start again", ErrShards, stream, contract.ShardsMetadata)
	}
	return fmt.Errorf("%w: it was made with %s, roomsvc.shards is %d. Set roomsvc.shards to %s; or, to have %d, "+
		"stop every edge, candidatefilter and roomsvc, delete the streams KV_signals-*, and start again "+
		"(signals that weren't delivered are lost with them)", ErrShards, found, want, found, want)
}

// persist repeats one attempt until it is done, hopeless, or ctx ends.
func persist(ctx context.Context, stream string, waiting func(error), attempt func(context.Context) error) error {
	said := ""
	for pause := createShortest; ; pause = min(2*pause, createLongest) {
		err := once(ctx, attempt)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil && !passing(err) {
			return fmt.Errorf("make stream %s: %w%s", stream, err, advice(err))
		}
		err = fmt.Errorf("make stream %s: %w", stream, err)
		waiting(err)
		if err.Error() != said {
			said = err.Error()
			slog.InfoContext(ctx, "waiting for JetStream", "error", err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-time.After(pause):
		}
	}
}

func once(ctx context.Context, attempt func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, createAttempt)
	defer cancel()
	return attempt(ctx)
}

// passing reports whether the same attempt may work later.
func passing(err error) bool {
	for _, e := range []error{
		jetstream.ErrJetStreamNotEnabled,    // nobody answers: JetStream hasn't started
		jetstream.ErrStreamNotFound,         // not yet known to the server that was asked
		jetstream.ErrStreamNameAlreadyInUse, // another roomsvc makes it just now
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	switch code(err) {
	case errNoPeers:
		return true
	case errStorageExceeded:
		return false // passes for a message, not for the reservation of a stream
	}
	return bus.IsTransient(err)
}

// advice says what to do about an error that stays.
func advice(err error) string {
	switch code(err) {
	case errReplicasAlone:
		return ": set roomsvc.replicas to 1, or connect to a cluster"
	case errStorageExceeded, errMemoryExceeded, errResourcesExceeded:
		return ": give JetStream more room, or lower roomsvc.signals_max_bytes"
	case errUpdateRefused:
		return ": set roomsvc.storage as it was when the stream was made, or delete the stream"
	case jetstream.JSErrCodeJetStreamNotEnabledForAccount:
		return ": enable JetStream for the account of roomsvc's NATS user"
	}
	return ""
}

func code(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode
	}
	return 0
}
