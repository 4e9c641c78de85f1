package roomsvc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/parley-rtc/parley/roomsvc/internal/room"
	"github.com/parley-rtc/parley/roomsvc/internal/store"
	"github.com/parley-rtc/parley/services/contract"
)

// Config is the section "roomsvc".
type Config struct {
	// Name is the first part of this process's id.
	Name string `koanf:"name"`

	// Shards is the number of signal logs. It can't be changed while they
	// exist: 1 for one server, 3 for a cluster.
	Shards int `koanf:"shards"`
	// Replicas of every stream: 1, 3 or 5, at most the servers of the cluster.
	Replicas int `koanf:"replicas"`
	// Storage of every stream: file, or memory, which a restart of NATS empties.
	Storage string `koanf:"storage"`
	// SignalsMaxBytes is the most that one signal log holds; a full one refuses
	// signals. In bytes.
	SignalsMaxBytes int64 `koanf:"signals_max_bytes"`
	// SignalsBytesPerSecond is what one signal log must be able to take for as
	// long as it keeps signals. In bytes a second.
	SignalsBytesPerSecond int64 `koanf:"signals_bytes_per_second"`

	// Capacity is the most members of a room whose app says nothing else.
	Capacity int `koanf:"capacity"`
	// Duplicates says what happens when an identity joins a room that it is in,
	// if its app doesn't: replace, reject or allow.
	Duplicates contract.DuplicatePolicy `koanf:"duplicates"`

	// ResumeWindow is how long the members of an edge that is out may come back
	// on another one before they leave. The edges must have the same.
	ResumeWindow time.Duration `koanf:"resume_window"`
	// SweepInterval is the time between two looks at the leases.
	SweepInterval time.Duration `koanf:"sweep_interval"`
	// TellInterval is the time between two messages to an edge with the
	// revisions of its rooms.
	TellInterval time.Duration `koanf:"tell_interval"`
	// RefreshInterval is the age at which the document of a room with members
	// is written again. They are kept for 24 h.
	RefreshInterval time.Duration `koanf:"refresh_interval"`

	// Workers read requests; they don't wait for a commit.
	Workers int `koanf:"workers"`
	// MaxPending is the most requests that may wait for their answer, and
	// MaxPendingRoom the most of one room that wait for a commit.
	MaxPending     int `koanf:"max_pending"`
	MaxPendingRoom int `koanf:"max_pending_room"`
	// MaxPendingBytes is the most that the waiting requests may hold. In bytes.
	MaxPendingBytes int64 `koanf:"max_pending_bytes"`

	// Listen is host:port of the Server API; empty: there is none. It speaks plain
	// HTTP: on another address than loopback a proxy with TLS must stand before it.
	Listen string `koanf:"listen"`
	// Rate and Burst are the requests/s, and the requests at once, that one API
	// key gets from one process.
	Rate  float64 `koanf:"rate"`
	Burst int     `koanf:"burst"`
	// MessageBytes is the most that the body of a message request may have. In
	// bytes; the edges' limits.frame_bytes is the same for clients.
	MessageBytes int `koanf:"message_bytes"`
	// Streams is the most event streams that may be open, and StreamQueue the most
	// lines that wait for a slow reader of one.
	Streams     int `koanf:"streams"`
	StreamQueue int `koanf:"stream_queue"`

	// Listener, if set, is used instead of Listen, and closed.
	Listener net.Listener `koanf:"-"`
	// Serve, if set, is used instead of any listening: it must serve the handler
	// until ctx ends. The paths are RoomsPath and all below it.
	Serve func(ctx context.Context, h http.Handler) error `koanf:"-"`

	// Heartbeat is the longest silence of an event stream; tests shorten it.
	Heartbeat time.Duration `koanf:"-"`
	// LeaseTimeout is contract.LeaseTimeout; tests shorten it.
	LeaseTimeout time.Duration `koanf:"-"`
}

// The storages.
const (
	StorageFile   = "file"
	StorageMemory = "memory"
)

const (
	// signalAgeMargin is what the log keeps signals for beyond the lease and
	// the resume window: for the sweep, the settling and the replay.
	signalAgeMargin = 55 * time.Second
	// signalAgeLeast is the least that it keeps them for.
	signalAgeLeast = 2 * time.Minute
	// refreshMost leaves time for several attempts before a document is 24 h old.
	refreshMost = 12 * time.Hour
	// maxMessageBytes leaves place for what an event has beside a message.
	maxMessageBytes = contract.MaxEntryBytes - 8<<10
	// maxRate is more than one process serves.
	maxRate = 1e6
)

// DefaultConfig is one server, with room for 8 MiB of signals a second.
func DefaultConfig() Config {
	return Config{
		Name:                  "roomsvc",
		Shards:                1,
		Replicas:              1,
		Storage:               StorageFile,
		SignalsMaxBytes:       1 << 30,
		SignalsBytesPerSecond: 8 << 20,
		Capacity:              1000,
		Duplicates:            contract.DuplicateReplace,
		ResumeWindow:          60 * time.Second,
		SweepInterval:         time.Second,
		TellInterval:          30 * time.Second,
		RefreshInterval:       6 * time.Hour,
		Workers:               4,
		MaxPending:            10_000,
		MaxPendingRoom:        2_000,
		MaxPendingBytes:       128 << 20,
		Listen:                "127.0.0.1:7411",
		Rate:                  50,
		Burst:                 100,
		MessageBytes:          contract.DefaultLimits().FrameBytes,
		Streams:               32,
		StreamQueue:           1000,
		Heartbeat:             15 * time.Second,
		LeaseTimeout:          contract.LeaseTimeout,
	}
}

