package arch

import (
	"slices"
	"strings"
	"testing"
)

// A breach is a made-up package that breaks a rule of the table, with how the sentence begins that must tell so.
type breach struct {
	name string
	pkg  Package
	want string
}

var breaches = []breach{{
	name: "the contract with a library",
	pkg:  Package{ImportPath: at("services/contract"), Imports: []string{"encoding/json", "github.com/nats-io/nats.go"}},
	want: "services/contract imports github.com/nats-io/nats.go: every program and every client speaks the contract",
}, {
	name: "a test of the contract with a library",
	pkg:  Package{ImportPath: at("services/contract"), XTestImports: []string{at("services/contract"), "go.uber.org/goleak"}},
	want: "the tests of services/contract import go.uber.org/goleak: every program",
}, {
	name: "the shared part with a service",
	pkg:  Package{ImportPath: at("services/bus"), Imports: []string{at("roomsvc")}},
	want: "services/bus imports roomsvc: what all services share",
}, {
	name: "configuration with the contract",
	pkg:  Package{ImportPath: at("services/config"), Imports: []string{at("services/contract")}},
	want: "services/config imports services/contract: it stands for its own library",
}, {
	name: "telemetry with configuration",
	pkg:  Package{ImportPath: at("services/telemetry"), Imports: []string{at("services/config")}},
	want: "services/telemetry imports services/config: it stands for its own library",
}, {
	name: "the embedded server with the bus",
	pkg:  Package{ImportPath: at("services/embednats"), Imports: []string{at("services/bus")}},
	want: "services/embednats imports services/bus: it stands for its own library",
}, {
	name: "a service with the tests",
	pkg:  Package{ImportPath: at("edge"), Imports: []string{at("tests/stack")}},
	want: "edge imports tests/stack: deployments and tests stand on top",
}, {
	name: "the edge with a sibling",
	pkg:  Package{ImportPath: at("edge/internal/conn"), Imports: []string{at("authsvc")}},
	want: "edge/internal/conn imports authsvc: services meet only in services/contract",
}, {
	name: "a test of the room service with a sibling",
	pkg:  Package{ImportPath: at("roomsvc"), TestImports: []string{at("edge")}},
	want: "the tests of roomsvc import edge: services meet only",
}, {
	name: "the token service with a sibling",
	pkg:  Package{ImportPath: at("authsvc/cmd/authsvc"), Imports: []string{at("candidatefilter")}},
	want: "authsvc/cmd/authsvc imports candidatefilter: services meet only",
}, {
	name: "the filter with a sibling",
	pkg:  Package{ImportPath: at("candidatefilter"), Imports: []string{at("roomsvc")}},
	want: "candidatefilter imports roomsvc: services meet only",
}, {
	name: "the standalone program with internals",
	pkg:  Package{ImportPath: at("deploy/standalone"), Imports: []string{at("edge/internal/conn")}},
	want: "deploy/standalone imports edge/internal/conn: it uses a service as everyone else does",
}, {
	name: "a test with internals",
	pkg:  Package{ImportPath: at("tests/stack"), TestImports: []string{at("roomsvc/internal/room")}},
	want: "the tests of tests/stack import roomsvc/internal/room: it uses a service",
}, {
	name: "a service that reads the configuration",
	pkg:  Package{ImportPath: at("roomsvc/internal/store"), Imports: []string{"github.com/knadh/koanf/v2"}},
	want: "roomsvc/internal/store imports github.com/knadh/koanf/v2: services/config alone",
}, {
	name: "a service with a NATS server",
	pkg:  Package{ImportPath: at("edge"), Imports: []string{"github.com/nats-io/nats-server/v2/server"}},
	want: "edge imports github.com/nats-io/nats-server/v2/server: a service is given its NATS connection",
}, {
	name: "a service with test support",
	pkg:  Package{ImportPath: at("authsvc"), Imports: []string{"testing"}},
	want: "authsvc imports testing: what serves tests brings flags",
}, {
	name: "the client with NATS",
	pkg:  Package{ImportPath: at("edge/client"), Imports: []string{"github.com/gobwas/ws", "github.com/nats-io/nats.go"}},
	want: "edge/client imports github.com/nats-io/nats.go: a program that takes the client in",
}, {
	name: "a test of the client with OpenTelemetry",
	pkg:  Package{ImportPath: at("edge/client"), TestImports: []string{"go.opentelemetry.io/otel"}},
	want: "the tests of edge/client import go.opentelemetry.io/otel: a program",
}, {
	name: "the client with pion",
	pkg:  Package{ImportPath: at("edge/client"), Imports: []string{"github.com/pion/webrtc/v4"}},
	want: "edge/client imports github.com/pion/webrtc/v4: a program",
}, {
	name: "the negotiating client with Prometheus",
	pkg: Package{ImportPath: at("edge/client/negotiate"), Imports: []string{
		"github.com/pion/webrtc/v4", "github.com/prometheus/client_golang/prometheus",
	}},
	want: "edge/client/negotiate imports github.com/prometheus/client_golang/prometheus: a program",
}, {
	name: "the edge with its client",
	pkg:  Package{ImportPath: at("edge"), Imports: []string{at("edge/client")}},
	want: "edge imports edge/client: the edge and its client share the contract",
}, {
	name: "a pure package with NATS",
	pkg:  Package{ImportPath: at("edge/internal/frame"), Imports: []string{"github.com/nats-io/nats.go"}},
	want: "edge/internal/frame imports github.com/nats-io/nats.go: a pure package decides from its arguments",
}, {
	name: "a pure package with logs",
	pkg:  Package{ImportPath: at("roomsvc/internal/room"), Imports: []string{"log/slog"}},
	want: "roomsvc/internal/room imports log/slog: a pure package",
}, {
	name: "a pure package with an adapter",
	pkg:  Package{ImportPath: at("edge/internal/frame"), Imports: []string{at("edge/internal/conn")}},
	want: "edge/internal/frame imports edge/internal/conn: a pure package",
}, {
	name: "a pure package with another's library",
	pkg:  Package{ImportPath: at("edge/internal/frame"), Imports: []string{"github.com/golang-jwt/jwt/v5"}},
	want: "edge/internal/frame imports github.com/golang-jwt/jwt/v5: a pure package",
}}

