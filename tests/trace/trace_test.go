package trace

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"go.uber.org/goleak"

	"github.com/parley-rtc/parley/edge/client"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/monitor"
	"github.com/parley-rtc/parley/tests/stack"
)

// idle closes the connections that HTTP clients keep, before leaks are looked
// for.
type idle struct{ *testing.M }

func (m idle) Run() int {
	defer http.DefaultClient.CloseIdleConnections()
	return m.M.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(idle{m}) }

// longest is more than any span of these scenarios takes, even on a machine
// with much else to do.
const longest = 10 * time.Second

// kinds are the spans of Parley, each with the service that may export it and
// its kind.
var kinds = map[string]struct {
	services []string
	kind     otlp.Span_SpanKind
}{
	"edge.receive":    {[]string{"edge"}, otlp.Span_SPAN_KIND_PRODUCER},
	"edge.deliver":    {[]string{"edge"}, otlp.Span_SPAN_KIND_CONSUMER},
	"filter.sanitise": {[]string{"candidatefilter"}, otlp.Span_SPAN_KIND_INTERNAL},
	"log.append":      {[]string{"edge", "roomsvc"}, otlp.Span_SPAN_KIND_CLIENT},
	"room.join":       {[]string{"roomsvc"}, otlp.Span_SPAN_KIND_INTERNAL},
	"room.leave":      {[]string{"roomsvc"}, otlp.Span_SPAN_KIND_INTERNAL},
	"auth.token":      {[]string{"authsvc"}, otlp.Span_SPAN_KIND_SERVER},
	"auth.ice":        {[]string{"authsvc"}, otlp.Span_SPAN_KIND_SERVER},
}

// path finds the spans of a signal's way in a trace that must have no others.
type path struct{ receive, sanitise, append, deliver Span }

func pathOf(t *testing.T, spans []Span) path {
	t.Helper()
	if got, want := names(spans), []string{"edge.deliver", "edge.receive", "filter.sanitise", "log.append"}; !slices.Equal(got, want) {
		t.Fatalf("the trace has %q, want %q", got, want)
	}
	named := map[string]Span{}
	for _, s := range spans {
		named[s.Name] = s
	}
	return path{named["edge.receive"], named["filter.sanitise"], named["log.append"], named["edge.deliver"]}
}

// check holds the path against a signal's way from one edge to another.
func (p path) check(t *testing.T, parent, frameType string) {
	t.Helper()
	if p.receive.Parent != parent {
		t.Errorf("the parent of edge.receive is %q, want %q", p.receive.Parent, parent)
	}
	for _, child := range []Span{p.sanitise, p.append, p.deliver} {
		if child.Parent != p.receive.ID {
			t.Errorf("the parent of %s is %q, want edge.receive, %q", child.Name, child.Parent, p.receive.ID)
		}
	}
	if p.append.Instance != p.receive.Instance || p.append.Service != p.receive.Service {
		t.Errorf("log.append is by %s, edge.receive by %s: the edge that receives must append", p.append.Instance, p.receive.Instance)
	}
	if p.deliver.Instance == p.receive.Instance {
		t.Errorf("edge.receive and edge.deliver are both by %s, want two edges", p.deliver.Instance)
	}
	for _, s := range []Span{p.receive, p.sanitise, p.deliver} {
		if got := s.Attributes["parley.frame.type"]; got != frameType {
			t.Errorf("%s says that the frame is %q, want %q", s.Name, got, frameType)
		}
	}
	if got := p.sanitise.Attributes["parley.filter.result"]; got != "passed" {
		t.Errorf("filter.sanitise says %q, want passed", got)
	}
	p.checkTimes(t)
}

func (p path) checkTimes(t *testing.T) {
	t.Helper()
	for _, order := range []struct {
		early, late time.Time
		rule        string
	}{
		{p.receive.Start, p.append.Start, "a frame is received before its entry is cut"},
		{p.append.Start, p.sanitise.Start, "an entry is cut before the filter has it"},
		{p.sanitise.Start, p.deliver.Start, "the filter has a signal before it is delivered"},
		{p.sanitise.End, p.deliver.Start, "a signal is sanitised before it is delivered"},
		{p.sanitise.End, p.append.End, "a signal is sanitised before it is known to be in the log"},
	} {
		if order.early.After(order.late) {
			t.Errorf("%s: %s is after %s", order.rule, order.early.Format(time.RFC3339Nano), order.late.Format(time.RFC3339Nano))
		}
	}
	if took := p.append.End.Sub(p.append.Start); took <= 0 || took < p.sanitise.End.Sub(p.sanitise.Start) {
		t.Errorf("log.append took %v, less than the sanitising in it", took)
	}
}

