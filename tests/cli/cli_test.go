package cli

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// idle closes the connections that HTTP clients keep, before leaks are looked
// for.
type idle struct{ *testing.M }

func (m idle) Run() int {
	defer http.DefaultClient.CloseIdleConnections()
	return m.M.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(idle{m}) }

func TestVersion(t *testing.T) {
	p := newPlace(t)
	plain := p.run(t, "version")
	plain.check(t, 0)
	version := strings.TrimSpace(plain.out)
	if version == "" || strings.ContainsAny(version, " \n") {
		t.Errorf("got %q, want one word", plain.out)
	}
	asJSON := p.run(t, "version", "--json")
	asJSON.check(t, 0)
	var got map[string]string
	if err := json.Unmarshal([]byte(asJSON.out), &got); err != nil || strings.Count(asJSON.out, "\n") != 1 {
		t.Fatalf("got %q (%v), want one JSON line", asJSON.out, err)
	}
	if got["version"] != version || !strings.HasPrefix(got["go"], "go1.") || !strings.HasPrefix(got["nats_server"], "2.") || got["protocol"] != "parley.v1" {
		t.Errorf("got %v, want version %q, Go's, NATS's and the protocol's", got, version)
	}
}

func TestUsage(t *testing.T) {
	p := newPlace(t)
	for _, one := range []struct {
		name string
		args []string
		code int
		text string
	}{
		{"nothing shows the commands", nil, 0, "healthcheck"},
		{"help", []string{"--help"}, 0, "dev"},
		{"help of dev lists its settings", []string{"dev", "--help"}, 0, "--edge.listen"},
		{"help of a tool", []string{"token", "--help"}, 0, "--room"},
		{"an unknown command", []string{"dve"}, 2, "did you mean dev?"},
		{"an unknown command of config", []string{"config", "chekc"}, 2, "did you mean check?"},
		{"an unknown flag", []string{"version", "--jsno"}, 2, "--jsno"},
		{"an argument too many", []string{"version", "now"}, 2, `"now"`},
		{"an argument too many for a tool", []string{"token", "now"}, 2, `"now"`},
		{"an argument for dev", []string{"dev", "now"}, 2, `"now"`},
		{"a setting that dev doesn't have", []string{"dev", "--edge.listn", "x"}, 2, "did you mean --edge.listen?"},
		{"a flag without its value", []string{"token", "--room"}, 2, "--room"},
	} {
		t.Run(one.name, func(t *testing.T) {
			got := p.run(t, one.args...)
			got.check(t, one.code, one.text)
			if one.code != 0 && !strings.HasPrefix(got.err, "parley: ") {
				t.Errorf("got %q, want it to begin with who says it", got.err)
			}
		})
	}
}

func TestHealthcheck_ofNothing(t *testing.T) {
	newPlace(t).run(t, "healthcheck", "--admin.listen", "127.0.0.1:1").check(t, 1, "healthcheck", "refused")
}
