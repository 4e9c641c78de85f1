package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/contract"
)

// attempt bounds one write or probe. An answer that takes longer rarely comes.
const attempt = time.Second

// probeKey is no edge's id, and no value ever stands there.
const probeKey = "probe"

var (
	// ErrConflict means that the document isn't at the expected revision. With the
	// server's own retries the write may still be the one that moved it.
	ErrConflict = errors.New("the document has changed")
	// ErrUnreadable means that what is stored is no document.
	ErrUnreadable = errors.New("the document can't be read")
	// ErrUnknown means that nobody knows whether the write was stored.
	ErrUnknown = errors.New("the write's outcome is unknown")
)

// Store is the buckets that roomsvc reads and writes.
type Store struct {
	rooms, members, edges, apps jetstream.KeyValue
}

// Open opens the buckets, which must have been made by Ensure.
func Open(ctx context.Context, js jetstream.JetStream) (*Store, error) {
	s := &Store{}
	for bucket, kv := range map[string]*jetstream.KeyValue{
		contract.BucketRooms: &s.rooms, contract.BucketMembers: &s.members,
		contract.BucketEdges: &s.edges, contract.BucketApps: &s.apps,
	} {
		var err error
		if *kv, err = bus.OpenBucket(ctx, js, bucket); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Load reads a room from the leader, with the revision it is stored at. A room
// without a document is one that nobody has been in, at 0. The error wraps
// ErrUnreadable if reading again won't help.
func (s *Store) Load(ctx context.Context, ref room.Ref) (room.State, uint64, error) {
	value, stored, err := bus.Get(ctx, s.rooms, ref.Key())
	if errors.Is(err, bus.ErrNotFound) {
		return room.New(ref.App, ref.Room), 0, nil
	}
	if err != nil {
		return room.State{}, 0, fmt.Errorf("load room: %w", err)
	}
	state, err := room.Decode(ref.App, ref.Room, value)
	if err != nil {
		return room.State{}, 0, fmt.Errorf("load room: %w: %w", ErrUnreadable, err)
	}
	return state, stored, nil
}

// Save writes an encoded room over the revision it was read at (0: it must not
// exist) and returns the new one. The error wraps ErrConflict or ErrUnknown if
// the caller should read again.
func (s *Store) Save(ctx context.Context, ref room.Ref, value []byte, over uint64) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	stored, err := s.rooms.Update(ctx, ref.Key(), value, over)
	switch {
	case err == nil:
		return stored, nil
	case code(err) == jetstream.JSErrCodeStreamWrongLastSequence, code(err) == jetstream.JSErrCodeStreamWrongLastSequenceConstant:
		return 0, fmt.Errorf("save room: %w", ErrConflict)
	case ctx.Err() != nil, bus.IsTransient(err):
		return 0, fmt.Errorf("save room: %w (%w)", ErrUnknown, err)
	default:
		return 0, fmt.Errorf("save room: %w", err)
	}
}

// Refresh writes a room's document again as it is, so that it doesn't grow old.
// That somebody else wrote it meanwhile is as good.
func (s *Store) Refresh(ctx context.Context, ref room.Ref) error {
	value, stored, err := bus.Get(ctx, s.rooms, ref.Key())
	if errors.Is(err, bus.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("refresh room: %w", err)
	}
	if _, err := s.Save(ctx, ref, value, stored); err != nil && !errors.Is(err, ErrConflict) {
		return fmt.Errorf("refresh room: %w", err)
	}
	return nil
}

// Record reads a member's record from the leader; found is false without one.
func (s *Store) Record(ctx context.Context, ref room.Ref, peer contract.Token) (r contract.MemberRecord, found bool, err error) {
	value, _, err := bus.Get(ctx, s.members, contract.MemberKey(ref.App, ref.Room, peer))
	if errors.Is(err, bus.ErrNotFound) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("read member: %w", err)
	}
	if err := json.Unmarshal(value, &r); err != nil {
		return r, false, fmt.Errorf("decode member: %w", err)
	}
	return r, true, nil
}

// Burial is what Bury found.
type Burial struct {
	// Record is the member's as it is now; Found is false without one that is
	// believed under the member's epoch.
	Record contract.MemberRecord
	Found  bool
	// Buried: it was Bury that set it to gone.
	Buried bool
}

// Bury sets a member's record to gone if the given edge still holds the member.
// A takeover and a burial can't both win. Without a record there is nothing to
// take over.
func (s *Store) Bury(ctx context.Context, ref room.Ref, m *contract.Member, edge contract.Token) (Burial, error) {
	var b Burial
	key := contract.MemberKey(ref.App, ref.Room, m.Peer)
	_, err := bus.Update(ctx, s.members, key, func(current []byte, _ uint64) ([]byte, error) {
		b = Burial{}
		if current == nil {
			return nil, bus.ErrUnchanged
		}
		r := &b.Record
		if err := json.Unmarshal(current, r); err != nil {
			return nil, fmt.Errorf("decode member: %w", err)
		}
		b.Found = r.Epoch == 0 || r.Epoch == m.Epoch
		if !b.Found || r.State == contract.StateGone || r.Edge != edge {
			return nil, bus.ErrUnchanged
		}
		r.State, r.Reason, b.Buried = contract.StateGone, contract.ReasonExpired, true
		r.Version++
		return json.Marshal(r)
	})
	if err != nil {
		return b, fmt.Errorf("bury member: %w", err)
	}
	return b, nil
}

// Lease reads the revision of an edge's lease from the leader, 0 without one.
func (s *Store) Lease(ctx context.Context, edge contract.Token) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	entry, err := s.edges.Get(ctx, edge.String())
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read lease: %w", err)
	}
	return entry.Revision(), nil
}

// Probe asks the leader of the leases whether it answers.
func (s *Store) Probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	if _, err := s.edges.Get(ctx, probeKey); err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
		return fmt.Errorf("probe: %w", err)
	}
	return nil
}
