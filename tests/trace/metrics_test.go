package trace

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/telemetry"
	"github.com/parley-rtc/parley/tests/monitor"
	"github.com/parley-rtc/parley/tests/stack"
)

// services are the processes of a stack that show metrics, each with the
// histograms in seconds that the scenario fills.
var services = map[string][]string{
	"edge-1":          {"parley_link_commit_seconds", "parley_edge_join_seconds"},
	"edge-2":          {"parley_link_commit_seconds", "parley_edge_join_seconds"},
	"candidatefilter": {"parley_candidatefilter_sanitise_seconds"},
	"authsvc":         {"parley_authsvc_token_seconds"},
	"roomsvc":         {"parley_roomsvc_change_seconds", "parley_roomsvc_commit_seconds", "parley_link_commit_seconds"},
}

// labels are all values that a label may have, whatever clients do.
var labels = map[string][]string{
	"type": {
		"hello", "join", "offer", "answer", "candidate", "message", "presence", "moderate", "refresh", "leave",
		"ping", "pong", "bye", "part", "event", "unknown",
	},
	"code": slices.Concat(codes, []string{
		"done", "1000", "1001", "1002", "1003", "1005", "1006", "1007", "1009", "1011", "1012", "1013",
		"4408", "4429", "4440", "4501", "4503", "4509", "4510", "other",
	}),
	"result":    slices.Concat(codes, []string{"ok", "passed", "dropped", "refused", "resumed", "adopted", "lost", "none", "unanswered"}),
	"rule":      rules(),
	"kind":      {"join", "leave", "kick", "lock", "unlock", "close", "unknown"},
	"operation": {"request", "read", "update", "open", "watch"},
	"outcome": {
		"done", "refused", "repeated", "stale", "error", "unanswered", "committed", "queue_full", "log_full", "closed", "unknown",
	},
	"reason": slices.Concat(codes, rules(), []string{
		"queue_full", "room_queue_full", "stopping", "no_reply", "conflict", "unknown", "old",
		"no_responders", "timeout", "refused", "disconnected", "other",
		"no_room", "unknown_kind", "wrong_place", "receiver_gone", "comes_again", "repeated", "lane_full",
		"subject", "reply", "message_id", "too_large", "malformed", "name", "verdict", "full", "publish", "answer", "collector",
	}),
}

var codes = codeNames()

func codeNames() (names []string) {
	for _, c := range contract.Codes() {
		names = append(names, string(c))
	}
	return names
}

func rules() (names []string) {
	for _, r := range contract.Rules() {
		names = append(names, string(r))
	}
	return names
}

func TestMetrics(t *testing.T) {
	s := stack.Processes(t, stack.Options{})
	secret := play(t, s)
	seen := map[string]Exposition{}
	for _, name := range []string{"edge-1", "edge-2", "candidatefilter", "authsvc", "roomsvc-1", "roomsvc-2"} {
		seen[name] = Scrape(t, s.Process(t, name))
	}
	t.Run("every step has a histogram in seconds", func(t *testing.T) { checkHistograms(t, seen) })
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		t.Run(name+" shows no id and no endless label", func(t *testing.T) {
			checkFamilies(t, name, seen[name])
			for what, word := range secret {
				if strings.Contains(seen[name].Text, word) {
					t.Errorf("the metrics hold %s, %q", what, word)
				}
			}
		})
	}
	t.Run("every connection's end is counted once", func(t *testing.T) {
		for code, want := range map[string]float64{"4510": 1, "1003": 1, "other": 1} {
			if got := countedCloses(t, s.Process(t, "edge-2"), code, want); got != want {
				t.Errorf("closed with %s: %v, want %v", code, got, want)
			}
		}
	})
	t.Run("without OTEL_* nothing is traced", func(t *testing.T) { checkOff(t, s) })
	t.Run("readiness", func(t *testing.T) { testReadiness(t, s) })
}

// play is a session with all that ids may be and much that clients may do
// wrong. It returns what no metric may hold.
func play(t *testing.T, s *stack.Stack) map[string]string {
	t.Helper()
	ada, _ := enter(t, s, 0, "ada-whose-name-is-nobodys-business")
	bob, _ := enter(t, s, 1, "bob *.> 🙂")
	ada.sees(t, 1)
	ada.send(t, offerTo(bob.peer()))
	bob.hears(t)
	ada.send(t, candidateTo(bob.peer()))
	bob.hears(t)
	ada.send(t, client.ToAll("hi"))
	bob.hears(t)
	if err := bob.room.SetPresence(t.Context(), "here"); err != nil {
		t.Fatal(err)
	}
	kick(t, s, bob)
	secret := map[string]string{
		"a room": roomName, "an identity": "nobodys-business", "another identity": "bob *",
		"a peer": ada.peer().String(), "the other peer": bob.peer().String(), "a session": ada.client.Session(),
		"an edge": ada.client.Edge(), "the other edge": bob.client.Edge(), "the app": `"` + stack.App + `"`, "the API key": stack.APIKey.Reveal(),
		"a type": evilType, "a close code": strconv.Quote(strconv.Itoa(evilClose)),
	}
	misbehave(t, s)
	return secret
}

