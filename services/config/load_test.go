package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// door has a field of every kind that can be configured.
type door struct {
	Listen   string            `koanf:"listen"`
	MaxBytes int               `koanf:"max_bytes"`
	Small    uint8             `koanf:"small"`
	Ratio    float64           `koanf:"ratio"`
	Open     bool              `koanf:"open"`
	Wait     time.Duration     `koanf:"wait"`
	Origins  []string          `koanf:"origins"`
	Proxy    netip.Prefix      `koanf:"proxy"`
	Key      Secret            `koanf:"key"`
	Limits   limits            `koanf:"limits"`
	Servers  []server          `koanf:"servers"`
	Labels   map[string]string `koanf:"labels"`
	Tokens   map[string]Secret `koanf:"tokens"`
	Internal chan int          `koanf:"-"`
}

type limits struct {
	Rate  int           `koanf:"rate"`
	Burst time.Duration `koanf:"burst"`
}

type server struct {
	URL      string `koanf:"url"`
	Password Secret `koanf:"password"`
}

func (d door) Validate() error {
	var faults []error
	if d.MaxBytes < 1 {
		faults = append(faults, errors.New("max_bytes: must be at least 1"))
	}
	if d.Limits.Rate < 1 {
		faults = append(faults, errors.New("limits.rate: must be at least 1"))
	}
	return errors.Join(faults...)
}

func defaultDoor() *door {
	return &door{
		Listen:   "127.0.0.1:1",
		MaxBytes: 10,
		Ratio:    0.5,
		Wait:     time.Second,
		Origins:  []string{"a", "b", "c"},
		Limits:   limits{Rate: 5, Burst: time.Minute},
		Labels:   map[string]string{"zone": "one"},
	}
}

// load reads the section "edge" from a file of that content and the rest.
func load(t *testing.T, file string, environ, args []string) (*door, *Loaded, error) {
	t.Helper()
	d := defaultDoor()
	if file != "" {
		path := write(t, "config.yaml", file)
		args = append([]string{"--config", path}, args...)
	}
	if environ == nil {
		environ = []string{}
	}
	l, err := Load([]Section{{Name: "edge", Value: d}}, Options{
		Args: args, Environ: environ, OtherSections: []string{"edge", "roomsvc"},
	})
	return d, l, err
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func mustLoad(t *testing.T, file string, environ, args []string) *door {
	t.Helper()
	d, _, err := load(t, file, environ, args)
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return d
}

func TestLoad_Precedence(t *testing.T) {
	file := "edge: {max_bytes: 20}"
	environ := []string{"PARLEY_EDGE__MAX_BYTES=30"}
	args := []string{"--edge.max_bytes=40"}
	for _, tc := range []struct {
		name    string
		file    string
		environ []string
		args    []string
		want    int
	}{
		{"defaults", "", nil, nil, 10},
		{"the file beats defaults", file, nil, nil, 20},
		{"the environment beats the file", file, environ, nil, 30},
		{"flags beat the environment", file, environ, args, 40},
		{"flags beat the file", file, nil, args, 40},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := mustLoad(t, tc.file, tc.environ, tc.args).MaxBytes; got != tc.want {
				t.Errorf("max_bytes: got %d, want %d", got, tc.want)
			}
		})
	}
}

