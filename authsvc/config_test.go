package authsvc

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/services/config"
	"github.com/parley-rtc/parley/services/contract"
)

// Seeds of 32 equal bytes, in base64url.
const (
	seedOne   = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"
	seedTwo   = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI"
	seedThree = "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM"
)

const demoKey = "demo-key-0123456789"

func testConfig() Config {
	cfg := DefaultConfig()
	cfg.Listen = "127.0.0.1:0"
	cfg.SigningKey = seedOne
	cfg.Apps = []App{{ID: "demo", APIKeys: map[string]config.Secret{"backend": demoKey}}}
	return cfg
}

func TestConfig_Validate(t *testing.T) {
	if err := testConfig().Validate(); err != nil {
		t.Fatalf("the configuration of the tests: %v", err)
	}
	apiKeys := func(key string) map[string]config.Secret {
		return map[string]config.Secret{"backend": config.Secret(key)}
	}
	for _, test := range []struct {
		name, want string
		change     func(*Config)
	}{
		{"no signing key", "signing_key: missing", func(c *Config) { c.SigningKey = "" }},
		{"a signing key that is none", "signing_key: must be PEM", func(c *Config) { c.SigningKey = "x" }},
		{"an extra key that is none", "extra_keys.old: must be PEM", func(c *Config) { c.ExtraKeys = map[string]config.Secret{"old": "x"} }},
		{"a retired kid that is none", "retired_keys[0]: must be a kid", func(c *Config) { c.RetiredKeys = []string{"x"} }},
		{"listen without a port", "listen: is \"localhost\"", func(c *Config) { c.Listen = "localhost" }},
		{"no issuer", "issuer: bad id", func(c *Config) { c.Issuer = "" }},
		{"an app without an id", "apps[0].id: bad id", func(c *Config) { c.Apps[0].ID = "" }},
		{"an app twice", "apps[1].id: \"demo\" stands here twice", func(c *Config) { c.Apps = append(c.Apps, App{ID: "demo"}) }},
		{"a short API key", "apps[0].api_keys.backend: has 15 characters", func(c *Config) { c.Apps[0].APIKeys = apiKeys(strings.Repeat("k", MinAPIKey-1)) }},
		{"the shortest API key", "", func(c *Config) { c.Apps[0].APIKeys = apiKeys(strings.Repeat("k", MinAPIKey)) }},
		{"the longest API key", "", func(c *Config) { c.Apps[0].APIKeys = apiKeys(strings.Repeat("k", MaxAPIKey)) }},
		{"a long API key", "apps[0].api_keys.backend: has 257 characters", func(c *Config) { c.Apps[0].APIKeys = apiKeys(strings.Repeat("k", MaxAPIKey+1)) }},
		{"an API key that no header holds", "apps[0].api_keys.backend: may hold letters", func(c *Config) { c.Apps[0].APIKeys = apiKeys(demoKey + " %d") }},
		{"an API key twice", "apps[1].api_keys.backend: apps[0].api_keys.backend has the same", func(c *Config) {
			c.Apps = append(c.Apps, App{ID: "other", APIKeys: apiKeys(demoKey)})
		}},
		{"an app without API keys", "", func(c *Config) { c.Apps[0].APIKeys = nil }},
		{"no app", "", func(c *Config) { c.Apps = nil }},
		{"a TURN server without a secret", "turn.secret: has 0 characters", func(c *Config) { c.TURN.URLs = []string{"turn:t.example.com"} }},
		{"a TURN URL that is none", "turn.urls[0]: \"t.example.com\" is no ICE server", func(c *Config) { c.TURN.URLs = []string{"t.example.com"} }},
		{"a negative capacity", "apps[0].capacity: is -1", func(c *Config) { c.Apps[0].Capacity = -1 }},
		{"an unknown duplicate policy", "apps[0].duplicates: is \"both\"", func(c *Config) { c.Apps[0].Duplicates = "both" }},
		{"an unknown ICE policy", "apps[0].ice: unknown ICE policy", func(c *Config) { c.Apps[0].ICE = "none" }},
		{"no ttl", "token_ttl: is 0s", func(c *Config) { c.TokenTTL = 0 }},
		{"a ttl over the most", "token_ttl: is 24h0m0.000000001s", func(c *Config) { c.TokenTTL = c.MaxTokenTTL + 1 }},
		{"a most over the most", "max_token_ttl: is 720h0m0.000000001s", func(c *Config) { c.MaxTokenTTL = maxTokenTTL + 1 }},
		{"no rate", "rate: is 0", func(c *Config) { c.Rate = 0 }},
		{"no burst", "burst: is 0", func(c *Config) { c.Burst = 0 }},
		{"no refresh", "refresh: is 0s", func(c *Config) { c.Refresh = 0 }},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := testConfig()
			test.change(&cfg)
			got := ""
			if err := cfg.Validate(); err != nil {
				got = err.Error()
			}
			if test.want == "" && got != "" || !strings.HasPrefix(got, test.want) || strings.Contains(got, "\n") {
				t.Errorf("Validate = %q, want one fault that begins with %q", got, test.want)
			}
			if strings.Contains(got, demoKey) || strings.Contains(got, "kkkk") {
				t.Errorf("the fault shows an API key: %s", got)
			}
		})
	}
	t.Run("all faults at once", func(t *testing.T) {
		got := Config{Apps: []App{{}}}.Validate().Error()
		for _, key := range []string{"listen: ", "issuer: ", "signing_key: ", "apps[0].id: ", "token_ttl: ", "max_token_ttl: ", "rate: ", "burst: ", "refresh: "} {
			if !strings.Contains("\n"+got, "\n"+key) {
				t.Errorf("nothing about %s in\n%s", key, got)
			}
		}
	})
}

