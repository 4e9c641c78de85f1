package contract

import (
	"errors"
	"fmt"
	"time"
)

// Subprotocol is the WebSocket subprotocol of this protocol version.
const Subprotocol = "parley.v1"

// Limits of the log. They are part of the wire: every process must agree.
const (
	MaxEntryBytes   = 512 << 10 // one entry as an edge cuts it; sanitised it may be larger
	MaxEntrySignals = 1000      // signals in one entry
	MaxJSONDepth    = 16        // nesting of any client frame
	MaxPartIDBytes  = 64        // `id` of a part
	MaxNameField    = 128       // bytes of negotiation, id, re
	MaxSeq          = 1<<53 - 1 // what JavaScript counts exactly
)

// Times that processes must agree on.
const (
	LeaseInterval = time.Second      // an edge renews its lease
	LeaseTimeout  = 12 * time.Second // unchanged for so long: the lease is out
	FenceAfter    = 10 * time.Second // an edge without renewal stops cutting and acknowledging
	EntryBudget   = 30 * time.Second // a commit still unknown after that is given up
)

// Limits are told to each client in welcome.limits and are configured in the
// edge. The koanf tags are their keys under edge.limits.
type Limits struct {
	MessageBytes   int `json:"messageBytes" koanf:"message_bytes"`       // one WebSocket message
	FrameBytes     int `json:"frameBytes" koanf:"frame_bytes"`           // one logical frame, assembled from parts
	PartBytes      int `json:"partBytes" koanf:"part_bytes"`             // frames over this travel as parts
	FrameRate      int `json:"frameRate" koanf:"frame_rate"`             // frames/s a connection
	FrameBurst     int `json:"frameBurst" koanf:"frame_burst"`           // frames
	ByteRate       int `json:"byteRate" koanf:"byte_rate"`               // bytes/s a connection; a broadcast costs its size times the receiving edges
	ByteBurst      int `json:"byteBurst" koanf:"byte_burst"`             // bytes
	PresenceRate   int `json:"presenceRate" koanf:"presence_rate"`       // changes/s a peer
	PresenceBurst  int `json:"presenceBurst" koanf:"presence_burst"`     // changes
	PresenceBytes  int `json:"presenceBytes" koanf:"presence_bytes"`     // JSON text of one presence
	Candidates     int `json:"candidates" koanf:"candidates"`            // a negotiation and peer
	Rooms          int `json:"rooms" koanf:"rooms"`                      // a connection
	OutboundFrames int `json:"outboundFrames" koanf:"outbound_frames"`   // waiting for a slow reader
	OutboundBytes  int `json:"outboundBytes" koanf:"outbound_bytes"`     // waiting for a slow reader
	UnsettledBytes int `json:"unsettledBytes" koanf:"unsettled_bytes"`   // sent and not yet acknowledged, a connection
	UnsettledCount int `json:"unsettledFrames" koanf:"unsettled_frames"` // sent and not yet acknowledged, a connection
}

// DefaultLimits are the limits of an edge that configures none.
func DefaultLimits() Limits {
	return Limits{
		MessageBytes:   64 << 10,
		FrameBytes:     256 << 10,
		PartBytes:      48 << 10,
		FrameRate:      50,
		FrameBurst:     200,
		ByteRate:       64 << 10,
		ByteBurst:      1 << 20,
		PresenceRate:   1,
		PresenceBurst:  5,
		PresenceBytes:  512,
		Candidates:     64,
		Rooms:          16,
		OutboundFrames: 256,
		OutboundBytes:  256 << 10,
		UnsettledBytes: 1 << 20,
		UnsettledCount: 256,
	}
}

// Validate reports all limits that can't work, each by its configuration key.
func (l Limits) Validate() error {
	var faults []error
	atLeast := func(key string, value, least int) {
		if value < least {
			faults = append(faults, fmt.Errorf("%s is %d, it must be at least %d", key, value, least))
		}
	}
	atMost := func(key string, value, most int, why string) {
		if value > most {
			faults = append(faults, fmt.Errorf("%s is %d, it must be at most %d (%s)", key, value, most, why))
		}
	}
	atLeast("message_bytes", l.MessageBytes, 4<<10)
	atLeast("frame_bytes", l.FrameBytes, l.MessageBytes)
	atMost("frame_bytes", l.FrameBytes, MaxEntryBytes-8<<10, "an entry of the log must hold it")
	atLeast("part_bytes", l.PartBytes, 1<<10)
	atMost("part_bytes", l.PartBytes, l.MessageBytes, "message_bytes must hold a part")
	for _, one := range []struct {
		key   string
		value int
	}{
		{"frame_rate", l.FrameRate}, {"frame_burst", l.FrameBurst}, {"byte_rate", l.ByteRate},
		{"presence_rate", l.PresenceRate}, {"presence_burst", l.PresenceBurst}, {"presence_bytes", l.PresenceBytes},
		{"candidates", l.Candidates}, {"rooms", l.Rooms}, {"outbound_frames", l.OutboundFrames},
		{"unsettled_frames", l.UnsettledCount},
	} {
		atLeast(one.key, one.value, 1)
	}
	atLeast("byte_burst", l.ByteBurst, l.FrameBytes)
	atLeast("outbound_bytes", l.OutboundBytes, l.FrameBytes)
	atLeast("unsettled_bytes", l.UnsettledBytes, l.FrameBytes)
	return errors.Join(faults...)
}