// keeping are made-up packages that keep to all rules.
var keeping = []Package{
	{ImportPath: at("services/contract"), Imports: []string{"encoding/json"}, XTestImports: []string{"testing", at("services/contract")}},
	{ImportPath: at("services/config"), Imports: []string{"github.com/knadh/koanf/v2"}},
	{ImportPath: at("services/natstest"), Imports: []string{"testing", at("services/embednats")}},
	{ImportPath: at("services/lifecycle"), Imports: []string{at("services/config"), at("services/telemetry")}},
	{ImportPath: at("edge"), Imports: []string{at("services/bus"), at("edge/internal/conn"), "github.com/nats-io/nats.go"},
		TestImports: []string{at("services/natstest"), "testing"}},
	{ImportPath: at("edge/internal/frame"), Imports: []string{"bytes", at("services/contract"), at("edge/internal/envelope")}},
	{ImportPath: at("edge/internal/envelope"), Imports: []string{"time"}, TestImports: []string{"os", "testing"}},
	{ImportPath: at("edge/internal/conn"), Imports: []string{"log/slog", "github.com/gobwas/ws", at("edge/internal/frame")}},
	{ImportPath: at("edge/client"), Imports: []string{"net", "github.com/gobwas/ws", at("services/contract")}},
	{ImportPath: at("edge/client/negotiate"), Imports: []string{"github.com/pion/webrtc/v4", at("edge/client")}},
	{ImportPath: at("roomsvc/internal/room"), Imports: []string{at("services/contract")}},
	{ImportPath: at("deploy/standalone"), Imports: []string{at("edge"), at("services/embednats")}},
	{ImportPath: at("tests/stack"), TestImports: []string{at("edge/client"), at("deploy/standalone"), "testing"}},
}

func TestCheckImports(t *testing.T) {
	rules := importRules(PureFolders(keeping))
	for _, c := range breaches {
		t.Run(c.name, func(t *testing.T) {
			wantFault(t, CheckImports(rules, []Package{c.pkg}), c.want)
		})
	}
	t.Run("nothing about packages that keep the rules", func(t *testing.T) {
		wantNone(t, CheckImports(rules, keeping))
	})
}

