package compose

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// promtool runs Prometheus's own checker, which must be content.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Fatal("there is no promtool: apt-get install prometheus (make test-tools)")
	}
	if out, err := exec.CommandContext(t.Context(), "promtool", args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestPrometheus_understandsItsFiles(t *testing.T) {
	promtool(t, "check", "config", folder+"observability/prometheus.yaml")
	promtool(t, "check", "rules", folder+"observability/alerts.yaml")
}

func TestAlerts_fireWhenTheyShould(t *testing.T) {
	promtool(t, "test", "rules", "testdata/alerts.yaml")
}

// alert is one rule of alerts.yaml.
type alert struct{ Alert, Expr string }

func alerts(t *testing.T) (all []alert) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alert } }
	readYAML(t, "observability/alerts.yaml", &file)
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("there is no alert")
	}
	return all
}

func TestAlerts_askForWhatServicesExpose(t *testing.T) {
	metrics := exposed(t)
	for _, a := range alerts(t) {
		for _, name := range metricName.FindAllString(a.Expr, -1) {
			if _, there := metrics[strings.TrimSuffix(name, "_bucket")]; !there {
				t.Errorf("%s: nothing exposes %s", a.Alert, name)
			}
		}
	}
}

// Each alert is tried both ways, and has a line that says what to do.
func TestAlerts_areTriedAndDescribed(t *testing.T) {
	tried, err := os.ReadFile("testdata/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	described, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range alerts(t) {
		names = append(names, a.Alert)
		if strings.Count(string(tried), `"`+a.Alert+`"`) < 2 {
			t.Errorf("%s isn't tried once firing and once silent", a.Alert)
		}
		if !strings.Contains(string(described), "`"+a.Alert+"`") {
			t.Errorf("docs/operations.md doesn't say what to do about %s", a.Alert)
		}
	}
	slices.Sort(names)
	if got := slices.Compact(slices.Clone(names)); len(got) != len(names) {
		t.Errorf("two alerts have one name: %v", names)
	}
}
