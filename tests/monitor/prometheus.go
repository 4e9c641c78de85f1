package monitor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Prometheus is a running one.
type Prometheus struct {
	URL string // without a path
}

// Samples counts the samples that an expression has now, without those that are no
// number.
func (p Prometheus) Samples(ctx context.Context, expr string) (samples int, err error) {
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

// Targets counts the targets of each service by their health: `edge up`.
func (p Prometheus) Targets(ctx context.Context) (map[string]int, error) {
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

// Alerts are the alerts that are pending or fire, by name, with the service they
// are about.
func (p Prometheus) Alerts(ctx context.Context) (map[string]string, error) {
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

// Rules are the rules that it has loaded, by name, with their health: `ok` once
// they were evaluated.
func (p Prometheus) Rules(ctx context.Context) (map[string]string, error) {
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health string }
		}
	}
	err := p.ask(ctx, "/api/v1/rules", &data)
	health := map[string]string{}
	for _, group := range data.Groups {
		for _, rule := range group.Rules {
			health[rule.Name] = rule.Health
		}
	}
	return health, err
}

// ask asks the HTTP API, and reads the member data of the answer.
func (p Prometheus) ask(ctx context.Context, path string, into any) error {
	var answer struct {
		Error string
		Data  json.RawMessage
	}
	if err := get(ctx, p.URL+path, &answer); err != nil {
		return fmt.Errorf("prometheus: %w", err)
	}
	if answer.Error != "" {
		return fmt.Errorf("prometheus: %s", answer.Error)
	}
	return json.Unmarshal(answer.Data, into)
}

// get reads the JSON of an answer, of whatever status it is.
func get(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		return fmt.Errorf("%s: %w", resp.Status, err)
	}
	return nil
}

// Queries are the expressions of a dashboard of Grafana's. Grafana's interval is at
// least four scrapes; the minute in its place is longer than a slow machine needs
// for two of them and a signal between.
func Queries(file string) (exprs []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	var dashboard struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			exprs = append(exprs, strings.ReplaceAll(target.Expr, "$__rate_interval", "1m"))
		}
	}
	if len(exprs) == 0 {
		return nil, errors.New("the dashboard has no query")
	}
	return exprs, nil
}
