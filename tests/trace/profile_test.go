package trace

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/monitor"
	"github.com/parley-rtc/parley/tests/netns"
	"github.com/parley-rtc/parley/tests/stack"
)

// observability has the files that operators use.
const observability = "../../deploy/compose/observability/"

// The addresses of what isn't Parley, and the port at which every container shows
// its metrics.
const (
	jaegerAddress     = "127.1.9.1"
	collectorAddress  = "127.1.9.2"
	prometheusAddress = "127.1.9.3:9090"
	adminPort         = ":7421"
)

// containers are the addresses that the processes of a stack have, one each, as
// containers do. The third edge comes later.
var containers = map[string]string{
	"roomsvc-1": "127.1.1.1", "roomsvc-2": "127.1.1.2", "authsvc": "127.1.2.1", "candidatefilter": "127.1.3.1",
	"edge-1": "127.1.4.1", "edge-2": "127.1.4.2", "edge-3": "127.1.4.3",
}

const demoContainer = "127.1.5.1"

// The profile `observability`: its own files, in a real collector and a real
// Prometheus, which find everything by name. Jaeger's place is taken by a Receiver.
func TestProfile(t *testing.T) {
	netns.Run(t, func(t *testing.T) {
		netns.IP(t, "link set lo up")
		names := Resolve(t)
		names.Set("jaeger", jaegerAddress)
		names.Set("otel-collector", collectorAddress)
		jaeger := ReceiveGRPC(t, jaegerAddress+":4317")
		collector := stack.Launch(t, "otelcol", nil, "--config="+observability+"otel-collector.yaml")
		s := stack.Processes(t, stack.Options{
			Edges: 3, Admin: func(name string) string { return containers[name] + adminPort },
			Environ: []string{ // as compose.yaml has it, but for the delay
				"OTEL_EXPORTER_OTLP_ENDPOINT=http://otel-collector:4318", "OTEL_TRACES_SAMPLER=parentbased_traceidratio",
				"OTEL_TRACES_SAMPLER_ARG=0.01", "OTEL_BSP_SCHEDULE_DELAY=50",
			},
		})
		stack.Launch(t, "parley", []string{
			"PARLEY_DEMO__LISTEN=" + demoContainer + ":7413", "PARLEY_ADMIN__LISTEN=" + demoContainer + adminPort,
		}, "demo")
		for service, of := range map[string][]string{
			"roomsvc": {"roomsvc-1", "roomsvc-2"}, "authsvc": {"authsvc"}, "candidatefilter": {"candidatefilter"}, "edge": {"edge-1", "edge-2"},
		} {
			var addresses []string
			for _, name := range of {
				addresses = append(addresses, containers[name])
			}
			names.Set(service, addresses...)
		}
		names.Set("demo", demoContainer)
		prometheus := Watch(t, prometheusAddress, observability)

		ada, _ := enter(t, s, 0, "ada")
		bob, joining := enter(t, s, 1, "bob")
		ada.sees(t, 1)
		t.Run("a join is one trace", func(t *testing.T) { checkJoin(t, jaeger, joining) })
		t.Run("a signal is one trace", func(t *testing.T) { checkSignal(t, jaeger, ada, bob) })
		t.Run("every query of the dashboard has data", func(t *testing.T) { checkDashboard(t, prometheus, ada, bob) })
		t.Run("replicas are found", func(t *testing.T) { checkTargets(t, s, names, prometheus) })
		t.Run("nobody waits for a collector that is away", func(t *testing.T) { checkAway(t, s, jaeger, collector, ada, bob) })
	})
}

// checkJoin follows the first join on an edge over all services that it needs: the
// edge has to ask authsvc for ICE servers.
func checkJoin(t *testing.T, jaeger *Receiver, joining monitor.Parent) {
	t.Helper()
	want := []string{"auth.ice", "edge.deliver", "edge.deliver", "edge.receive", "log.append", "log.append", "room.join"}
	if got := names(jaeger.Await(t, joining.Trace, len(want))); !slices.Equal(got, want) {
		t.Errorf("the trace has %q, want %q", got, want)
	}
}

func checkSignal(t *testing.T, jaeger *Receiver, ada, bob *person) {
	t.Helper()
	mine := monitor.NewParent(true)
	ada.begin(mine)
	defer ada.begin(monitor.Parent{})
	ada.send(t, candidateTo(bob.peer()))
	bob.hears(t)
	pathOf(t, jaeger.Await(t, mine.Trace, 4)).check(t, mine.ID, contract.TypeCandidate)
}