// Validate reports every fault of the section, each under its key.
func (c Config) Validate() error {
	var faults []error
	fault := func(key, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: "+format, append([]any{key}, args...)...))
	}
	atLeast := func(key string, value, least int64) {
		if value < least {
			fault(key, "%d is too small, it must be at least %d", value, least)
		}
	}
	between := func(key string, value, least, most time.Duration) {
		if value < least || value > most {
			fault(key, "%v is out of range, it must be from %v to %v", value, least, most)
		}
	}
	if _, err := contract.NewProcessID(c.Name); err != nil {
		fault("name", "must be 1 to %d of A-Z a-z 0-9 _ -", contract.MaxNameBytes)
	}
	if c.Shards < 1 || c.Shards > 64 {
		fault("shards", "%d is out of range, it must be from 1 to 64", c.Shards)
	}
	if !slices.Contains([]int{1, 3, 5}, c.Replicas) {
		fault("replicas", "%d is none of 1, 3 and 5", c.Replicas)
	}
	if c.Storage != StorageFile && c.Storage != StorageMemory {
		fault("storage", "must be %s or %s", StorageFile, StorageMemory)
	}
	if !knownDuplicates(c.Duplicates) {
		fault("duplicates", "must be %s, %s or %s", contract.DuplicateReplace, contract.DuplicateReject, contract.DuplicateAllow)
	}
	if c.SignalsBytesPerSecond < 1 || c.SignalsBytesPerSecond > 1<<40 {
		fault("signals_bytes_per_second", "%d is out of range, it must be from 1 to %d", c.SignalsBytesPerSecond, int64(1)<<40)
	}
	if need := c.SignalsBytesPerSecond * int64(c.signalAge()/time.Second); c.SignalsMaxBytes < need {
		fault("signals_max_bytes", "%d is too small: signals are kept for %v, so %d bytes/s (signals_bytes_per_second) need %d",
			c.SignalsMaxBytes, c.signalAge(), c.SignalsBytesPerSecond, need)
	}
	atLeast("capacity", int64(c.Capacity), 1)
	between("resume_window", c.ResumeWindow, time.Second, time.Hour)
	between("sweep_interval", c.SweepInterval, 10*time.Millisecond, 10*time.Second)
	between("tell_interval", c.TellInterval, 100*time.Millisecond, 10*time.Minute)
	between("refresh_interval", c.RefreshInterval, time.Second, refreshMost)
	atLeast("workers", int64(c.Workers), 1)
	atLeast("max_pending", int64(c.MaxPending), 1)
	atLeast("max_pending_room", int64(c.MaxPendingRoom), 1)
	atLeast("max_pending_bytes", c.MaxPendingBytes, 1<<20)
	return errors.Join(append(faults, c.apiFaults()...)...)
}

// apiFaults are those of the Server API's keys.
func (c Config) apiFaults() []error {
	var faults []error
	if _, _, err := net.SplitHostPort(c.Listen); c.Listen != "" && err != nil {
		faults = append(faults, errors.New("listen: must be host:port, or empty for no Server API"))
	}
	if !(c.Rate > 0) || c.Rate > maxRate { // not for what is no number
		faults = append(faults, fmt.Errorf("rate: %g is out of range, it must be over 0 and at most %g", c.Rate, float64(maxRate)))
	}
	if c.MessageBytes > maxMessageBytes {
		faults = append(faults, fmt.Errorf("message_bytes: %d is too large, it must be at most %d: an entry of the log must hold it", c.MessageBytes, maxMessageBytes))
	}
	for _, one := range []struct {
		key          string
		value, least int
	}{{"burst", c.Burst, 1}, {"message_bytes", c.MessageBytes, 1 << 10}, {"streams", c.Streams, 1}, {"stream_queue", c.StreamQueue, 1}} {
		if one.value < one.least {
			faults = append(faults, fmt.Errorf("%s: %d is too small, it must be at least %d", one.key, one.value, one.least))
		}
	}
	return faults
}

// signalAge is how long the log keeps a signal.
func (c Config) signalAge() time.Duration {
	return max(contract.LeaseTimeout+c.ResumeWindow+signalAgeMargin, signalAgeLeast)
}

func (c Config) layout() store.Layout {
	l := store.Layout{
		Shards: c.Shards, Replicas: c.Replicas, Storage: jetstream.FileStorage,
		SignalAge: c.signalAge(), SignalBytes: c.SignalsMaxBytes,
	}
	if c.Storage == StorageMemory {
		l.Storage = jetstream.MemoryStorage
	}
	return l
}

// rules are those of a room whose app says nothing.
func (c Config) rules() room.Rules {
	return room.Rules{Capacity: c.Capacity, Duplicates: c.Duplicates, MaxBytes: contract.MaxDocumentBytes}
}

func knownDuplicates(p contract.DuplicatePolicy) bool {
	return p == contract.DuplicateReplace || p == contract.DuplicateReject || p == contract.DuplicateAllow
}
