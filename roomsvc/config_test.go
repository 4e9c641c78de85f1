package roomsvc

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

func TestDefaultConfig(t *testing.T) {
	cfg := DefaultConfig()
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	want(t, "lease timeout", cfg.LeaseTimeout, contract.LeaseTimeout)
	want(t, "signals are kept for", cfg.signalAge(), 127*time.Second)
}

func TestConfig_Load(t *testing.T) {
	cfg := DefaultConfig()
	_, err := config.Load([]config.Section{{Name: "roomsvc", Value: &cfg}}, config.Options{Environ: []string{
		"PARLEY_ROOMSVC__SHARDS=3", "PARLEY_ROOMSVC__DUPLICATES=reject", "PARLEY_ROOMSVC__RESUME_WINDOW=90s",
		"PARLEY_ROOMSVC__SIGNALS_MAX_BYTES=2147483648", "PARLEY_ROOMSVC__STORAGE=memory",
	}})
	if err != nil {
		t.Fatal(err)
	}
	exp := DefaultConfig()
	exp.Shards, exp.Duplicates, exp.ResumeWindow = 3, contract.DuplicateReject, 90*time.Second
	exp.SignalsMaxBytes, exp.Storage = 2<<30, StorageMemory
	want(t, "configuration", cfg, exp)
}

func TestConfig_Validate(t *testing.T) {
	for key, change := range map[string]func(c *Config){
		"name":                     func(c *Config) { c.Name = "room.svc" },
		"shards":                   func(c *Config) { c.Shards = 0 },
		"replicas":                 func(c *Config) { c.Replicas = 2 },
		"storage":                  func(c *Config) { c.Storage = "tape" },
		"signals_max_bytes":        func(c *Config) { c.SignalsMaxBytes = 127*8<<20 - 1 },
		"signals_bytes_per_second": func(c *Config) { c.SignalsBytesPerSecond = 0 },
		"capacity":                 func(c *Config) { c.Capacity = 0 },
		"duplicates":               func(c *Config) { c.Duplicates = "some" },
		"resume_window":            func(c *Config) { c.ResumeWindow = time.Millisecond },
		"sweep_interval":           func(c *Config) { c.SweepInterval = time.Minute },
		"tell_interval":            func(c *Config) { c.TellInterval = 0 },
		"refresh_interval":         func(c *Config) { c.RefreshInterval = 24 * time.Hour },
		"workers":                  func(c *Config) { c.Workers = 0 },
		"max_pending":              func(c *Config) { c.MaxPending = 0 },
		"max_pending_room":         func(c *Config) { c.MaxPendingRoom = 0 },
		"max_pending_bytes":        func(c *Config) { c.MaxPendingBytes = 1 },
		"listen":                   func(c *Config) { c.Listen = "7411" },
		"rate":                     func(c *Config) { c.Rate = math.NaN() },
		"burst":                    func(c *Config) { c.Burst = 0 },
		"message_bytes":            func(c *Config) { c.MessageBytes = maxMessageBytes + 1 },
		"streams":                  func(c *Config) { c.Streams = 0 },
		"stream_queue":             func(c *Config) { c.StreamQueue = 0 },
	} {
		t.Run(key, func(t *testing.T) {
			cfg := DefaultConfig()
			change(&cfg)
			err := cfg.Validate()
			if err == nil || !strings.HasPrefix(err.Error(), key+": ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want one fault of %s", err, key)
			}
		})
	}
	t.Run("all faults at once", func(t *testing.T) {
		err := Config{Listen: "nowhere"}.Validate()
		for i := range reflect.TypeFor[Config]().NumField() {
			key := reflect.TypeFor[Config]().Field(i).Tag.Get("koanf")
			if key != "-" && key != "signals_max_bytes" && !strings.Contains(err.Error(), key+": ") {
				t.Errorf("%s isn't among them: %v", key, err)
			}
		}
	})
	t.Run("exactly enough bytes", func(t *testing.T) {
		cfg := DefaultConfig()
		cfg.SignalsMaxBytes = 127 * 8 << 20
		if err := cfg.Validate(); err != nil {
			t.Error(err)
		}
	})
}
