package compose

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	// For the metrics that they register.
	_ "github.com/parley-rtc/parley/authsvc"
	_ "github.com/parley-rtc/parley/candidatefilter"
	_ "github.com/parley-rtc/parley/edge"
	_ "github.com/parley-rtc/parley/roomsvc"
)

// folder is that of the stack, seen from here.
const folder = "../../deploy/compose/"

// described reads a description of a metric, which shows itself as text alone.
var described = regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([\w,]*)\}`)

// exposed are the labels of all metrics that the services register, by name.
func exposed(t *testing.T) map[string][]string {
	t.Helper()
	registry, ok := prometheus.DefaultRegisterer.(*prometheus.Registry)
	if !ok {
		t.Fatal("the metrics are registered somewhere else")
	}
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		registry.Describe(descriptions)
	}()
	metrics := map[string][]string{}
	for d := range descriptions {
		if parts := described.FindStringSubmatch(d.String()); parts != nil {
			metrics[parts[1]] = append([]string{"le", "service", "instance"}, strings.Split(parts[2], ",")...)
		}
	}
	if len(metrics["parley_edge_connections"]) == 0 {
		t.Fatal("no metric of the edge is described")
	}
	return metrics
}

var (
	metricName = regexp.MustCompile(`\b(?:parley|process|go)_\w+`)
	grouping   = regexp.MustCompile(`\bby \(([^)]*)\)`)
)

func TestDashboard_showsWhatServicesExpose(t *testing.T) {
	text, err := os.ReadFile(folder + "observability/parley.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title, Description string
			Targets            []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	metrics, asked := exposed(t), 0
	for _, panel := range dashboard.Panels {
		if panel.Title == "" || panel.Description == "" {
			t.Errorf("a panel says not what it shows: %q, %q", panel.Title, panel.Description)
		}
		for _, target := range panel.Targets {
			names := metricName.FindAllString(target.Expr, -1)
			if len(names) != 1 {
				t.Errorf("%s: %s asks for %d metrics, want 1", panel.Title, target.Expr, len(names))
				continue
			}
			asked++
			labels, there := metrics[strings.TrimSuffix(names[0], "_bucket")]
			if !there {
				t.Errorf("%s: nothing exposes %s", panel.Title, names[0])
			}
			for _, by := range grouping.FindAllStringSubmatch(target.Expr, -1) {
				for label := range strings.SplitSeq(by[1], ", ") {
					if there && !slices.Contains(labels, label) {
						t.Errorf("%s: %s has no label %s", panel.Title, names[0], label)
					}
				}
			}
			if open, closed := strings.Count(target.Expr, "("), strings.Count(target.Expr, ")"); open != closed {
				t.Errorf("%s: %s has %d ( and %d )", panel.Title, target.Expr, open, closed)
			}
		}
	}
	if asked < 15 {
		t.Errorf("the dashboard has %d queries, which is not the one that is meant", asked)
	}
}