func TestLoad_EveryKindFromEverySource(t *testing.T) {
	want := &door{
		Listen: ":9", MaxBytes: 7, Small: 255, Ratio: 2, Open: true, Wait: 90 * time.Second,
		Origins: []string{"x", "y"}, Proxy: netip.MustParsePrefix("10.0.0.0/8"), Key: "k",
		Limits:  limits{Rate: 8, Burst: time.Millisecond},
		Servers: []server{{URL: "u1"}, {URL: "u2", Password: "p"}},
		Labels:  map[string]string{"zone": "one", "a.b": "c"},
		Tokens:  map[string]Secret{"demo": "t"},
	}
	for _, tc := range []struct {
		name          string
		file          string
		environ, args []string
	}{
		{name: "file", file: `
edge:
  listen: ":9"
  max_bytes: 7
  small: 255
  ratio: 2
  open: true
  wait: 1m30s
  origins: [x, y]
  proxy: 10.0.0.0/8
  key: k
  limits: {rate: 8, burst: 1ms}
  servers: [{url: u1}, {url: u2, password: p}]
  labels: {a.b: c}
  tokens: {demo: t}
`},
		{name: "environment", environ: []string{
			"PARLEY_EDGE__LISTEN=:9", "PARLEY_EDGE__MAX_BYTES=7", "PARLEY_EDGE__SMALL=255", "PARLEY_EDGE__RATIO=2",
			"PARLEY_EDGE__OPEN=true", "PARLEY_EDGE__WAIT=1m30s", "PARLEY_EDGE__ORIGINS=x, y", "PARLEY_EDGE__PROXY=10.0.0.0/8",
			"PARLEY_EDGE__KEY=k", "PARLEY_EDGE__LIMITS__RATE=8", "PARLEY_EDGE__LIMITS__BURST=1ms",
			`PARLEY_EDGE__SERVERS=[{"url":"u1"},{"url":"u2","password":"p"}]`, `PARLEY_EDGE__LABELS={"a.b":"c"}`,
			`PARLEY_EDGE__TOKENS={"demo":"t"}`, "HOME=/root",
		}},
		{name: "flags", args: []string{
			"--edge.listen", ":9", "--edge.max_bytes", "7", "--edge.small=255", "--edge.ratio=2", "--edge.open",
			"--edge.wait=1m30s", "--edge.origins=x,y", "--edge.proxy=10.0.0.0/8", "--edge.key", "k",
			"--edge.limits.rate=8", "--edge.limits.burst=1ms", `--edge.servers=[{"url":"u1"},{"url":"u2","password":"p"}]`,
			`--edge.labels={"a.b":"c"}`, `--edge.tokens={"demo":"t"}`,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := mustLoad(t, tc.file, tc.environ, tc.args); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %#v\nwant %#v", got, want)
			}
		})
	}
}

func TestLoad_AListReplacesALongerDefault(t *testing.T) {
	for name, got := range map[string]*door{
		"file":        mustLoad(t, "edge: {origins: [z]}", nil, nil),
		"environment": mustLoad(t, "", []string{"PARLEY_EDGE__ORIGINS=z"}, nil),
		"flag":        mustLoad(t, "", nil, []string{"--edge.origins=z"}),
	} {
		if want := []string{"z"}; !reflect.DeepEqual(got.Origins, want) {
			t.Errorf("%s: got %v, want %v", name, got.Origins, want)
		}
	}
	if got := mustLoad(t, "edge: {origins: []}", nil, nil).Origins; len(got) != 0 {
		t.Errorf("empty list: got %v, want none", got)
	}
}

func TestLoad_AListKeepsNothingOfItsDefault(t *testing.T) {
	value := &struct {
		Servers []server `koanf:"servers"`
	}{[]server{{URL: "default", Password: "default"}, {URL: "second"}}}
	path := write(t, "c.yaml", "x: {servers: [{url: mine}]}")
	if _, err := Load([]Section{{Name: "x", Value: value}}, Options{Args: []string{"--config", path}, Environ: []string{}}); err != nil {
		t.Fatal(err)
	}
	if want := []server{{URL: "mine"}}; !reflect.DeepEqual(value.Servers, want) {
		t.Errorf("got %#v, want %#v", value.Servers, want)
	}
}

func TestLoad_KeepsDefaultsOfWhatIsNotGiven(t *testing.T) {
	got := mustLoad(t, "edge:\n  limits: {rate: 9}\nroomsvc: {anything: 1}\n", nil, nil)
	want := defaultDoor()
	want.Limits.Rate = 9
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, want %#v", got, want)
	}
	got = mustLoad(t, "edge:\n  limits:\n", nil, nil)
	if want := defaultDoor(); !reflect.DeepEqual(got, want) {
		t.Errorf("an empty group: got %#v, want the defaults %#v", got, want)
	}
}

