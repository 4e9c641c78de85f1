package cli

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// newSeed is a signing key as authsvc reads it.
func newSeed() string {
	var seed [ed25519.SeedSize]byte
	rand.Read(seed[:])
	return base64.RawURLEncoding.EncodeToString(seed[:])
}

// printed reads what config print wrote.
func printed(t *testing.T, o outcome) map[string]map[string]any {
	t.Helper()
	o.check(t, 0)
	var sections map[string]map[string]any
	if err := yaml.Unmarshal([]byte(o.out), &sections); err != nil {
		t.Fatalf("no YAML: %v in %q", err, o.out)
	}
	return sections
}

func TestConfigPrint(t *testing.T) {
	p := newPlace(t)
	t.Run("defaults", func(t *testing.T) {
		got := printed(t, p.run(t, "config", "print"))
		for _, want := range []struct {
			section, key string
			value        any
		}{
			{"standalone", "store_dir", ".parley"}, {"edge", "listen", "127.0.0.1:7420"}, {"authsvc", "listen", "127.0.0.1:7412"},
			{"edge", "ice_policy", "all"}, {"candidatefilter", "policy", "all"}, {"roomsvc", "shards", 1}, {"log", "level", "warn"},
		} {
			if value := got[want.section][want.key]; value != want.value {
				t.Errorf("%s.%s is %v, want %v", want.section, want.key, value, want.value)
			}
		}
	})
	t.Run("secrets are not shown", func(t *testing.T) {
		seed, apiKey := newSeed(), "an-api-key-that-nobody-must-see"
		file := p.write(t, "secret.yaml", "authsvc:\n  apps:\n    - id: shop\n      api_keys: {backend: "+apiKey+"}\n")
		got := p.with("PARLEY_AUTHSVC__SIGNING_KEY="+seed).run(t, "config", "print", "--config", file)
		got.check(t, 0, "id: shop")
		if strings.Contains(got.out, seed) || strings.Contains(got.out, apiKey) {
			t.Errorf("it holds a secret: %s", got.out)
		}
	})
	t.Run("the last source wins and is named", func(t *testing.T) {
		file := p.write(t, "sources.yaml", "edge: {name: from-file, listen: '127.0.0.1:1'}\nroomsvc: {capacity: 7}\n")
		there := p.with("PARLEY_EDGE__LISTEN=127.0.0.1:2", "PARLEY_ROOMSVC__CAPACITY=8")
		got := there.run(t, "config", "print", "--sources", "--config", file, "--roomsvc.capacity", "9")
		got.check(t, 0, "name: from-file # "+file, "listen: 127.0.0.1:2 # PARLEY_EDGE__LISTEN", "capacity: 9 # --roomsvc.capacity",
			"issuer: parley # default")
		if plain := there.run(t, "config", "print", "--config", file); strings.Contains(plain.out, "#") {
			t.Errorf("without --sources it names some: %s", plain.out)
		}
	})
	t.Run("the file can be named by a variable", func(t *testing.T) {
		file := p.write(t, "named.yaml", "edge: {name: by-variable}\n")
		if got := printed(t, p.with("PARLEY_CONFIG="+file).run(t, "config", "print")); got["edge"]["name"] != "by-variable" {
			t.Errorf("edge.name is %v", got["edge"]["name"])
		}
	})
}

