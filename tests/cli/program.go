package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// commandTimeout is far more than any command but dev takes.
const commandTimeout = time.Minute

// place is where a command runs.
type place struct {
	dir     string
	environ []string
}

// newPlace is an empty folder and an environment without Parley's variables.
func newPlace(t testing.TB, environ ...string) place {
	t.Helper()
	return place{t.TempDir(), environ}
}

// with is the same place with more variables.
func (p place) with(environ ...string) place {
	return place{p.dir, append(append([]string(nil), p.environ...), environ...)}
}

// write makes a file in the place and returns its path.
func (p place) write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// outcome is what a command left.
type outcome struct {
	out, err string
	code     int
}

// run runs parley to its end.
func (p place) run(t testing.TB, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	var out, stderr bytes.Buffer
	cmd := p.command(t, ctx, args...)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("parley %q: %v", args, err)
	}
	return outcome{out.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

func (p place) command(t testing.TB, ctx context.Context, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(ctx, binary(t), args...)
	cmd.Dir, cmd.Env = p.dir, append(cleanEnviron(), p.environ...)
	return cmd
}

// binary is the path of the program that `make build` made.
func binary(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "bin", "parley"))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Fatalf("parley isn't built: run make build (%v)", err)
	}
	return path
}

// cleanEnviron is this process's environment without what configures Parley or
// its tracing.
func cleanEnviron() []string {
	var environ []string
	for _, one := range os.Environ() {
		if !strings.HasPrefix(one, "PARLEY_") && !strings.HasPrefix(one, "OTEL_") {
			environ = append(environ, one)
		}
	}
	return environ
}

// check holds an outcome against an exit code, and texts that must stand in
// what was printed to the one output that counts for that code.
func (o outcome) check(t testing.TB, code int, texts ...string) {
	t.Helper()
	got, other := o.out, o.err
	if code != 0 {
		got, other = other, got
	}
	if o.code != code {
		t.Errorf("exit code %d, want %d; it printed %q and %q", o.code, code, o.out, o.err)
	}
	if other != "" {
		t.Errorf("with exit code %d the other output must be empty, it has %q", code, other)
	}
	for _, text := range texts {
		if !strings.Contains(got, text) {
			t.Errorf("got %q, want it to say %q", got, text)
		}
	}
}
