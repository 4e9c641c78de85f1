package stack

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestUpgrade_andBack replaces every service of an earlier commit by today's, one after
// the other and under load, and then takes it all back: no signal is lost and no session.
// `earlier-commit` names the commit. An edge of that commit refuses a signal that comes
// while it ends, and lets clients in before it knows a key.
func TestUpgrade_andBack(t *testing.T) {
	now, earlier := filepath.Dir(binary(t, "edge")), earlierPrograms(t)
	s := Processes(t, Options{Doubles: 2, Bin: earlier})
	l := s.startLoad(t)
	there := s.services()
	back := slices.Clone(there)
	slices.Reverse(back)
	for _, name := range there {
		l.exchange(t, name, s.Process(t, name), now)
	}
	for _, name := range back {
		l.exchange(t, name, s.Process(t, name), earlier)
	}
	l.endWithRefusals(t)
}

// exchange replaces a program by that of another folder, with no visitors at it.
func (l *load) exchange(t *testing.T, name string, p *Process, folder string) {
	t.Helper()
	l.close(name)
	defer l.close("")
	p.Use(folder)
	l.replace(t, filepath.Base(folder)+": "+name, p)
}

// close keeps visitors from an edge; those that are there have gone when it returns.
func (l *load) close(edge string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = edge
}

// earlierPrograms is the folder of the earlier commit's programs, which are built the
// first time.
func earlierPrograms(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("earlier-commit")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	bin := filepath.Dir(binary(t, "edge"))
	cmd := exec.CommandContext(t.Context(), "make", "-s", "-C", filepath.Dir(bin), "build-earlier")
	cmd.Env = slices.DeleteFunc(cleanEnviron(), func(one string) bool { return strings.HasPrefix(one, "MAKE") })
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the earlier commit's programs aren't there: %v\n%s", err, out)
	}
	return filepath.Join(bin, "earlier", lines[len(lines)-1])
}