func TestConfigCheck(t *testing.T) {
	signed := newPlace(t, "PARLEY_AUTHSVC__SIGNING_KEY="+newSeed())
	files := 0
	file := func(text string) []string {
		files++
		return []string{"--config", signed.write(t, fmt.Sprintf("file-%d.yaml", files), text)}
	}
	key := signed.write(t, "signing.key", newSeed()+"\n")
	for _, one := range []struct {
		name  string
		place place
		args  []string
		code  int
		texts []string
	}{
		{"a valid configuration", signed, nil, 0, []string{"valid"}},
		{"one section of it", newPlace(t), []string{"edge"}, 0, []string{"valid"}},
		{"a section that there isn't", signed, []string{"egde"}, 2, []string{`"egde"`, "edge"}},
		{"no signing key", newPlace(t), nil, 2, []string{"authsvc.signing_key"}},
		{"an unknown key in the file", signed, file("edge: {listn: x}"), 2, []string{"edge.listn", "did you mean", "edge.listen?"}},
		{"an unknown section in the file", signed, file("egde: {listen: x}"), 2, []string{"egde", "did you mean edge?"}},
		{"sections of every service in the file", signed, file("nats: {url: 'nats://n:4222'}\nedge: {name: e}"), 0, []string{"valid"}},
		{"a fault in the section nats", signed, file("nats: {url: ''}"), 2, []string{"nats.url"}},
		{"a fault in the section nats alone", newPlace(t), append([]string{"nats"}, file("nats: {url: ''}")...), 2, []string{"nats.url"}},
		{"an unknown key in the section nats", signed, file("nats: {ulr: ''}"), 2, []string{"nats.ulr", "nats.url?"}},
		{"an unknown variable", signed.with("PARLEY_EDGE__LISTN=x"), nil, 2, []string{"PARLEY_EDGE__LISTN", "did you mean PARLEY_EDGE__LISTEN?"}},
		{"an unknown flag", signed, []string{"--edge.listn=x"}, 2, []string{"--edge.listn", "did you mean --edge.listen?"}},
		{"a value of the wrong type", signed.with("PARLEY_EDGE__PING_INTERVAL=20"), nil, 2, []string{"PARLEY_EDGE__PING_INTERVAL", "500ms"}},
		{"a value out of range", signed, file("roomsvc: {shards: 0}"), 2, []string{"roomsvc.shards", ".yaml"}},
		{"a file that isn't there", signed, []string{"--config", "nowhere.yaml"}, 2, []string{"nowhere.yaml"}},
		{"a file that is no YAML", signed, file("edge: ["), 2, []string{".yaml"}},
		{"variables that Kubernetes injects", signed.with(
			"PARLEY_EDGE_SERVICE_HOST=10.0.0.1", "PARLEY_EDGE_SERVICE_PORT_WS=7420", "PARLEY_EDGE_PORT=tcp://10.0.0.1:7420",
			"PARLEY_EDGE_PORT_7420_TCP=tcp://10.0.0.1:7420", "PARLEY_EDGE_PORT_7420_TCP_ADDR=10.0.0.1", "PARLEY_SERVICE_HOST=10.0.0.2",
		), nil, 0, []string{"valid"}},
		{"the variable of the tools", signed.with("PARLEY_API_KEY=an-api-key-for-parley-token"), nil, 0, []string{"valid"}},
		{"a secret in a file", newPlace(t, "PARLEY_AUTHSVC__SIGNING_KEY_FILE="+key), nil, 0, []string{"valid"}},
		{"a secret in a file that isn't there", newPlace(t, "PARLEY_AUTHSVC__SIGNING_KEY_FILE=nowhere.key"), nil, 2,
			[]string{"PARLEY_AUTHSVC__SIGNING_KEY_FILE", "nowhere.key"}},
		{"a secret and its file", signed.with("PARLEY_AUTHSVC__SIGNING_KEY_FILE=" + key), nil, 2, []string{"PARLEY_AUTHSVC__SIGNING_KEY_FILE"}},
		{"everything at once", newPlace(t, "PARLEY_EDGE__LISTN=x", "PARLEY_ROOMSVC__SHARDS=many"),
			append(file("edge: {nmae: x}\nlog: {level: loud}\ncandidatefilter: {workers: 0}"), "--admin.lisen=x"), 2,
			[]string{"PARLEY_EDGE__LISTN", "PARLEY_ROOMSVC__SHARDS", "edge.nmae", "log.level", "candidatefilter.workers", "--admin.lisen", "authsvc.signing_key"}},
	} {
		t.Run(one.name, func(t *testing.T) {
			one.place.run(t, append([]string{"config", "check"}, one.args...)...).check(t, one.code, one.texts...)
		})
	}
}