func TestLoad_Faults(t *testing.T) {
	for _, tc := range []struct {
		name          string
		file          string
		environ, args []string
		want          []string
	}{
		{"unknown key in the file", "edge: {max_byte: 1}", nil, nil,
			[]string{"config.yaml: edge.max_byte: unknown key; did you mean", "edge.max_bytes?"}},
		{"unknown nested key in the file", "edge: {limits: {rat: 1}}", nil, nil,
			[]string{"edge.limits.rat: unknown key; did you mean", "edge.limits.rate?"}},
		{"unknown key in a list in the file", "edge: {servers: [{uri: x}]}", nil, nil,
			[]string{"edge.servers[0].uri: unknown key", "edge.servers[0].url?"}},
		{"unknown section", "egde: {}", nil, nil, []string{"config.yaml: egde: unknown section; did you mean edge?"}},
		{"nothing near", "edge: {zzzzzzzz: 1}", nil, nil, []string{"edge.zzzzzzzz: unknown key"}},
		{"unknown variable", "", []string{"PARLEY_EDGE__MAX_BYTE=1"}, nil,
			[]string{"PARLEY_EDGE__MAX_BYTE: unknown variable; did you mean PARLEY_EDGE__MAX_BYTES?"}},
		{"one underscore too few", "", []string{"PARLEY_EDGE_LISTEN=x"}, nil, []string{"did you mean PARLEY_EDGE__LISTEN?"}},
		{"lower case variable", "", []string{"PARLEY_edge__listen=x"}, nil, []string{"did you mean PARLEY_EDGE__LISTEN?"}},
		{"unknown flags", "", nil, []string{"--edge.max_byte=1", "--edge.lisen", "x"},
			[]string{"--edge.max_byte: unknown flag; did you mean --edge.max_bytes?", "--edge.lisen: unknown flag; did you mean --edge.listen?"}},
		{"another program's section as a flag", "", nil, []string{"--roomsvc.listen=x"}, []string{"--roomsvc.listen: unknown flag"}},
		{"type in the file", "edge: {max_bytes: lots, wait: 5, key: 1234, origins: x}", nil, nil, []string{
			`edge.max_bytes: must be a whole number of at most 9223372036854775807, got "lots"`,
			`edge.wait: must be a duration with a unit, as in "500ms" or "1m30s", got 5`,
			"edge.key: must be text; put quotes around it", `edge.origins: must be a list, got "x"`}},
		{"type in the environment", "", []string{"PARLEY_EDGE__OPEN=perhaps"}, nil, []string{`PARLEY_EDGE__OPEN: must be true or false, got "perhaps"`}},
		{"type in a flag", "", nil, []string{"--edge.proxy=ten"}, []string{"--edge.proxy: netip.ParsePrefix"}},
		{"over the range", "", nil, []string{"--edge.small=256"}, []string{"--edge.small: must be a whole number from 0 to 255, got 256"}},
		{"under the range", "", nil, []string{"--edge.small=-1"}, []string{"from 0 to 255, got -1"}},
		{"bad JSON", "", []string{"PARLEY_EDGE__SERVERS=x"}, nil, []string{"PARLEY_EDGE__SERVERS: must be JSON"}},
		{"bad YAML", "edge: [", nil, nil, []string{"--config: read configuration", "yaml"}},
		{"a key twice", "edge: {open: true, open: false}", nil, nil, []string{"already defined"}},
		{"flag without value", "", nil, []string{"--edge.listen"}, []string{"command line: flag needs an argument"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := load(t, tc.file, tc.environ, tc.args)
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to contain %q", err, want)
				}
			}
		})
	}
}

func TestLoad_ReportsAllFaultsOfAllSourcesAtOnce(t *testing.T) {
	_, _, err := load(t, "edge: {max_bytes: 0, nope: 1}", []string{"PARLEY_EDGE__LIMITS__RATE=0", "PARLEY_EDGE__OPEN=x"}, []string{"--edge.nix=1"})
	for _, want := range []string{
		"config.yaml: edge.nope: unknown key",
		"PARLEY_EDGE__OPEN: must be true or false",
		"--edge.nix: unknown flag",
		"edge.max_bytes: must be at least 1 (from ",
		"edge.limits.rate: must be at least 1 (from PARLEY_EDGE__LIMITS__RATE)",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to contain %q", err, want)
		}
	}
}

