//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/services/contract"
)

// streams are all streams.
func streams() []string {
	buckets := []string{contract.BucketRooms, contract.BucketMembers, contract.BucketEdges, contract.BucketKeys, contract.BucketApps}
	for shard := range Shards {
		buckets = append(buckets, contract.SignalsBucket(shard))
	}
	for i, bucket := range buckets {
		buckets[i] = contract.StreamOf(bucket)
	}
	return buckets
}

// Stream is the stream that a fault picks: a shard of the log, the room documents or
// the members' records. Shards count double.
func Stream(pick int) string {
	buckets := []string{contract.BucketRooms, contract.BucketMembers}
	for shard := range Shards {
		buckets = append(buckets, contract.SignalsBucket(shard), contract.SignalsBucket(shard))
	}
	return contract.StreamOf(buckets[pick%len(buckets)])
}

// Leader is the NATS node that leads a stream.
func (c *Cluster) Leader(ctx context.Context, stream string) (*Process, error) {
	cluster, err := c.places(ctx, stream)
	if err != nil {
		return nil, err
	}
	for _, p := range c.Of(NATS) {
		if p.Name == cluster.Leader {
			return p, nil
		}
	}
	return nil, errors.New("stream " + stream + " has no leader")
}

// places is where the copies of a stream are.
func (c *Cluster) places(ctx context.Context, stream string) (*jetstream.ClusterInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	s, err := c.js.Stream(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", stream, err)
	}
	if s.CachedInfo().Cluster == nil {
		return nil, errors.New("stream " + stream + " isn't in a cluster")
	}
	return s.CachedInfo().Cluster, nil
}

// replicated fails if a copy of a stream is behind.
func (c *Cluster) replicated(ctx context.Context) error {
	for _, stream := range streams() {
		cluster, err := c.places(ctx, stream)
		if err != nil {
			return err
		}
		if cluster.Leader == "" {
			return errors.New("stream " + stream + " has no leader")
		}
		for _, replica := range cluster.Replicas {
			if replica.Offline || !replica.Current {
				return fmt.Errorf("stream %s: the copy on %s is behind", stream, replica.Name)
			}
		}
	}
	return nil
}

// StepDown has a NATS node hand over all that it leads.
func (c *Cluster) StepDown(ctx context.Context, p *Process) error {
	for _, stream := range streams() {
		for {
			leader, err := c.Leader(ctx, stream)
			if err == nil && leader != p {
				break
			}
			if err == nil {
				_, _ = c.nc.RequestWithContext(ctx, "$JS.API.STREAM.LEADER.STEPDOWN."+stream, nil) // asked again if it didn't
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s still leads %s: %w", p.Name, stream, ctx.Err())
			case <-time.After(pollInterval):
			}
		}
	}
	return nil
}
