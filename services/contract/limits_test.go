package contract_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/contract"
)

func TestDefaultLimits(t *testing.T) {
	text, err := json.Marshal(contract.DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	want := `{"messageBytes":65536,"frameBytes":262144,"partBytes":49152,"frameRate":50,"frameBurst":200,` +
		`"byteRate":65536,"byteBurst":1048576,"presenceRate":1,"presenceBurst":5,"presenceBytes":512,` +
		`"candidates":64,"rooms":16,"outboundFrames":256,"outboundBytes":262144,` +
		`"unsettledBytes":1048576,"unsettledFrames":256}`
	if got := string(text); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if err := contract.DefaultLimits().Validate(); err != nil {
		t.Errorf("the defaults don't work: %v", err)
	}
}

func TestLimits_Validate(t *testing.T) {
	tests := []struct {
		key     string
		set     func(*contract.Limits, int)
		ok, bad int // the last value that works and the first that doesn't
	}{
		{"message_bytes", func(l *contract.Limits, v int) { l.MessageBytes, l.PartBytes = v, 1024 }, 4096, 4095},
		{"frame_bytes", func(l *contract.Limits, v int) { l.FrameBytes = v }, 65536, 65535},
		{"frame_bytes", func(l *contract.Limits, v int) { l.FrameBytes, l.OutboundBytes = v, 1<<20 }, 504 << 10, 504<<10 + 1},
		{"part_bytes", func(l *contract.Limits, v int) { l.PartBytes = v }, 1024, 1023},
		{"part_bytes", func(l *contract.Limits, v int) { l.PartBytes = v }, 65536, 65537},
		{"frame_rate", func(l *contract.Limits, v int) { l.FrameRate = v }, 1, 0},
		{"frame_burst", func(l *contract.Limits, v int) { l.FrameBurst = v }, 1, 0},
		{"byte_rate", func(l *contract.Limits, v int) { l.ByteRate = v }, 1, -1},
		{"byte_burst", func(l *contract.Limits, v int) { l.ByteBurst = v }, 262144, 262143},
		{"presence_rate", func(l *contract.Limits, v int) { l.PresenceRate = v }, 1, 0},
		{"presence_burst", func(l *contract.Limits, v int) { l.PresenceBurst = v }, 1, 0},
		{"presence_bytes", func(l *contract.Limits, v int) { l.PresenceBytes = v }, 1, 0},
		{"candidates", func(l *contract.Limits, v int) { l.Candidates = v }, 1, 0},
		{"rooms", func(l *contract.Limits, v int) { l.Rooms = v }, 1, 0},
		{"outbound_frames", func(l *contract.Limits, v int) { l.OutboundFrames = v }, 1, 0},
		{"outbound_bytes", func(l *contract.Limits, v int) { l.OutboundBytes = v }, 262144, 262143},
		{"unsettled_bytes", func(l *contract.Limits, v int) { l.UnsettledBytes = v }, 262144, 262143},
		{"unsettled_frames", func(l *contract.Limits, v int) { l.UnsettledCount = v }, 1, 0},
	}
	tried := map[string]bool{}
	for _, tt := range tests {
		tried[tt.key] = true
		t.Run(tt.key, func(t *testing.T) {
			limits := contract.DefaultLimits()
			tt.set(&limits, tt.ok)
			if err := limits.Validate(); err != nil {
				t.Errorf("%d: %v", tt.ok, err)
			}
			tt.set(&limits, tt.bad)
			if err := limits.Validate(); err == nil || !strings.Contains(err.Error(), tt.key+" is ") {
				t.Errorf("%d: got %v, want a fault that names %s", tt.bad, err, tt.key)
			}
		})
	}
	for key := range limitKeys() {
		if !tried[key] {
			t.Errorf("nobody tries the edge of %s", key)
		}
	}
}

func TestLimits_ValidateReportsAll(t *testing.T) {
	err := contract.Limits{FrameBytes: 1 << 30}.Validate()
	if err == nil {
		t.Fatal("no limits at all were accepted")
	}
	for key := range limitKeys() {
		if !strings.Contains(err.Error(), key+" is ") {
			t.Errorf("%s isn't reported", key)
		}
	}
}

// limitKeys returns the JSON name of every limit by its configuration key.
func limitKeys() map[string]string {
	keys := map[string]string{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[contract.Limits]()) {
		keys[field.Tag.Get("koanf")] = field.Tag.Get("json")
	}
	return keys
}