func TestLoad_ConfigFileByVariable(t *testing.T) {
	path := write(t, "c.yaml", "edge: {max_bytes: 3}")
	if got := mustLoad(t, "", []string{"PARLEY_CONFIG=" + path}, nil).MaxBytes; got != 3 {
		t.Errorf("max_bytes: got %d, want 3", got)
	}
	_, _, err := load(t, "", []string{"PARLEY_CONFIG=" + path + ".gone"}, nil)
	if err == nil || !strings.Contains(err.Error(), "PARLEY_CONFIG: read configuration "+path+".gone") {
		t.Errorf("a file that isn't there: got %v", err)
	}
}

func TestLoad_IgnoresWhatKubernetesInjects(t *testing.T) {
	mustLoad(t, "", []string{
		"PARLEY_EDGE_PORT=tcp://10.0.0.1:7420", "PARLEY_EDGE_SERVICE_HOST=10.0.0.1", "PARLEY_EDGE_SERVICE_PORT=7420",
		"PARLEY_EDGE_SERVICE_PORT_WEBSOCKET=7420", "PARLEY_EDGE_PORT_7420_TCP=tcp://10.0.0.1:7420",
		"PARLEY_EDGE_PORT_7420_TCP_ADDR=10.0.0.1", "PARLEY_EDGE_PORT_7420_TCP_PORT=7420", "PARLEY_EDGE_PORT_7420_TCP_PROTO=tcp",
		"PARLEY_SERVICE_HOST=10.0.0.1", "PARLEY_PORT=tcp://10.0.0.1:80",
		"PARLEY_ROOMSVC__WORKERS=4", // and what belongs to another program
	}, nil)
	for _, name := range []string{"PARLEY_EDGE__PORT", "PARLEY_EDGE_PORT_X_TCP", "PARLEY_NIX__SERVICE_HOST"} {
		if _, _, err := load(t, "", []string{name + "=1"}, nil); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestLoad_IgnoresTheVariablesOfTheTools(t *testing.T) {
	mustLoad(t, "", []string{"PARLEY_API_KEY=an-api-key", "PARLEY_URL=http://127.0.0.1:7420"}, nil)
	for _, name := range []string{"PARLEY_API_KEYS", "PARLEY_URI", "PARLEY__URL"} {
		if _, _, err := load(t, "", []string{name + "=1"}, nil); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestLoad_Help(t *testing.T) {
	_, _, err := load(t, "", []string{"PARLEY_EDGE__OPEN=broken"}, []string{"--help"})
	if !errors.Is(err, pflag.ErrHelp) {
		t.Fatalf("got %v, want pflag.ErrHelp", err)
	}
	usage := Usage("edge", []Section{{Name: "edge", Value: defaultDoor()}})
	for _, want := range []string{
		"Usage: edge [flags]", "--config string", "--edge.max_bytes int", "$PARLEY_EDGE__MAX_BYTES", "(default 10)",
		"--edge.key_file path", "--edge.limits.burst duration", "(default 1m0s)", "(default a,b,c)",
	} {
		if !strings.Contains(usage, want) {
			t.Errorf("usage lacks %q:\n%s", want, usage)
		}
	}
}

func TestLoad_PositionalArguments(t *testing.T) {
	_, l, err := load(t, "", nil, []string{"healthcheck", "--edge.open", "--", "--x"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := l.Args(), []string{"healthcheck", "--x"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLoad_RefusesAStructItCannotServe(t *testing.T) {
	for name, value := range map[string]any{
		"no pointer": door{},
		"no struct":  new(int),
		"no tag":     &struct{ A int }{},
		"no snake case": &struct {
			A int `koanf:"maxBytes"`
		}{},
		"double underline": &struct {
			A int `koanf:"a__b"`
		}{},
		"a channel": &struct {
			A chan int `koanf:"a"`
		}{},
		"deep inside": &struct {
			A []map[string]struct {
				B any `koanf:"b"`
			} `koanf:"a"`
		}{},
		"one key twice": &struct {
			A int `koanf:"a"`
			B int `koanf:"a"`
		}{},
	} {
		if _, err := Load([]Section{{Name: "x", Value: value}}, Options{Environ: []string{}}); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}