func TestTrace(t *testing.T) {
	receiver := Receive(t)
	s := stack.Processes(t, stack.Options{Shards: 3, Environ: receiver.Environ("always_on")})
	ada, _ := enter(t, s, 0, "ada")
	bob, _ := enter(t, s, 1, "bob")
	ada.sees(t, 1)
	var first path

	for _, one := range []struct {
		name, frameType string
		signal          client.Signal
	}{
		{"an offer", contract.TypeOffer, offerTo(bob.peer())},
		{"a candidate", contract.TypeCandidate, candidateTo(bob.peer())},
		{"a message", contract.TypeMessage, client.MessageTo(bob.peer(), "hi")},
	} {
		t.Run("every hop of "+one.name+" is one trace", func(t *testing.T) {
			ada.send(t, one.signal)
			heard := monitor.ParentOf(bob.hears(t).Trace)
			first = pathOf(t, receiver.Await(t, heard.Trace, 4))
			first.check(t, "", one.frameType)
			if heard.ID != first.receive.ID || heard.Flags != "01" {
				t.Errorf("the receiver is told %v, want edge.receive, %s", heard, first.receive.ID)
			}
		})
	}
	t.Run("a client begins the trace", func(t *testing.T) {
		mine := monitor.NewParent(true)
		bob.begin(mine)
		defer bob.begin(monitor.Parent{})
		bob.send(t, client.MessageTo(ada.peer(), "hi"))
		if got := monitor.ParentOf(ada.hears(t).Trace); got.Trace != mine.Trace {
			t.Errorf("the receiver is told of trace %s, want %s", got.Trace, mine.Trace)
		}
		way := pathOf(t, receiver.Await(t, mine.Trace, 4))
		way.check(t, mine.ID, contract.TypeMessage)
		if way.receive.Instance != first.deliver.Instance || way.deliver.Instance != first.receive.Instance {
			t.Errorf("the way back goes from %s to %s, the way there went from %s to %s",
				way.receive.Instance, way.deliver.Instance, first.receive.Instance, first.deliver.Instance)
		}
	})
	t.Run("membership", func(t *testing.T) { testMembership(t, s, receiver, ada) })
	t.Run("tokens", func(t *testing.T) { testTokens(t, s, receiver) })
	stopAll(t, s)
	for _, fault := range receiver.Extra() {
		t.Error(fault)
	}
	checkAll(t, receiver.Spans(), []string{
		roomName, "ada", "bob", "carol", ada.peer().String(), bob.peer().String(), ada.client.Session(), ada.client.Edge(), bob.client.Edge(),
	})
}

// stopAll stops the services, which export what they still hold.
func stopAll(t *testing.T, s *stack.Stack) {
	t.Helper()
	for _, name := range []string{"edge-1", "edge-2", "candidatefilter", "authsvc", "roomsvc-1", "roomsvc-2"} {
		s.Process(t, name).Stop(t)
	}
}

// checkAll holds what is true of each span against all of them.
func checkAll(t *testing.T, spans []Span, secret []string) {
	t.Helper()
	here := map[string]Span{}
	instances := map[string]map[string]bool{}
	for _, s := range spans {
		here[s.Trace+s.ID] = s
		if instances[s.Service] == nil {
			instances[s.Service] = map[string]bool{}
		}
		instances[s.Service][s.Instance] = true
	}
	for _, s := range spans {
		known, ok := kinds[s.Name]
		if !ok || !slices.Contains(known.services, s.Service) || s.Kind != known.kind {
			t.Errorf("%s of kind %s by %s, want one of %v", s.Name, s.Kind, s.Service, kinds)
		}
		if s.Version == "" || s.Instance == "" {
			t.Errorf("%s has service.version %q and service.instance.id %q", s.Name, s.Version, s.Instance)
		}
		if s.End.Before(s.Start) || s.End.Sub(s.Start) > longest {
			t.Errorf("%s took %v", s.Name, s.End.Sub(s.Start))
		}
		switch parent, ok := here[s.Trace+s.Parent]; {
		case ok && s.Start.Before(parent.Start):
			t.Errorf("%s begins before its parent %s", s.Name, parent.Name)
		case !ok && s.Parent != "" && s.Name != "edge.receive" && s.Name != "auth.token":
			t.Errorf("%s hangs on %s, which nobody exported", s.Name, s.Parent)
		}
		for _, word := range secret {
			if word != "" && strings.Contains(s.Name, word) {
				t.Errorf("the name %q holds %q", s.Name, word)
			}
		}
	}
	for service, want := range map[string]int{"edge": 2, "candidatefilter": 1, "authsvc": 1} {
		if got := len(instances[service]); got != want {
			t.Errorf("spans came from %d instances of %s, want %d", got, service, want)
		}
	}
}
