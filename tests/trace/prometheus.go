package trace

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/stack"
)

// Prometheus is a running one.
type Prometheus struct {
	url string
}

// Watch starts Prometheus on an address with the files of a folder, as they are
// but for their intervals: 1 s instead of 10.
func Watch(t *testing.T, address, folder string) Prometheus {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Fatal("there is no prometheus: apt-get install prometheus (make test-tools)")
	}
	dir := t.TempDir()
	for _, name := range []string{"prometheus.yaml", "alerts.yaml"} {
		text, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(string(text), " 10s", " 1s")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	stack.Launch(t, program, nil, "--config.file="+filepath.Join(dir, "prometheus.yaml"),
		"--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	return Prometheus{"http://" + address}
}

// ask asks the HTTP API, and reads the member data of the answer.
func (p Prometheus) ask(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var answer struct {
		Error string
		Data  json.RawMessage
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return fmt.Errorf("prometheus: %s: %w", resp.Status, err)
	}
	if answer.Error != "" {
		return fmt.Errorf("prometheus: %s", answer.Error)
	}
	return json.Unmarshal(answer.Data, into)
}

// query counts the samples that an expression has now, without those that are no
// number.
func (p Prometheus) query(ctx context.Context, expr string) (samples int, err error) {
	var data struct {
		Result []struct{ Value [2]any }
	}
	if err := p.ask(ctx, "/api/v1/query?query="+url.QueryEscape(expr), &data); err != nil {
		return 0, fmt.Errorf("%s: %w", expr, err)
	}
	for _, one := range data.Result {
		if one.Value[1] != "NaN" {
			samples++
		}
	}
	return samples, nil
}

// states counts the targets of each service by their health: `edge up`.
func (p Prometheus) states(ctx context.Context) (map[string]int, error) {
	var data struct {
		ActiveTargets []struct {
			Labels map[string]string
			Health string
		}
	}
	err := p.ask(ctx, "/api/v1/targets?state=active", &data)
	states := map[string]int{}
	for _, target := range data.ActiveTargets {
		states[target.Labels["service"]+" "+target.Health]++
	}
	return states, err
}

// alerts are the alerts that are pending or fire, by name, with the service they
// are about.
func (p Prometheus) alerts(ctx context.Context) (map[string]string, error) {
	var data struct {
		Alerts []struct{ Labels map[string]string }
	}
	err := p.ask(ctx, "/api/v1/alerts", &data)
	about := map[string]string{}
	for _, alert := range data.Alerts {
		about[alert.Labels["alertname"]] = alert.Labels["service"]
	}
	return about, err
}

// eventuallyTimeout has room for a machine with much else to do: Prometheus takes
// 5 s by itself to tell its scraper of a new target.
const eventuallyTimeout = 2 * time.Minute

// eventually asks again and again until it is told true. It fails with what was
// found last.
func eventually(t *testing.T, found func(ctx context.Context) (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), eventuallyTimeout)
	defer cancel()
	for {
		done, state := found(ctx)
		if done {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("in the end: %s", state)
		case <-time.After(pollInterval):
		}
	}
}