// kick lets a moderator end a membership, and with it the connection.
func kick(t *testing.T, s *stack.Stack, victim *person) {
	t.Helper()
	moderator, err := client.Dial(t.Context(), s.Edges[0], client.WithToken(
		func(ctx context.Context, room string, _ client.TokenReason) (string, error) {
			return s.Token(ctx, room, "a moderator", contract.GrantKick)
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer moderator.Close()
	room := stack.Join(t, moderator, roomName)
	if err := room.Moderate(t.Context(), contract.ActionKick, victim.peer()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-victim.client.Done():
	case <-t.Context().Done():
	}
	var closed *client.ClosedError
	if err := victim.client.Err(); !errors.As(err, &closed) || closed.Code != contract.CloseKicked {
		t.Fatalf("the kicked client ended with %v, want %d", err, contract.CloseKicked)
	}
}

// countedCloses waits until at least so many connections are counted: an edge
// counts one when it is over, a moment after its client heard so.
func countedCloses(t *testing.T, p *stack.Process, code string, least float64) float64 {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for {
		got := Scrape(t, p).Counted("parley_edge_closed_total", code)
		if got >= least || time.Now().After(deadline) {
			return got
		}
		select {
		case <-time.After(pollInterval):
		case <-t.Context().Done():
		}
	}
}

func checkHistograms(t *testing.T, seen map[string]Exposition) {
	t.Helper()
	for process, histograms := range services {
		for _, histogram := range histograms {
			var count uint64
			for name, exposition := range seen {
				if name != process && !(process == "roomsvc" && strings.HasPrefix(name, "roomsvc-")) {
					continue
				}
				observed, err := exposition.Observed(histogram)
				if err != nil {
					t.Logf("%s: %v", name, err) // of two roomsvcs one may have had nothing to do
				}
				count += observed
			}
			if count == 0 {
				t.Errorf("%s: %s was never observed", process, histogram)
			}
		}
	}
}

// checkFamilies holds every metric of Parley's against the rules for names and
// labels.
func checkFamilies(t *testing.T, process string, e Exposition) {
	t.Helper()
	service := strings.TrimRight(process, "-12")
	for _, family := range e.Own() {
		name := family.GetName()
		part := strings.Split(name, "_")[1]
		if !slices.Contains([]string{service, "bus", "link", "token", "telemetry", "build"}, part) {
			t.Errorf("%s is no metric of %s", name, service)
		}
		if family.GetHelp() == "" {
			t.Errorf("%s has no help", name)
		}
		if (family.GetType() == dto.MetricType_COUNTER) != strings.HasSuffix(name, "_total") {
			t.Errorf("%s is a %s; counters, and they alone, end with _total", name, family.GetType())
		}
		for _, metric := range family.GetMetric() {
			checkLabels(t, name, metric)
		}
	}
}

func checkLabels(t *testing.T, family string, metric *dto.Metric) {
	t.Helper()
	for _, label := range metric.GetLabel() {
		name, value := label.GetName(), label.GetValue()
		if family == "parley_build_info" {
			continue
		}
		if !slices.Contains(labels[name], value) {
			t.Errorf("%s has the label %s=%q, which isn't in its closed set", family, name, value)
		}
	}
}

// checkOff sends through a stack without tracing: what a client says of its
// trace goes through as it is, and nobody begins one.
func checkOff(t *testing.T, s *stack.Stack) {
	if telemetry.Enabled() {
		t.Error("tracing is on in the tests' own process")
	}
	eve, _ := enter(t, s, 0, "eve")
	dan, _ := enter(t, s, 1, "dan")
	eve.knows(t, dan)
	for _, mine := range []monitor.Parent{{}, monitor.NewParent(true)} {
		eve.begin(mine)
		eve.send(t, client.MessageTo(dan.peer(), "hi"))
		if got := dan.hears(t).Trace; got != mine.String() {
			t.Errorf("the receiver is told of trace %q, want %q", got, mine)
		}
	}
}
