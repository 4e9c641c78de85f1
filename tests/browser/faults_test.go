//go:build linux

package browser

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/tests/chaos/cluster"
	"github.com/parley-rtc/parley/tests/netns"
)

// wellTimeout bounds the time that the cluster may need after a fault.
const wellTimeout = 90 * time.Second

// Two tabs are in a call through a cluster of processes. While something dies they
// negotiate, and while it is dead they see and hear each other.
func TestFaults_aCallGoesOn(t *testing.T) {
	t.Parallel() // it waits, most of the time
	netns.Run(t, func(t *testing.T) {
		s := startStage(t)
		ada, bob := s.callers[0], s.callers[1]
		s.cut(t, ada)
		s.kill(t, s.edgeOf(t, bob))
		s.kill(t, s.leaderFor(t, ada))
		s.cut(t, ada, bob)
		s.kill(t, s.edgeOf(t, ada))
		for _, one := range s.callers {
			one.undisturbed(t)
		}
	})
}

// stage is a cluster with two tabs in a call.
type stage struct {
	c       *cluster.Cluster
	callers []*caller
	turns   int // negotiations that the test asked for
}

// caller is one of the tabs.
type caller struct {
	*tab

	lines  []*line // to the edges
	begun  int     // events before the first fault
	ufrag  string  // of the other side's candidates, by then
	before int     // resumes before the present fault
}

// startStage runs the cluster until the test ends, and has two tabs call each other
// that begin on different edges.
func startStage(t *testing.T) *stage {
	t.Helper()
	bin, err := filepath.Abs(filepath.Join(repository, "bin"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	t.Cleanup(func() { showLogs(t, dir) })
	c, err := cluster.Start(t.Context(), cluster.Options{Bin: bin, Dir: dir, Window: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	place := &site{tokens: c.Tokens}
	place.page = servePage(t, place)
	s := &stage{c: c}
	for i, name := range []string{"ada", "bob"} {
		one := &caller{}
		w := wish{Room: "call", Identity: name, Camera: true}
		for _, edge := range []string{c.EdgeURLs[i], c.EdgeURLs[1-i]} {
			l := newLine(t, edge)
			one.lines, w.URL = append(one.lines, l), append(w.URL, l.address)
		}
		one.tab = place.open(t, w)
		s.callers = append(s.callers, one)
	}
	for _, one := range s.callers {
		one.until(t, "tab.open && tab.steady")
	}
	for _, one := range s.callers {
		one.begun = len(one.events(t))
		one.ufrag = eval[string](t, one.tab, "tab.ufrag")
	}
	return s
}

// showLogs shows the ends of the cluster's logs if the test failed.
func showLogs(t *testing.T, dir string) {
	if !t.Failed() {
		return
	}
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		t.Log(err)
	}
	for _, log := range logs {
		text, err := os.ReadFile(log)
		t.Logf("%s (%v):\n%s", filepath.Base(log), err, text[max(0, len(text)-1024):])
	}
}

// edgeOf is the edge that a tab is on.
func (s *stage) edgeOf(t *testing.T, one *caller) *cluster.Process {
	t.Helper()
	id := eval[string](t, one.tab, "tab.client.edge")
	for _, p := range s.c.Of(cluster.Edge) {
		if strings.HasPrefix(id, p.Name+"-") {
			return p
		}
	}
	t.Fatalf("%s is on %q, which is no edge", one.name, id)
	return nil
}

// leaderFor is the NATS node that leads the log from which a tab's edge reads.
func (s *stage) leaderFor(t *testing.T, one *caller) *cluster.Process {
	t.Helper()
	edge, err := contract.ParseToken(eval[string](t, one.tab, "tab.client.edge"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.c.Leader(t.Context(), contract.StreamOf(contract.SignalsBucket(contract.Shard(edge, cluster.Shards))))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// cut cuts the sockets of tabs.
func (s *stage) cut(t *testing.T, callers ...*caller) {
	t.Helper()
	s.negotiate(t, callers, func() {
		for _, one := range callers {
			for _, l := range one.lines {
				l.cut()
			}
		}
	})
}

// kill kills a process, and starts it again when the call went on without it.
func (s *stage) kill(t *testing.T, p *cluster.Process) {
	t.Helper()
	var moved []*caller
	for _, one := range s.callers {
		if s.edgeOf(t, one) == p {
			moved = append(moved, one)
		}
	}
	s.negotiate(t, moved, p.Kill)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	well, cancel := context.WithTimeout(t.Context(), wellTimeout)
	defer cancel()
	if err := s.c.WaitHealthy(well); err != nil {
		t.Fatal(err)
	}
}

// negotiate breaks something while an offer is under way, and waits until those
// whose sockets that took are back, the negotiation has come to its end, and sound,
// pictures and data still come.
func (s *stage) negotiate(t *testing.T, moved []*caller, breaks func()) {
	t.Helper()
	const resumes = "tab.events.filter((event) => event === 'resumed').length"
	for _, one := range moved {
		one.before = eval[int](t, one.tab, resumes)
	}
	direction := []string{"sendonly", "inactive"}[s.turns%2]
	offerer := s.callers[s.turns/2%2]
	s.turns++
	offerer.do(t, "tab.turn(%q)", direction)
	breaks()
	for _, one := range moved {
		one.until(t, "%s > %d", resumes, one.before)
	}
	offerer.until(t, "tab.turned(%q)", direction)
	for _, one := range s.callers {
		one.until(t, "tab.steady")
		watch(t, one.tab)
	}
	exchange(t, s.callers[0].tab, s.callers[1].tab)
}

// undisturbed checks that a tab has its first connection over its first path, and
// that its application heard of nothing but its own comebacks.
func (one *caller) undisturbed(t *testing.T) {
	t.Helper()
	unbroken(t, one.tab)
	expected := []string{"welcome resumed", "resumed", "filtered sdp_line"} // Chromium's lines are more than the filter lets pass
	for _, event := range one.events(t)[one.begun:] {
		if !slices.Contains(expected, event) {
			t.Errorf("%s: %s", one.name, event)
		}
	}
	if got := eval[string](t, one.tab, "tab.ufrag"); got != one.ufrag {
		t.Errorf("%s: the other side restarted ICE", one.name)
	}
}
