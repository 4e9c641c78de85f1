package compose

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"path"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The folders that Grafana's image reads and writes, and where it looks for what.
const (
	grafanaProvisioning = "/etc/grafana/provisioning"
	grafanaData         = "/var/lib/grafana"
	grafanaLogs         = "/var/log/grafana"
	gridColumns         = 24
)

// datasources is as much of Grafana's provisioning file as ours has; a key that it
// doesn't know would be ignored there, and is a fault here.
type datasources struct {
	Version     int `yaml:"apiVersion"`
	Datasources []struct {
		Name, UID, Type, Access, URL string
		IsDefault                    bool `yaml:"isDefault"`
		JSONData                     struct {
			TimeInterval string `yaml:"timeInterval"`
		} `yaml:"jsonData"`
	}
}

type providers struct {
	Version   int `yaml:"apiVersion"`
	Providers []struct {
		Name, Type string
		Options    struct{ Path string }
	}
}

// panel is a panel of a dashboard.
type panel struct {
	ID         int
	Type       string
	Datasource struct{ Type, UID string }
	GridPos    struct{ X, Y, W, H int }
	Targets    []struct{ RefID, Expr, LegendFormat string }
}

// readKnown reads a YAML file that must have no other key.
func readKnown(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(folder + name)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// mounts are where a service has the file's configs, volumes and tmpfs.
func mounts(t *testing.T, service string) (configs map[string]string, writable string) {
	t.Helper()
	var file struct {
		Services map[string]struct {
			Configs        []struct{ Source, Target string }
			Volumes, Tmpfs []string
		}
	}
	readYAML(t, "compose.yaml", &file)
	configs = map[string]string{}
	for _, config := range file.Services[service].Configs {
		configs[config.Source] = config.Target
	}
	return configs, strings.Join(append(file.Services[service].Volumes, file.Services[service].Tmpfs...), " ") + " "
}

func TestGrafana_findsItsFiles(t *testing.T) {
	configs, writable := mounts(t, "grafana")
	for source, kind := range map[string]string{"grafana-datasources": "datasources", "grafana-dashboards": "dashboards"} {
		if got, want := path.Dir(configs[source]), path.Join(grafanaProvisioning, kind); got != want || path.Ext(configs[source]) != ".yaml" {
			t.Errorf("%s is %s, and Grafana reads *.yaml in %s", source, configs[source], want)
		}
	}
	var dashboards providers
	readKnown(t, "observability/dashboards.yaml", &dashboards)
	if one := dashboards.Providers[0]; dashboards.Version != 1 || one.Type != "file" || one.Options.Path != path.Dir(configs["dashboard"]) {
		t.Errorf("dashboards are %+v, and ours is %s", dashboards, configs["dashboard"])
	}
	if got := containers(t)["grafana"].Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]; got != configs["dashboard"] {
		t.Errorf("the first page is %s, want %s", got, configs["dashboard"])
	}
	for _, dir := range []string{":" + grafanaData, grafanaLogs, "/tmp"} {
		if !strings.Contains(writable, dir+" ") {
			t.Errorf("%s isn't writable: %s", dir, writable)
		}
	}
}

func TestGrafana_asksWhoIsThere(t *testing.T) {
	var file datasources
	readKnown(t, "observability/datasources.yaml", &file)
	all, kinds := containers(t), map[string]string{}
	for _, source := range file.Datasources {
		kinds[source.UID] = source.Type
		address, err := url.Parse(source.URL)
		if err != nil {
			t.Fatal(err)
		}
		published := strings.Join(all[address.Hostname()].Ports, " ")
		if source.Access != "proxy" || !strings.HasSuffix(published, ":"+address.Port()) {
			t.Errorf("%s is asked at %s by %s, and that service has %q", source.Name, source.URL, source.Access, published)
		}
	}
	text, err := os.ReadFile(folder + "observability/parley.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		UID, Title    string
		SchemaVersion int
		Panels        []panel
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	ids, cells := map[int]bool{}, map[[2]int]int{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("two panels have the id %d", p.ID)
		}
		ids[p.ID] = true
		if kinds[p.Datasource.UID] != p.Datasource.Type || p.Datasource.Type == "" {
			t.Errorf("panel %d asks %+v, there are %v", p.ID, p.Datasource, kinds)
		}
		if p.GridPos.X+p.GridPos.W > gridColumns {
			t.Errorf("panel %d ends right of the page", p.ID)
		}
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, taken := cells[[2]int{x, y}]; taken {
					t.Fatalf("panel %d lies over %d", p.ID, other)
				}
				cells[[2]int{x, y}] = p.ID
			}
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if refs[target.RefID] || target.RefID == "" {
				t.Errorf("panel %d: two queries are called %q", p.ID, target.RefID)
			}
			refs[target.RefID] = true
		}
	}
}