// checkDashboard talks until each query has had a number.
func checkDashboard(t *testing.T, p monitor.Prometheus, ada, bob *person) {
	t.Helper()
	queries, err := monitor.Queries(observability + "parley.json")
	if err != nil {
		t.Fatal(err)
	}
	waiting := map[string]bool{}
	for _, expr := range queries {
		waiting[expr] = true
	}
	eventually(t, func(ctx context.Context) (bool, string) {
		talk(t, ada, bob)
		for _, expr := range slices.Collect(maps.Keys(waiting)) {
			samples, err := p.Samples(ctx, expr)
			if err != nil {
				return false, fmt.Sprintf("%v; without a sample: %q", err, slices.Collect(maps.Keys(waiting)))
			}
			if samples > 0 {
				delete(waiting, expr)
			}
		}
		return len(waiting) == 0, fmt.Sprintf("without a sample: %q", slices.Collect(maps.Keys(waiting)))
	})
}

// talk says a little of everything that is drawn as a quantile.
func talk(t *testing.T, ada, bob *person) {
	t.Helper()
	ada.send(t, candidateTo(bob.peer()))
	bob.hears(t)
	ctx, cancel := context.WithTimeout(t.Context(), stepTimeout)
	defer cancel()
	if err := ada.room.Leave(ctx); err != nil {
		t.Fatal(err)
	}
	bob.sees(t, 0)
	ada.room = stack.Join(t, ada.client, roomName) // with a token
	bob.knows(t, ada)
	ada.knows(t, bob)
}

// checkTargets adds an edge and takes one away, as --scale does, and lets one die.
func checkTargets(t *testing.T, s *stack.Stack, names *Names, p monitor.Prometheus) {
	t.Helper()
	want := map[string]int{"edge up": 2, "roomsvc up": 2, "authsvc up": 1, "candidatefilter up": 1, "demo up": 1}
	expect := func(what string) {
		t.Helper()
		eventually(t, func(ctx context.Context) (bool, string) {
			got, err := p.Targets(ctx)
			return err == nil && maps.Equal(got, want), fmt.Sprintf("%s: targets are %v (%v), want %v", what, got, err, want)
		})
	}
	expect("at first")
	names.Set("edge", containers["edge-1"], containers["edge-2"], containers["edge-3"])
	want["edge up"] = 3
	expect("with a third edge")
	if got, err := p.Alerts(t.Context()); err != nil || len(got) > 0 {
		t.Errorf("while all is well alerts wait or fire: %v (%v)", got, err)
	}
	s.Process(t, "edge-3").Stop(t)
	want["edge up"], want["edge down"] = 2, 1
	expect("with a dead edge")
	eventually(t, func(ctx context.Context) (bool, string) {
		got, err := p.Alerts(ctx)
		return err == nil && got["ParleyProcessDown"] == "edge", fmt.Sprintf("alerts are %v (%v), want one about the edge", got, err)
	})
	names.Set("edge", containers["edge-1"], containers["edge-2"])
	delete(want, "edge down")
	expect("without it")
}

// checkAway talks without a collector, and looks for traces when it is back.
func checkAway(t *testing.T, s *stack.Stack, jaeger *Receiver, collector *stack.Process, ada, bob *person) {
	t.Helper()
	collector.Stop(t)
	for range 500 {
		ada.begin(monitor.NewParent(true))
		ada.send(t, client.MessageTo(bob.peer(), "hi"))
		bob.hears(t)
	}
	ada.begin(monitor.Parent{})
	for _, name := range []string{"edge-1", "edge-2", "candidatefilter"} {
		if got := strings.Count(s.Process(t, name).Logs(), "traces are lost"); got != 1 {
			t.Errorf("%s says %d times that its spans go nowhere, want once", name, got)
		}
	}
	collector.Start(t)
	var traces []monitor.Parent
	eventually(t, func(context.Context) (bool, string) {
		mine := monitor.NewParent(true)
		traces = append(traces, mine)
		ada.begin(mine)
		ada.send(t, client.MessageTo(bob.peer(), "hi"))
		bob.hears(t)
		return slices.ContainsFunc(traces, func(p monitor.Parent) bool { return len(jaeger.Of(p.Trace)) > 0 }), "no trace comes through"
	})
	eventually(t, func(context.Context) (bool, string) {
		logs := s.Process(t, "edge-1").Logs()
		return strings.Contains(logs, "the collector takes traces again"), "the edge doesn't say that it is over:\n" + logs
	})
}
