//go:build linux

package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// askTimeout bounds one question to a process.
	askTimeout = 2 * time.Second
	// pollInterval is the time between two questions whether all is well.
	pollInterval = 100 * time.Millisecond
)

// WaitHealthy waits until every process that was started is ready, and every copy of
// every stream is up to date.
func (c *Cluster) WaitHealthy(ctx context.Context) error {
	return c.wait(ctx, func(ctx context.Context) error {
		if err := c.alive(ctx); err != nil {
			return err
		}
		return c.replicated(ctx)
	})
}

// wait asks until all is well.
func (c *Cluster) wait(ctx context.Context, ask func(context.Context) error) error {
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not well: %w (%w)", err, ctx.Err())
		case <-time.After(pollInterval):
		}
	}
}

// alive fails if a process that was started isn't ready.
func (c *Cluster) alive(ctx context.Context) error {
	for _, p := range c.Processes {
		if !p.Runs() {
			continue
		}
		if p.Ended() {
			return fmt.Errorf("%s ended by itself; its log:\n%s", p.Name, p.running.Tail())
		}
		if _, err := get(ctx, p.health()); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return nil
}

// health is where the process says whether it is ready.
func (p *Process) health() string {
	if p.Kind == NATS {
		return "http://" + p.Address + monitorPort + "/healthz"
	}
	return "http://" + p.Address + adminPort + "/readyz"
}

// ClusterLeader is the NATS node that leads the cluster itself: it decides where
// streams and consumers are.
func (c *Cluster) ClusterLeader(ctx context.Context) (*Process, error) {
	for _, asked := range c.Of(NATS) {
		text, err := get(ctx, "http://"+asked.Address+monitorPort+"/jsz")
		if err != nil {
			continue // another one knows it, too
		}
		var state struct {
			Cluster struct {
				Leader string `json:"leader"`
			} `json:"meta_cluster"`
		}
		if err := json.Unmarshal(text, &state); err != nil {
			return nil, fmt.Errorf("%s: %w", asked.Name, err)
		}
		for _, p := range c.Of(NATS) {
			if p.Name == state.Cluster.Leader {
				return p, nil
			}
		}
	}
	return nil, errors.New("no NATS node knows who leads the cluster")
}

// work are the counters of each kind that rise with the load it carries.
var work = map[Kind]string{
	Edge:    "parley_edge_received_total",
	Filter:  "parley_candidatefilter_signals_total",
	Roomsvc: "parley_roomsvc_operations_total",
	Authsvc: "parley_authsvc_token_seconds_count",
}

// Work counts what a process has done so far, in units of its own.
func (p *Process) Work(ctx context.Context) (float64, error) {
	if p.Kind == NATS {
		text, err := get(ctx, "http://"+p.Address+monitorPort+"/varz")
		if err != nil {
			return 0, fmt.Errorf("work of %s: %w", p.Name, err)
		}
		var varz struct {
			In float64 `json:"in_msgs"`
		}
		if err := json.Unmarshal(text, &varz); err != nil {
			return 0, fmt.Errorf("work of %s: %w", p.Name, err)
		}
		return varz.In, nil
	}
	text, err := get(ctx, "http://"+p.Address+adminPort+"/metrics")
	if err != nil {
		return 0, fmt.Errorf("work of %s: %w", p.Name, err)
	}
	return sum(text, work[p.Kind])
}

// sum adds up all series of a counter in Prometheus's text format.
// A counter with labels has no line before its first event.
func sum(text []byte, name string) (total float64, err error) {
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(rest[strings.LastIndexByte(rest, ' '):]), 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		total += value
	}
	return total, nil
}

func get(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s: %s", resp.Status, bytes.TrimSpace(text))
	}
	return text, nil
}
