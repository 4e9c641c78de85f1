package trace

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/stack"
)

// Answer is what an admin endpoint said.
type Answer struct {
	Status int
	Body   string
}

// Probe asks a process's admin listener.
func Probe(t testing.TB, p *stack.Process, path string) Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), stepTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.Admin+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%s of %s: %v", path, p.Program(), err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s of %s: %v", path, p.Program(), err)
	}
	return Answer{resp.StatusCode, string(body)}
}

// readiness is the body of /readyz.
type readiness struct {
	Ready  bool              `json:"ready"`
	Checks map[string]string `json:"checks"`
}

// Ready reads what a process says about its readiness. The status must fit.
func Ready(t testing.TB, p *stack.Process) (ready bool, checks map[string]string) {
	t.Helper()
	answer := Probe(t, p, "/readyz")
	var r readiness
	if err := json.Unmarshal([]byte(answer.Body), &r); err != nil {
		t.Fatalf("/readyz of %s: %v in %q", p.Program(), err, answer.Body)
	}
	want := http.StatusOK
	if !r.Ready {
		want = http.StatusServiceUnavailable
	}
	if answer.Status != want {
		t.Errorf("/readyz of %s: status %d with ready %v, want %d", p.Program(), answer.Status, r.Ready, want)
	}
	return r.Ready, r.Checks
}

// awaitReady asks until a process is ready, and returns its checks.
func awaitReady(t testing.TB, p *stack.Process) map[string]string {
	t.Helper()
	return awaitChecks(t, p, func(ready bool, _ map[string]string) bool { return ready })
}

// awaitChecks asks until what a process says of itself is as it should be, and returns
// its checks.
func awaitChecks(t testing.TB, p *stack.Process, is func(ready bool, checks map[string]string) bool) map[string]string {
	t.Helper()
	deadline := time.Now().Add(stepTimeout)
	for {
		ready, checks := Ready(t, p)
		if is(ready, checks) {
			return checks
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: ready is %v, and still its checks are %v", p.Program(), ready, fmt.Sprint(checks))
		}
		select {
		case <-time.After(pollInterval):
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}

// pollInterval is the time between two questions for what has no event.
const pollInterval = 20 * time.Millisecond
