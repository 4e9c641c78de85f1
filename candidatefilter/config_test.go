package candidatefilter

import (
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

func TestConfig_theDefaultIsValidAndPublic(t *testing.T) {
	cfg := DefaultConfig()
	if err := cfg.Validate(); err != nil {
		t.Error(err)
	}
	if cfg.Policy != contract.PolicyPublic {
		t.Errorf("the default policy is %s, want public", cfg.Policy)
	}
}

func TestConfig_Validate(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Config)
		want   string // "" if it is valid
	}{
		{"the least of all", func(c *Config) { *c = Config{"all", 1, 1, 1, Descriptions{1, 1, 1, 1, 1}} }, ""},
		{"an entry's bytes", func(c *Config) { c.Descriptions.Bytes = contract.MaxEntryBytes }, ""},
		{"more bytes than an entry", func(c *Config) { c.Descriptions.Bytes = contract.MaxEntryBytes + 1 }, "descriptions.bytes: is 524289"},
		{"no policy", func(c *Config) { c.Policy = "" }, "policy: "},
		{"an unknown policy", func(c *Config) { c.Policy = "Public" }, "policy: unknown ICE policy: use one of all, public, relay"},
		{"no workers", func(c *Config) { c.Workers = 0 }, "workers: is 0, must be at least 1"},
		{"no queue", func(c *Config) { c.Queue = 0 }, "queue: is 0"},
		{"no commits", func(c *Config) { c.Commits = -1 }, "commits: is -1"},
		{"no bytes", func(c *Config) { c.Descriptions.Bytes = 0 }, "descriptions.bytes: is 0"},
		{"no lines", func(c *Config) { c.Descriptions.Lines = 0 }, "descriptions.lines: is 0"},
		{"no line bytes", func(c *Config) { c.Descriptions.LineBytes = 0 }, "descriptions.line_bytes: is 0"},
		{"no sections", func(c *Config) { c.Descriptions.Sections = 0 }, "descriptions.sections: is 0"},
		{"no candidates", func(c *Config) { c.Descriptions.Candidates = 0 }, "descriptions.candidates: is 0"},
	}
	for _, tt := range tests {
		cfg := DefaultConfig()
		tt.change(&cfg)
		err := cfg.Validate()
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.HasPrefix(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
	all := Config{}.Validate()
	if got := strings.Count(all.Error(), "\n") + 1; got != 9 {
		t.Errorf("a configuration without anything has %d faults, want 9:\n%v", got, all)
	}
}

func TestConfig_isReadFromTheEnvironment(t *testing.T) {
	cfg := DefaultConfig()
	_, err := config.Load([]config.Section{{Name: "candidatefilter", Value: &cfg}}, config.Options{Args: []string{}, Environ: []string{
		"PARLEY_CANDIDATEFILTER__POLICY=relay", "PARLEY_CANDIDATEFILTER__COMMITS=7", "PARLEY_CANDIDATEFILTER__DESCRIPTIONS__LINE_BYTES=99",
	}})
	if err != nil || cfg.Policy != contract.PolicyRelay || cfg.Commits != 7 || cfg.Descriptions.LineBytes != 99 {
		t.Errorf("got %+v, %v", cfg, err)
	}
}
