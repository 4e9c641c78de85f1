package trace

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parley-rtc/parley/tests/monitor"
	"github.com/parley-rtc/parley/tests/stack"
)

// Watch starts Prometheus on an address with the files of a folder, as they are
// but for their intervals: 1 s instead of 10.
func Watch(t *testing.T, address, folder string) monitor.Prometheus {
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
	return monitor.Prometheus{URL: "http://" + address}
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
