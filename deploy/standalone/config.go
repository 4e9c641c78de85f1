package standalone

import (
	"errors"
	"slices"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/candidatefilter"
	"github.com/parley-rtc/parley/edge"
	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/telemetry"
)

// NATSConfig is the section "standalone".
type NATSConfig struct {
	// StoreDir is where JetStream, and in development the secrets, are kept.
	StoreDir string `koanf:"store_dir"`
	// NATSListen is host:port for NATS clients from outside; empty means none.
	NATSListen string `koanf:"nats_listen"`
}

// Validate reports every fault of the section.
func (c NATSConfig) Validate() error {
	if c.StoreDir == "" {
		return errors.New("store_dir is empty, it must name a folder")
	}
	return nil
}

// Config is the configuration of all parts.
type Config struct {
	Standalone NATSConfig
	Admin      lifecycle.AdminConfig
	Log        telemetry.Config
	Edge       edge.Config
	Rooms      roomsvc.Config
	Auth       authsvc.Config
	Filter     candidatefilter.Config

	temporaryKey config.Secret // the signing key of DevDefaults
}

// DefaultConfig is every part's own default.
func DefaultConfig() Config {
	return Config{
		Standalone: NATSConfig{StoreDir: ".parley"},
		Admin:      lifecycle.DefaultAdminConfig("edge"),
		Log:        telemetry.DefaultConfig(),
		Edge:       edge.DefaultConfig(),
		Rooms:      roomsvc.DefaultConfig(),
		Auth:       authsvc.DefaultConfig(),
		Filter:     candidatefilter.DefaultConfig(),
	}
}

// Sections are the parts of c as configuration sections; loading writes into c.
func (c *Config) Sections() []config.Section {
	return []config.Section{
		{Name: "standalone", Value: &c.Standalone},
		{Name: "admin", Value: &c.Admin},
		{Name: "log", Value: &c.Log},
		{Name: "edge", Value: &c.Edge},
		{Name: "roomsvc", Value: &c.Rooms},
		{Name: "authsvc", Value: &c.Auth},
		{Name: "candidatefilter", Value: &c.Filter},
	}
}

// ServiceSections are the sections of the names, or all that the programs of
// Parley have, with their defaults.
func ServiceSections(names ...string) []config.Section {
	c, nats := DefaultConfig(), bus.DefaultConfig()
	sections := append(c.Sections(), config.Section{Name: "nats", Value: &nats})
	if len(names) == 0 {
		return sections
	}
	return slices.DeleteFunc(sections, func(s config.Section) bool { return !slices.Contains(names, s.Name) })
}
