package standalone

import (
	"errors"
	"fmt"
	"slices"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/candidatefilter"
	"github.com/parley-rtc/parley/deploy/standalone/turn"
	"github.com/parley-rtc/parley/edge"
	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/bus"
	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/lifecycle"
	"github.com/parley-rtc/parley/services/telemetry"
)

// MaxEdges is the most edges of one process: more would only share its
// processors.
const MaxEdges = 8

// ProcessConfig is the section "standalone".
type ProcessConfig struct {
	// StoreDir is where JetStream, and in development the secrets, are kept.
	StoreDir string `koanf:"store_dir"`
	// NATSListen is host:port for NATS clients from outside; empty means none.
	NATSListen string `koanf:"nats_listen"`
	// Edges is how many edges there are, 1 to MaxEdges. The front gives them
	// connections in turn.
	Edges int `koanf:"edges"`
}

// Validate reports every fault of the section.
func (c ProcessConfig) Validate() error {
	var faults []error
	if c.StoreDir == "" {
		faults = append(faults, errors.New("store_dir is empty, it must name a folder"))
	}
	if c.Edges < 1 || c.Edges > MaxEdges {
		faults = append(faults, fmt.Errorf("edges is %d, it must be 1 to %d", c.Edges, MaxEdges))
	}
	return errors.Join(faults...)
}

// Config is the configuration of all parts. Edge.Listen is where the front
// listens; Auth.Listen and Rooms.Listen aren't used, since tokens and the Server
// API are served there too. If TURN
// listens and Auth.TURN names no servers, members are told of this one.
type Config struct {
	Standalone ProcessConfig
	Admin      lifecycle.AdminConfig
	Log        telemetry.Config
	Edge       edge.Config
	Rooms      roomsvc.Config
	Auth       authsvc.Config
	Filter     candidatefilter.Config
	TURN       turn.Config

	// Front, if set, is the front that Run uses, which sets its fields Edges,
	// Services and Health.
	Front *Front

	// Of DevDefaults, until Develop knows the folder.
	temporaryKey, temporaryTURN config.Secret
}

// DefaultConfig is every part's own default.
func DefaultConfig() Config {
	return Config{
		Standalone: ProcessConfig{StoreDir: ".parley", Edges: 1},
		Admin:      lifecycle.DefaultAdminConfig("edge"),
		Log:        telemetry.DefaultConfig(),
		Edge:       edge.DefaultConfig(),
		Rooms:      roomsvc.DefaultConfig(),
		Auth:       authsvc.DefaultConfig(),
		Filter:     candidatefilter.DefaultConfig(),
		TURN:       turn.DefaultConfig(),
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
		{Name: "turn", Value: &c.TURN},
	}
}

// ServiceSections are the sections of the names, or all that the programs of
// Parley have, with their defaults.
func ServiceSections(names ...string) []config.Section {
	c, nats, page := DefaultConfig(), bus.DefaultConfig(), DefaultDemoConfig()
	sections := append(c.Sections(), config.Section{Name: "nats", Value: &nats}, config.Section{Name: "demo", Value: &page})
	if len(names) == 0 {
		return sections
	}
	return slices.DeleteFunc(sections, func(s config.Section) bool { return !slices.Contains(names, s.Name) })
}
