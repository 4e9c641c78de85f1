package compose

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/parley-rtc/parley/deploy/standalone/installation"
)

// ours are the services that are programs of Parley.
var ours = []string{"roomsvc", "authsvc", "candidatefilter", "edge", "demo"}

// container is what these tests look at in a service of compose.yaml.
type container struct {
	Image       string
	ReadOnly    bool     `yaml:"read_only"`
	CapDrop     []string `yaml:"cap_drop"`
	Privileges  []string `yaml:"security_opt"`
	Memory      string   `yaml:"mem_limit"`
	Environment map[string]string
	Healthcheck struct{ Test []string }
	Profiles    []string
	Ports       []string
}

func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(folder + name)
	if err == nil {
		err = yaml.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func containers(t *testing.T) map[string]container {
	t.Helper()
	var file struct{ Services map[string]container }
	readYAML(t, "compose.yaml", &file)
	return file.Services
}

func TestContainers_mayDoLittle(t *testing.T) {
	for name, c := range containers(t) {
		if !c.ReadOnly || !slices.Equal(c.CapDrop, []string{"ALL"}) || !slices.Contains(c.Privileges, "no-new-privileges:true") {
			t.Errorf("%s isn't read-only, without capabilities and new privileges", name)
		}
		if c.Memory == "" {
			t.Errorf("%s may use all memory", name)
		}
		if len(c.Healthcheck.Test) == 0 && name != "otel-collector" { // in whose image is no program to ask with
			t.Errorf("%s has no health check", name)
		}
		for _, port := range c.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") && !strings.HasPrefix(port, "${PARLEY_LISTEN:-127.0.0.1}:") && !strings.HasPrefix(port, "${PARLEY_TURN_LISTEN:-127.0.0.1}:") {
				t.Errorf("%s publishes %s to everybody by default", name, port)
			}
		}
	}
}

// megabytes reads 256m and 230MiB.
func megabytes(text string) (n int) {
	_, _ = fmt.Sscanf(text, "%d", &n) // 0 is a fault that the caller sees
	if strings.HasSuffix(text, "g") {
		n *= 1024
	}
	return n
}

func TestContainers_collectGarbageBeforeTheyAreKilled(t *testing.T) {
	all := containers(t)
	for _, name := range append([]string{"nats-1", "nats-2", "nats-3"}, ours...) {
		c := all[name]
		limit, most := megabytes(c.Environment["GOMEMLIMIT"]), megabytes(c.Memory)
		if limit == 0 || limit > most*92/100 || limit < most*80/100 {
			t.Errorf("%s: GOMEMLIMIT is %d MiB of %d, want 80 to 92 %%", name, limit, most)
		}
	}
}

func TestContainers_agree(t *testing.T) {
	all := containers(t)
	if got, want := all["roomsvc"].Environment["PARLEY_ROOMSVC__SHARDS"], fmt.Sprint(installation.Shards); got != want {
		t.Errorf("roomsvc has %s shards, and parley init writes users for %s", got, want)
	}
	edge, filter := all["edge"].Environment["PARLEY_EDGE__ICE_POLICY"], all["candidatefilter"].Environment["PARLEY_CANDIDATEFILTER__POLICY"]
	if edge == "" || edge != filter {
		t.Errorf("edges tell clients the policy %q, and filters apply %q", edge, filter)
	}
	pinned, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "github.com/nats-io/nats-server/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := "nats:" + strings.TrimPrefix(strings.TrimSpace(string(pinned)), "v") + "-alpine"
	for _, node := range []string{"nats-1", "nats-2", "nats-3"} {
		if got := all[node].Image; got != want {
			t.Errorf("%s runs %s, and everything is tested with %s", node, got, want)
		}
	}
}

func TestPrometheus_asksEveryService(t *testing.T) {
	var file struct {
		Jobs []struct {
			Targets []struct{ Names []string } `yaml:"dns_sd_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, "observability/prometheus.yaml", &file)
	var asked []string
	for _, job := range file.Jobs {
		for _, target := range job.Targets {
			asked = append(asked, target.Names...)
		}
	}
	want := slices.Sorted(slices.Values(ours))
	if got := slices.Sorted(slices.Values(asked)); !slices.Equal(got, want) {
		t.Errorf("Prometheus asks %v, want %v", got, want)
	}
}