func TestConfig_records(t *testing.T) {
	cfg := testConfig()
	cfg.Apps[0].APIKeys = map[string]config.Secret{"a": "key-a-0123456789", "b": "key-b-0123456789", "c": "key-c-0123456789"}
	cfg.Apps[0].ICE = contract.PolicyRelay
	var first []byte
	for range 20 { // maps have no order
		text, err := json.Marshal(cfg.records())
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = text
		}
		if !bytes.Equal(text, first) {
			t.Fatalf("one configuration, two texts:\n%s\n%s", first, text)
		}
	}
	if bytes.Contains(first, []byte("key-a")) {
		t.Errorf("the record holds an API key itself: %s", first)
	}
}

// TestConfig_load reads the section the way a process does.
func TestConfig_load(t *testing.T) {
	cfg := DefaultConfig()
	_, err := config.Load([]config.Section{{Name: "authsvc", Value: &cfg}}, config.Options{Environ: []string{
		"PARLEY_AUTHSVC__SIGNING_KEY=" + seedOne,
		`PARLEY_AUTHSVC__EXTRA_KEYS={"previous":"` + seedTwo + `"}`,
		`PARLEY_AUTHSVC__APPS=[{"id":"demo","api_keys":{"backend":"` + demoKey + `"},"ice":"relay","duplicates":"reject","capacity":8}]`,
		"PARLEY_AUTHSVC__TOKEN_TTL=5m",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := cfg.ExtraKeys["previous"].Reveal(); got != seedTwo {
		t.Errorf("extra_keys.previous = %q, want %q", got, seedTwo)
	}
	if len(cfg.Apps) != 1 {
		t.Fatalf("apps = %+v, want one", cfg.Apps)
	}
	app := cfg.Apps[0]
	if app.APIKeys["backend"].Reveal() != demoKey || app.ICE != contract.PolicyRelay || app.Duplicates != contract.DuplicateReject || app.Capacity != 8 {
		t.Errorf("apps[0] = %+v, want what was given", app)
	}
}
