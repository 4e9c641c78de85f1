package trace

import (
	"net/http"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/tests/stack"
)

// testReadiness takes NATS away from a running stack and gives it back.
func testReadiness(t *testing.T, s *stack.Stack) {
	all := []string{"edge-1", "edge-2", "candidatefilter", "authsvc", "roomsvc-1", "roomsvc-2"}
	for _, name := range all {
		p := s.Process(t, name)
		for check, text := range awaitReady(t, p) {
			if text != "ok" {
				t.Errorf("%s is ready and its check %s says %q", name, check, text)
			}
		}
		if got := Probe(t, p, "/version"); got.Status != http.StatusOK || strings.TrimSpace(got.Body) == "" {
			t.Errorf("/version of %s: %+v", name, got)
		}
	}
	s.Process(t, stack.NATS).Stop(t)
	for _, name := range all {
		p := s.Process(t, name)
		// Another check may hear first that the server goes.
		awaitChecks(t, p, func(ready bool, checks map[string]string) bool {
			return !ready && strings.HasPrefix(checks["nats"], "disconnected")
		})
		if got := Probe(t, p, "/healthz"); got.Status != http.StatusOK {
			t.Errorf("%s without NATS: /healthz answers %d, want %d: it lives", name, got.Status, http.StatusOK)
		}
	}
	s.Process(t, stack.NATS).Start(t)
	for _, name := range all {
		awaitReady(t, s.Process(t, name))
	}
	zoe, _ := enter(t, s, 0, "zoe")
	yan, _ := enter(t, s, 1, "yan")
	zoe.knows(t, yan)
	zoe.send(t, candidateTo(yan.peer()))
	yan.hears(t)
}
