package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestJSON_ofTheTools(t *testing.T) {
	p := newPlace(t)
	signed := p.with("PARLEY_AUTHSVC__SIGNING_KEY=" + newSeed())
	line := func(t *testing.T, o outcome, code int, into any) {
		t.Helper()
		if o.code != code || strings.Count(o.out, "\n") != 1 {
			t.Fatalf("exit code %d, %q, want %d and one line", o.code, o.out, code)
		}
		if err := json.Unmarshal([]byte(o.out), into); err != nil {
			t.Fatalf("%q: %v", o.out, err)
		}
	}
	t.Run("a valid configuration", func(t *testing.T) {
		var got struct{ Valid bool }
		if line(t, signed.run(t, "config", "check", "--json"), 0, &got); !got.Valid {
			t.Error("it isn't valid")
		}
	})
	t.Run("a configuration with faults", func(t *testing.T) {
		var got struct {
			Valid  bool
			Faults []string
		}
		o := p.with("PARLEY_EDGE__LISTN=x").run(t, "config", "check", "--json")
		line(t, o, 2, &got)
		if got.Valid || len(got.Faults) != 2 || !strings.Contains(strings.Join(got.Faults, " "), "PARLEY_EDGE__LISTN") || o.err == "" {
			t.Errorf("got %+v and %q, want two faults, on stderr too", got, o.err)
		}
	})
	t.Run("the configuration", func(t *testing.T) {
		var got map[string]map[string]any
		line(t, p.run(t, "config", "print", "--json"), 0, &got)
		if got["roomsvc"]["shards"] != 1.0 || got["edge"]["listen"] != "127.0.0.1:7420" {
			t.Errorf("got %v", got)
		}
		p.run(t, "config", "print", "--json", "--sources").check(t, 2, "--sources")
	})
	t.Run("healthcheck", func(t *testing.T) {
		var got struct {
			Ready bool
			Why   string
		}
		line(t, p.run(t, "healthcheck", "--json", "--admin.listen", "127.0.0.1:1"), 1, &got)
		if got.Ready || !strings.Contains(got.Why, "refused") {
			t.Errorf("nobody there: got %+v", got)
		}
		d := startDev(t, p, anyPorts...)
		line(t, p.run(t, "healthcheck", "--json", "--admin.listen", d.greeting.adminAddress()), 0, &got)
		if !got.Ready {
			t.Errorf("of parley dev: got %+v", got)
		}
	})
}