// TestCheckImports_EachRule finds rules of the table that no made-up package breaks, which may be rules that can't be
// broken.
func TestCheckImports_EachRule(t *testing.T) {
	for _, rule := range importRules(PureFolders([]Package{{ImportPath: at("edge/internal/frame")}})) {
		broken := slices.ContainsFunc(breaches, func(c breach) bool {
			return len(CheckImports([]Rule{rule}, []Package{c.pkg})) > 0
		})
		if !broken {
			t.Errorf("no case breaks the rule on %v: %s", rule.Where, rule.Why)
		}
	}
}

func TestPureFolders(t *testing.T) {
	got := PureFolders([]Package{
		{ImportPath: at("edge")},
		{ImportPath: at("edge/internal/session")},
		{ImportPath: at("edge/internal/conn")},       // an adapter
		{ImportPath: at("edge/internal/conn/queue")}, // part of one
		{ImportPath: at("candidatefilter/internal/sdp/line")},
		{ImportPath: at("deploy/standalone/internal/banner")}, // not a service
		{ImportPath: at("services/token")},
		{ImportPath: at("services/bus")},
	})
	want := []string{"candidatefilter/internal/sdp/line", "edge/internal/session", "services/token"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestCheckLinks(t *testing.T) {
	server := []string{"os", "github.com/nats-io/nats-server/v2/server"}
	flags := []string{"flag", "testing"}
	cases := []struct {
		name string
		pkg  Package
		want string // nothing when the program may have what it has
	}{
		{"a service with a server", Package{ImportPath: at("edge/cmd/edge"), Name: "main", Deps: server}, "the program edge/cmd/edge links github.com/nats-io/nats-server/v2/server: a service is a client"},
		{"a service with test support", Package{ImportPath: at("edge/cmd/edge"), Name: "main", Deps: flags}, "the program edge/cmd/edge links testing: what serves tests"},
		{"the standalone program with a server", Package{ImportPath: at("deploy/standalone/cmd/parley"), Name: "main", Deps: server}, ""},
		{"the standalone program with test support", Package{ImportPath: at("deploy/standalone/cmd/parley"), Name: "main", Deps: flags}, "the program deploy/standalone/cmd/parley links testing"},
		{"a program of the tests", Package{ImportPath: at("tests/load/cmd/load"), Name: "main", Deps: append(server, flags...)}, ""},
		{"a program that doesn't build", Package{ImportPath: at("edge/cmd/edge"), Name: "main", Incomplete: true}, "the program edge/cmd/edge doesn't build"},
		{"a package that isn't a program", Package{ImportPath: at("services/natstest"), Name: "natstest", Deps: flags}, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := CheckLinks(linkRules, []Package{c.pkg})
			if c.want == "" {
				wantNone(t, got)
				return
			}
			wantFault(t, got, c.want)
		})
	}
}

func TestMatches(t *testing.T) {
	cases := []struct {
		pattern, path string
		want          bool
	}{
		{"std", "encoding/json", true},
		{"std", "github.com/nats-io/nats.go", false},
		{"./edge/client", at("edge/client"), true},
		{"./edge/client", at("edge/client/negotiate"), false},
		{"./edge/client/...", at("edge/client"), true},
		{"./edge/client/...", at("edge/client/negotiate"), true},
		{"./edge/client/...", at("edge/clients"), false},
		{"./edge/...", "edge/client", false},
		{"./...", at("tests"), true},
		{"./...", "os", false},
		{"github.com/knadh/koanf/...", "github.com/knadh/koanf/parsers/yaml", true},
	}
	for _, c := range cases {
		if got := matches(c.pattern, c.path); got != c.want {
			t.Errorf("matches(%q, %q) = %v, want %v", c.pattern, c.path, got, c.want)
		}
	}
}

// at is the import path of a folder of the repository.
func at(folder string) string { return module + "/" + folder }

// wantFault wants a fault that begins with the text.
func wantFault(t *testing.T, got []string, want string) {
	t.Helper()
	if !slices.ContainsFunc(got, func(fault string) bool { return strings.HasPrefix(fault, want) }) {
		t.Errorf("got faults %q, want one that begins with %q", got, want)
	}
}

func wantNone(t *testing.T, got []string) {
	t.Helper()
	if len(got) > 0 {
		t.Errorf("got faults %q, want none", got)
	}
}
